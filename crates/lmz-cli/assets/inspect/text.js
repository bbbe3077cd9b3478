// Bytes to markup, and the text in chunks that are filled when they come near the screen.

/** The character at `at`: [code point, length]; -1 for a byte that is not UTF-8. */
function decode(bytes, at, end) {
  const first = bytes[at];
  if (first < 0x80) return [first, 1];
  const length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return [-1, 1];
  let point = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i];
    if ((byte & 0xc0) !== 0x80) return [-1, 1];
    point = point << 6 | byte & 0x3f;
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][length];
  if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return [-1, 1];
  return [point, length];
}

const hex = (n, digits) => n.toString(16).padStart(digits, "0");
/** What is invisible, changes the direction of text, or is no character. */
const odd = (p) => p < 0x20 || (p >= 0x7f && p < 0xa0) || p === 0xad || p === 0x61c || (p >= 0x200b && p <= 0x200f)
  || (p >= 0x2028 && p <= 0x202e) || (p >= 0x2060 && p <= 0x206f) || p === 0xfeff || (p >= 0xfff0 && p <= 0xfffb)
  || (p >= 0xe0000 && p <= 0xe0fff);

/** Markup of one character. `inline`: on one line, with spaces to be seen. */
function glyph(point, byte, inline) {
  switch (point) {
    case -1: return `<i>\\x${hex(byte, 2)}</i>`;
    case 10: return inline ? "<u>↵</u>" : "<u>↵</u>\n";
    case 9: return inline ? "<u>⇥</u>" : "\t";
    case 13: return "<u>\\r</u>";
    case 32: return inline ? "<u>␣</u>" : " ";
    case 38: return "&amp;";
    case 60: return "&lt;";
    case 62: return "&gt;";
    case 34: return "&quot;";
    case 39: return "&#39;";
  }
  if (odd(point)) return point < 256 ? `<i>\\x${hex(point, 2)}</i>` : `<i>\\u{${hex(point, 4)}}</i>`;
  return String.fromCodePoint(point);
}

/** Markup of bytes on one line. */
function inlineMarkup(bytes, from = 0, to = bytes.length) {
  let out = "";
  for (let at = from; at < to;) {
    const [point, length] = decode(bytes, at, to);
    out += glyph(point, bytes[at], true);
    at += length;
  }
  return out;
}

const main = document.getElementById("text");
/** Units of a chunk: about this many, cut at a line's end where there is one. */
const CHUNK = 900;
const chunks = [];
let near = null;

function layChunks() {
  let first = 0;
  while (first < units.count) {
    let last = Math.min(first + CHUNK, units.count);
    const limit = Math.min(first + 4 * CHUNK, units.count);
    // After a unit that ends its line; never inside a character.
    while (last < limit && raw[units.start[last] - 1] !== 10) last++;
    while (last < units.count && (raw[units.start[last]] & 192) === 128) last++;
    chunks.push({ first, last, element: null, filled: false });
    first = last;
  }
  near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) fill(chunks[entry.target.dataset.n]);
  }, { rootMargin: "1200px 0px" });
  const all = document.createDocumentFragment();
  chunks.forEach((chunk, n) => {
    chunk.element = document.createElement("div");
    chunk.element.className = "chunk";
    chunk.element.dataset.n = n;
    all.append(chunk.element);
  });
  main.append(all);
  estimate();
  for (const chunk of chunks) near.observe(chunk.element);
}

/** Heights of chunks that were never drawn, so that the scroll bar is about right. */
function estimate() {
  const probe = document.createElement("span");
  probe.textContent = "x".repeat(100);
  probe.style.cssText = "position:absolute;visibility:hidden";
  main.append(probe);
  const box = getComputedStyle(main);
  const width = main.clientWidth - parseFloat(box.paddingLeft) - parseFloat(box.paddingRight);
  const columnsOfText = Math.max(10, Math.floor(width / (probe.getBoundingClientRect().width / 100)));
  probe.remove();
  const line = parseFloat(box.lineHeight);
  for (const chunk of chunks) {
    let lines = 0, length = 0;
    const end = units.start[chunk.last];
    for (let at = units.start[chunk.first]; at < end; at++) {
      if (raw[at] === 10) { lines += Math.max(1, Math.ceil((length + 1) / columnsOfText)); length = 0; }
      else if ((raw[at] & 192) !== 128) length++;
    }
    lines += Math.ceil(length / columnsOfText);
    const height = Math.max(1, lines) * line + "px";
    chunk.element.style.containIntrinsicHeight = "auto " + height;
    if (!chunk.filled) chunk.element.style.height = height;
  }
}

function fill(chunk) {
  if (chunk.filled) return;
  let out = "", at = units.start[chunk.first];
  for (let unit = chunk.first; unit < chunk.last; unit++) {
    const end = units.start[unit + 1];
    // A character belongs to the unit where it begins; one that has only the rest of it is a dot.
    let inside = at >= end ? "<u>·</u>" : "";
    while (at < end) {
      const [point, length] = decode(raw, at, raw.length);
      inside += glyph(point, raw[at], false);
      at += length;
    }
    const plain = units.symbol[unit] < 0 ? " plain" : "";
    out += `<span class="b${plain ? 0 : levelOf(unit)}${plain}">${inside}</span>`;
  }
  chunk.element.innerHTML = out;
  chunk.element.style.height = "";
  chunk.filled = true;
  markHits(chunk);
  if (selected >= chunk.first && selected < chunk.last) elementOf(selected)?.classList.add("at");
}

/** Draws again what has been drawn: the colours have changed. */
function recolour() {
  for (const chunk of chunks) {
    if (!chunk.filled) continue;
    let unit = chunk.first;
    for (const span of chunk.element.children) {
      if (units.symbol[unit] >= 0) span.className = "b" + levelOf(unit);
      unit++;
    }
    markHits(chunk);
  }
  if (selected >= 0) elementOf(selected)?.classList.add("at");
}

function chunkOf(unit) {
  let low = 0, high = chunks.length;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (chunks[middle].first <= unit) low = middle; else high = middle;
  }
  return chunks[low];
}

function elementOf(unit) {
  const chunk = chunkOf(unit);
  return chunk && chunk.filled ? chunk.element.children[unit - chunk.first] : null;
}

function unitOf(target) {
  const span = target.closest?.(".chunk > span");
  if (!span) return -1;
  return chunks[span.parentElement.dataset.n].first + Array.prototype.indexOf.call(span.parentElement.children, span);
}

/** Brings a unit to the middle of the screen. */
function show(unit) {
  const chunk = chunkOf(unit);
  if (!chunk) return;
  fill(chunk);
  const bring = () => elementOf(unit).scrollIntoView({ block: "center" });
  bring();
  // What came near on the way has been drawn, and may have moved it.
  requestAnimationFrame(() => requestAnimationFrame(bring));
}

let selected = -1;
function select(unit) {
  if (selected >= 0) elementOf(selected)?.classList.remove("at");
  selected = unit;
  if (unit >= 0) elementOf(unit)?.classList.add("at");
}

const number = (n) => n.toLocaleString("en-US");
function probability(bits) {
  const p = 2 ** -bits;
  if (p >= 0.0995) return (100 * p).toFixed(1) + " %";
  if (p >= 0.000995) return (100 * p).toPrecision(2) + " %";
  const odds = 2 ** bits;
  if (odds < 1e6) return "1 in " + number(Number(odds.toPrecision(3)));
  const [mantissa, exponent] = odds.toExponential(1).split("e+");
  const raised = Array.from(exponent, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  return `1 in ${mantissa}·10${raised}`;
}

/** The markup of a unit with the characters that it begins in the middle of, or cuts. */
function tokenMarkup(unit) {
  return inlineMarkup(raw, units.start[unit], units.start[unit + 1]);
}

/** The card of a unit. */
function describe(unit) {
  const symbol = units.symbol[unit], segment = summary.segments[units.segment[unit]];
  const bits = units.bits[unit], from = units.start[unit], to = units.start[unit + 1];
  const place = `byte${to - from > 1 ? "s" : ""} ${number(from)}${to - from > 1 ? "–" + number(to - 1) : ""} · segment ${
    segment.member ? segment.member + "/" : ""}${segment.index}`;
  const figure = (value, name) => `<div><b>${value}</b><span>${name}</span></div>`;
  const head = `<div class="card-token"><span class="b${symbol < 0 ? 0 : levelOf(unit)}">${tokenMarkup(unit)}</span></div>`;
  if (symbol < 0) {
    const how = { zstd: "kept by zstd", bytes: "by contexts alone", copy: "a repeat" }[kindOf(unit)] ?? "stored as it is";
    return `${head}<div class="card-figures">${figure((bits / (to - from)).toFixed(2), "bits per byte, the mean of its kind here")}</div>
      <p class="card-place">${place}, ${how}</p>`;
  }
  const each = facts.alternatives, rank = columns.rank[symbol], escaped = columns.escaped[symbol];
  const top = columns.bits[symbol] === 65535;
  const priceAt = (n) => columns.price[n * facts.symbols + symbol] / 2048;
  // Where the symbol is among the alternatives, its price there is more precise.
  const own = columns.model[symbol] / 256;
  const exact = !escaped && rank <= each ? priceAt(rank - 1) : own;
  let rows = "";
  for (let n = 0; n < each; n++) {
    const other = columns.other[n * facts.symbols + symbol];
    if (columns.price[n * facts.symbols + symbol] === 65535) continue;
    const name = other === facts.escape_word ? "<i>escape</i>" : inlineMarkup(word(other));
    const isOwn = !escaped && n === rank - 1 || escaped && other === facts.escape_word;
    rows += row(n + 1, name, priceAt(n), isOwn);
  }
  if (rank > each || escaped && !rows.includes("own")) rows += row(number(rank), tokenMarkup(unit), own, true);
  const cost = columns.bits[symbol] / 256, mixed = segment.kind === "mixed";
  return `${head}<div class="card-figures">${figure((top ? "> " : "") + cost.toFixed(2), "bits")}${
    mixed ? figure(own.toFixed(2), "by the model alone") : ""}${
    figure(probability(exact), mixed ? "the model's probability" : "probability")}${figure(number(rank), `rank among ${number(summary.vocabulary)}`)}</div>
    <p class="card-place">${place} · ${(bits / (to - from)).toFixed(2)} bits/byte${escaped ? " · escaped: no token spells it" : ""}</p>
    ${rows ? `<table class="alts"><tbody>${rows}</tbody></table>` : ""}`;
}

function row(rank, name, bits, own) {
  return `<tr${own ? " class=\"own\"" : ""}><td>${rank}</td><td>${name}</td><td class="share"><i data-share="${
    (100 * 2 ** -bits).toFixed(2)}"></i></td><td>${probability(bits)}</td></tr>`;
}
