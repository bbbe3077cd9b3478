// The curve along the file and the histogram, as SVG. Only numbers go into it.

const WIDE = 640, HIGH = 170, LEFT = 34, BOTTOM = 20;
const inner = { width: WIDE - LEFT, height: HIGH - BOTTOM - 6 };

/** A round step, so that `most` takes about `count` of them. */
function stepOf(most, count) {
  const rough = most / count || 1, unit = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough);
}

const svg = (content) => `<svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none">${content}</svg>`;
const label = (x, y, text, anchor) => `<text x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;

function drawIn(id, content) {
  const box = document.getElementById(id);
  // Drawn to the box's own width, so that letters keep their shape.
  inner.width = Math.max(160, box.clientWidth - LEFT - 8);
  box.innerHTML = content().replace(`0 0 ${WIDE} `, `0 0 ${inner.width + LEFT + 8} `);
}

const bins = { count: 0, bits: null, local: null, far: null };
function fillBins() {
  bins.count = Math.max(1, Math.min(360, Math.floor(raw.length / 24)));
  bins.bits = new Float64Array(bins.count);
  const width = raw.length / bins.count;
  for (let unit = 0; unit < units.count; unit++) {
    // A unit's bits lie evenly on its bytes.
    const end = units.start[unit + 1], each = units.bits[unit] / (end - units.start[unit]);
    let at = units.start[unit];
    while (at < end) {
      const bin = Math.min(bins.count - 1, Math.floor(at / width));
      const next = bin === bins.count - 1 ? end : Math.min(end, (bin + 1) * width);
      bins.bits[bin] += each * (next - at);
      at = next > at ? next : at + 1;
    }
  }
  bins.local = new Float64Array(bins.count);
  bins.far = new Float64Array(bins.count);
  let sum = 0;
  for (let bin = 0; bin < bins.count; bin++) {
    const from = Math.max(0, bin - 2), to = Math.min(bins.count, bin + 3);
    let around = 0;
    for (let other = from; other < to; other++) around += bins.bits[other];
    bins.local[bin] = around / ((to - from) * width);
    sum += bins.bits[bin];
    bins.far[bin] = sum / ((bin + 1) * width);
  }
}

const sizeOf = (bytes) => bytes >= 1e6 ? +(bytes / 1e6).toPrecision(3) + " MB" : bytes >= 1e3 ? +(bytes / 1e3).toPrecision(3) + " kB" : bytes + " B";

function drawCurve() {
  drawIn("curve", () => {
    let most = 0;
    for (let bin = 0; bin < bins.count; bin++) most = Math.max(most, bins.local[bin], bins.far[bin]);
    most = most * 1.08 || 1;
    const x = (bin) => LEFT + (bin + .5) * inner.width / bins.count;
    const y = (value) => 6 + inner.height * (1 - value / most);
    let out = "";
    const step = stepOf(most, 4);
    for (let value = 0; value <= most; value += step) {
      out += `<line class="grid" x1="${LEFT}" x2="${LEFT + inner.width}" y1="${y(value)}" y2="${y(value)}"/>`
        + label(LEFT - 6, y(value) + 4, +value.toPrecision(3), "end");
    }
    const far = stepOf(raw.length, Math.max(2, Math.floor(inner.width / 110)));
    for (let at = 0; at <= raw.length; at += far) {
      const place = LEFT + at * inner.width / raw.length;
      out += label(place, HIGH - 4, sizeOf(at), at === 0 ? "start" : place > LEFT + inner.width - 24 ? "end" : "middle");
    }
    if (summary.segments.length < 60) {
      for (const segment of summary.segments) {
        const place = (LEFT + segment.raw_offset * inner.width / raw.length).toFixed(1);
        if (segment.raw_offset) out += `<line class="cut" x1="${place}" x2="${place}" y1="6" y2="${6 + inner.height}"/>`;
      }
    }
    const points = (list) => Array.from(list, (value, bin) => `${x(bin).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    out += `<polygon class="area" points="${LEFT},${y(0)} ${points(bins.local)} ${LEFT + inner.width},${y(0)}"/>`
      + `<polyline class="line" points="${points(bins.far)}"/><line class="cursor" id="curve-cursor" y1="6" y2="${6 + inner.height}" visibility="hidden"/>`;
    return svg(out);
  });
}

/** Bits of a bin of the histogram. */
const BIN = 0.5, BINS = 41;
const histogram = { tokens: new Float64Array(BINS), bits: new Float64Array(BINS), count: 0, sum: 0 };
function countBits() {
  for (let unit = 0; unit < units.count; unit++) {
    if (units.symbol[unit] < 0) continue;
    const bits = units.bits[unit], bin = Math.min(BINS - 1, Math.floor(bits / BIN));
    histogram.tokens[bin]++;
    histogram.bits[bin] += bits;
    histogram.count++;
    histogram.sum += bits;
  }
}

function drawHistogram() {
  drawIn("histogram", () => {
    if (!histogram.count) return svg(label(WIDE / 2, HIGH / 2, "the model coded nothing here", "middle"));
    const share = (bin) => [histogram.tokens[bin] / histogram.count, histogram.bits[bin] / (histogram.sum || 1)];
    let most = 0;
    for (let bin = 0; bin < BINS; bin++) most = Math.max(most, ...share(bin));
    most *= 1.08;
    const width = inner.width / BINS, y = (value) => 6 + inner.height * (1 - value / most);
    let out = "", line = "";
    const step = stepOf(most, 4);
    for (let value = 0; value <= most; value += step) {
      out += `<line class="grid" x1="${LEFT}" x2="${LEFT + inner.width}" y1="${y(value)}" y2="${y(value)}"/>`
        + label(LEFT - 5, y(value) + 4, Math.round(value * 1000) / 10 + "%", "end");
    }
    for (let bin = 0; bin < BINS; bin++) {
      const [tokens, bits] = share(bin), x = LEFT + bin * width;
      const shade = Math.max(1, classOf(bin * BIN, facts.classes));
      out += `<rect fill="var(--b${shade})" stroke="var(--grey)" stroke-width=".5" x="${(x + .5).toFixed(1)}" y="${y(tokens).toFixed(1)}" width="${
        Math.max(1, width - 1).toFixed(1)}" height="${(inner.height * tokens / most).toFixed(1)}"/>`;
      line += `${x.toFixed(1)},${y(bits).toFixed(1)} ${(x + width).toFixed(1)},${y(bits).toFixed(1)} `;
      if (bin % 8 === 0) out += label(x, HIGH - 4, bin * BIN + (bin === BINS - 1 ? "+" : ""), bin ? "middle" : "start");
    }
    return svg(out + `<polyline class="step" points="${line}"/>`);
  });
}

/** Reads a chart where the pointer is; a click on the curve goes there. */
function watchCharts() {
  const placeIn = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = (box.width - LEFT - 8) || 1;
    return Math.min(.9999, Math.max(0, (event.clientX - box.left - LEFT) / scale));
  };
  const curve = document.getElementById("curve"), at = document.getElementById("curve-at");
  curve.addEventListener("pointermove", (event) => {
    const place = placeIn(event), bin = Math.floor(place * bins.count);
    at.textContent = `at ${sizeOf(Math.round(place * raw.length))}: ${bins.local[bin].toFixed(2)} around, ${bins.far[bin].toFixed(3)} so far`;
    const cursor = document.getElementById("curve-cursor"), x = LEFT + place * (curve.clientWidth - LEFT - 8);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.setAttribute("visibility", "visible");
  });
  curve.addEventListener("pointerleave", () => {
    at.textContent = "";
    document.getElementById("curve-cursor")?.setAttribute("visibility", "hidden");
  });
  curve.addEventListener("click", (event) => {
    if (units.count) pin(unitAt(Math.floor(placeIn(event) * raw.length)));
  });
  const bars = document.getElementById("histogram"), bar = document.getElementById("histogram-at");
  bars.addEventListener("pointermove", (event) => {
    const bin = Math.floor(placeIn(event) * BINS);
    if (!histogram.count) return;
    const percent = (part, whole) => (100 * part / (whole || 1)).toFixed(1) + " %";
    bar.textContent = `${bin * BIN}${bin === BINS - 1 ? " or more" : "–" + (bin + 1) * BIN}: ${
      percent(histogram.tokens[bin], histogram.count)} of tokens, ${percent(histogram.bits[bin], histogram.sum)} of bits`;
  });
  bars.addEventListener("pointerleave", () => bar.textContent = "");
}
