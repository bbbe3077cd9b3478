// The charts, drawn with Observable Plot. Each function returns an SVG element.
"use strict";

const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "cross", "wye", "hexagon"];
const FONT = { fontSize: "11px" };
const STATISTICS = { pearson: "Pearson’s ρ", spearman: "Spearman’s ρ", kendall: "Kendall’s τ" };

/** A minus sign, and no trailing noise. */
const fixed = (value, digits = 3) =>
  value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits).replace("-", "−");

const small = (p) => (p < 0.0001 ? "< 0.0001" : `= ${p.toFixed(4)}`);

/** 135M, 7.24B. */
const count = (v) => (v >= 1e9 ? `${(v / 1e9).toPrecision(3)}B` : v >= 1e6 ? `${(v / 1e6).toPrecision(3)}M` : `${Math.round(v / 1e3)}K`);

/** Colours and shapes of families, in order of their size. */
function styles(models) {
  const counts = new Map();
  for (const model of models) counts.set(model.family, (counts.get(model.family) || 0) + 1);
  const families = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || a.localeCompare(b));
  // Beyond eight families colours come again, with another shape.
  return new Map(
    families.map((family, i) => [
      family,
      { color: `var(--f${i % 8})`, symbol: SYMBOLS[(i + Math.floor(i / 8)) % 8] },
    ])
  );
}

/** What is seen when the pointer is on a model. */
function describe(point, answer, names) {
  const lines = [point.model.title];
  const facts = [point.model.family];
  if (point.model.parameters) facts.push(`${count(point.model.parameters)} parameters`);
  if (point.model.kind !== "general") facts.push(point.model.kind);
  lines.push(facts.join(", "), `${names.x}: ${fixed(point.x)}`, `${names.y}: ${fixed(point.y * 100, 1)} %${point.stderr ? ` ± ${fixed(point.stderr * 100, 1)}` : ""}`);
  if (point.inside && point.residual !== null) {
    lines.push(`residual: ${fixed(point.residual * 100, 1)} points (${fixed(point.studentized, 2)} s.e.)`);
    lines.push(`Cook’s distance: ${fixed(point.cook, 3)}`);
    lines.push(`ρ without it: ${fixed(point.without)}`);
  }
  if (point.reason) lines.push(`${point.inside ? "in the fit, although" : "not in the fit"}: ${point.reason}`);
  return lines.join("\n");
}

/** The line with its bands over a range. */
function bands(fit, [low, high]) {
  const steps = 60;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const x = low + ((high - low) * i) / steps;
    const y = fit.intercept + fit.slope * x;
    const distance = 1 / fit.n + (x - fit.mean_x) ** 2 / fit.sxx;
    const line = fit.t * fit.sigma * Math.sqrt(distance);
    const prediction = fit.t * fit.sigma * Math.sqrt(1 + distance);
    return { x, y, line, prediction };
  });
}

/** Score against compression. */
function scatter(points, answer, names, { width, height, style, chance, labels = true }) {
  const pad = ([low, high], by) => [low - (high - low) * by || low - 1, high + (high - low) * by || high + 1];
  const extent = (values) => [Math.min(...values), Math.max(...values)];
  const xs = pad(extent(points.map((p) => p.x)), 0.08);
  const ys = pad(extent(points.flatMap((p) => [p.y - (p.stderr || 0), p.y + (p.stderr || 0)])), 0.07);
  const clipped = (value) => Math.min(Math.max(value, ys[0]), ys[1]);
  const fit = answer.fit.undefined ? null : answer.fit;
  const curve = fit ? bands(fit, xs) : [];
  const whole = points.filter((p) => !p.why);
  const hollow = points.filter((p) => p.why && p.why !== "chance");
  const faint = points.filter((p) => p.why === "chance");
  const look = { x: "x", y: "y", symbol: (p) => style.get(p.model.family).symbol };
  const colour = (p) => style.get(p.model.family).color;
  const marks = [
    Plot.areaY(curve, { x: "x", y1: (d) => clipped(d.y - d.prediction), y2: (d) => clipped(d.y + d.prediction), fill: "var(--band)", fillOpacity: 0.1 }),
    Plot.areaY(curve, { x: "x", y1: (d) => clipped(d.y - d.line), y2: (d) => clipped(d.y + d.line), fill: "var(--band)", fillOpacity: 0.22 }),
    Plot.line(curve.filter((d) => d.y >= ys[0] && d.y <= ys[1]), { x: "x", y: "y", stroke: "var(--fg)", strokeWidth: 1.3 }),
    chance > ys[0] ? Plot.ruleY([chance], { stroke: "var(--soft)", strokeDasharray: "2,3" }) : null,
    Plot.ruleX(points.filter((p) => p.stderr), { x: "x", y1: (p) => p.y - p.stderr, y2: (p) => p.y + p.stderr, stroke: colour, strokeOpacity: 0.4 }),
    Plot.dot(faint, { ...look, stroke: colour, fill: "var(--bg)", r: 3.4, strokeWidth: 1.1, strokeDasharray: "1.6,1.4" }),
    Plot.dot(hollow, { ...look, stroke: colour, fill: "var(--bg)", r: 4, strokeWidth: 1.6 }),
    Plot.dot(whole, { ...look, fill: colour, r: 4.2, stroke: "var(--bg)", strokeWidth: 0.7 }),
    Plot.tip(points, Plot.pointer({ x: "x", y: "y", title: (p) => describe(p, answer, names), fill: "var(--bg)", stroke: "var(--soft)", lineHeight: 1.25, fontSize: 11 })),
  ];
  const svg = Plot.plot({
    width, height, marginLeft: 42, marginBottom: 38, marginTop: 22, marginRight: 12, style: FONT,
    x: { domain: xs, label: `${names.x} →`, ticks: 6, labelAnchor: "right", grid: false },
    y: { domain: ys, label: `↑ ${names.y} (%)`, ticks: 6, grid: true, tickFormat: (v) => `${Math.round(v * 100)}` },
    color: { type: "identity" }, symbol: { type: "identity" }, marks: marks.filter(Boolean),
  });
  if (labels) place(svg, points, style, { width, height });
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${names.y} against ${names.x}, ${points.length} models`);
  return svg;
}

/** Names beside points, where they cover neither each other nor a point; a name without a place is left to the pointer. */
function place(svg, points, style, { width, height }) {
  const sx = svg.scale("x"), sy = svg.scale("y"), size = 9.5;
  const at = points.map((p) => [sx.apply(p.x), sy.apply(p.y)]);
  const taken = at.map(([x, y]) => [x - 4.5, y - 4.5, x + 4.5, y + 4.5]);
  const overlap = (a, b) => Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const layer = document.createElementNS("http://www.w3.org/2000/svg", "g");
  layer.setAttribute("class", "labels");
  layer.setAttribute("font-size", size);
  layer.setAttribute("pointer-events", "none");
  const order = points.map((_, i) => i).sort((a, b) => at[a][1] - at[b][1]);
  for (const i of order) {
    const [x, y] = at[i], name = points[i].model.title, w = name.length * size * 0.58, h = size;
    let best = null;
    for (const ring of [7, 12, 19, 28]) {
      for (const [dx, dy, anchor] of [[1, 0, "start"], [-1, 0, "end"], [0.8, -0.8, "start"], [-0.8, -0.8, "end"], [0.8, 0.8, "start"], [-0.8, 0.8, "end"], [0, -1.1, "middle"], [0, 1.1, "middle"]]) {
        const tx = x + dx * ring, ty = y + dy * ring;
        const left = anchor === "start" ? tx : anchor === "end" ? tx - w : tx - w / 2;
        const box = [left, ty - h / 2, left + w, ty + h / 2];
        if (box[0] < 42 || box[2] > width - 4 || box[1] < 16 || box[3] > height - 38) continue;
        if (taken.every((other) => overlap(box, other) < 1)) { best = { tx, ty, anchor, box, ring }; break; }
      }
      if (best) break;
    }
    if (!best) continue;
    taken.push(best.box);
    if (best.ring > 12) {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [key, value] of Object.entries({ x1: x, y1: y, x2: best.tx, y2: best.ty, stroke: "var(--soft)", "stroke-width": 0.5 })) line.setAttribute(key, value);
      layer.append(line);
    }
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    for (const [key, value] of Object.entries({ x: best.tx, y: best.ty, dy: "0.34em", "text-anchor": best.anchor, fill: style.get(points[i].model.family).color, stroke: "var(--bg)", "stroke-width": 2.5, "paint-order": "stroke" })) text.setAttribute(key, value);
    text.textContent = name;
    layer.append(text);
  }
  const tip = svg.querySelector("[aria-label=tip]");
  svg.insertBefore(layer, tip);
}

/** What the line leaves of each model's score. */
function residualChart(points, answer, { width, style }) {
  const rows = points.filter((p) => p.inside && p.residual !== null).sort((a, b) => b.residual - a.residual);
  const titles = rows.map((p) => p.model.title);
  return Plot.plot({
    width, height: 50 + rows.length * 15, marginLeft: 118, marginTop: 18, marginBottom: 34, style: FONT,
    x: { label: "score less the line, percentage points →", labelAnchor: "right", grid: true, tickFormat: (v) => fixed(v, 0) },
    y: { domain: titles, label: null, tickSize: 0 },
    marks: [
      Plot.rect([0], { x1: -answer.fit.rmse * 100, x2: answer.fit.rmse * 100, fill: "var(--band)", fillOpacity: 0.15 }),
      Plot.barX(rows, { x: (p) => p.residual * 100, y: (p) => p.model.title, fill: (p) => style.get(p.model.family).color, insetTop: 1.5, insetBottom: 1.5 }),
      Plot.ruleX([0], { stroke: "var(--fg)" }),
      Plot.tip(rows, Plot.pointer({ x: (p) => p.residual * 100, y: (p) => p.model.title, title: (p) => `${p.model.title}: ${fixed(p.residual * 100, 1)} points\n${fixed(p.studentized, 2)} standard errors`, fill: "var(--bg)", stroke: "var(--soft)" })),
    ],
    color: { type: "identity" },
  });
}

/** Pearson's rho without each model and each family. */
function influenceChart(points, answer, { width, style }) {
  const models = points.filter((p) => p.inside && p.without !== null)
    .map((p) => ({ name: p.model.title, value: p.without, color: style.get(p.model.family).color, family: false }));
  const families = answer.families.filter((f) => typeof f.pearson === "number" && f.models > 1)
    .map((f) => ({ name: `all ${f.models} of ${f.name}`, value: f.pearson, color: style.get(f.name).color, family: true }));
  const away = (row) => Math.abs(row.value - answer.pearson.value);
  models.sort((a, b) => away(b) - away(a));
  families.sort((a, b) => away(b) - away(a));
  const rows = [...families, ...models];
  return Plot.plot({
    width, height: 50 + rows.length * 15, marginLeft: 118, marginTop: 18, marginBottom: 34, style: FONT,
    x: { label: "Pearson’s ρ without it →", labelAnchor: "right", grid: true, tickFormat: (v) => fixed(v, Math.abs(v * 100 - Math.round(v * 100)) > 1e-6 ? 3 : 2), ticks: 5 },
    y: { domain: rows.map((r) => r.name), label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([answer.pearson.value], { stroke: "var(--fg)" }),
      Plot.link(rows, { x1: answer.pearson.value, x2: "value", y1: "name", y2: "name", stroke: "color", strokeWidth: 1.5 }),
      Plot.dot(rows, { x: "value", y: "name", fill: "color", r: (r) => (r.family ? 5 : 3.5), symbol: (r) => (r.family ? "diamond" : "circle") }),
      Plot.tip(rows, Plot.pointer({ x: "value", y: "name", title: (r) => `without ${r.name}: ${fixed(r.value)}`, fill: "var(--bg)", stroke: "var(--soft)" })),
    ],
    color: { type: "identity" }, symbol: { type: "identity" }, r: { type: "identity" },
  });
}

/** The correlation of every target with every corpus. */
function heatMap(cells, { width, rows, columns, statistic }) {
  const dark = (d) => d.value !== null && Math.abs(d.value) > 0.5;
  const left = width < 560 ? Math.round(width * 0.4) : 235;
  return Plot.plot({
    width, height: 64 + rows.length * (width < 560 ? 30 : 25), marginLeft: left, marginTop: width < 560 ? 58 : 44, marginBottom: 6, style: FONT, padding: 0.04,
    x: { domain: columns, axis: null },
    y: { domain: rows, axis: null },
    color: { type: "linear", domain: [-1, 1], scheme: "PuOr", legend: false, unknown: "transparent" },
    marks: [
      Plot.axisX({ anchor: "top", label: null, tickSize: 0, fontSize: width < 560 ? 9 : 11, lineWidth: (width - left) / columns.length / 11 }),
      Plot.axisY({ label: null, tickSize: 0, lineWidth: (left - 14) / 11 }),
      Plot.cell(cells, { x: "x", y: "y", fill: "value", stroke: (d) => (d.own ? "var(--fg)" : "none"), strokeWidth: 1.5, inset: 0.5 }),
      Plot.text(cells, { x: "x", y: "y", text: (d) => fixed(d.value, 2), fill: (d) => (d.value === null ? "var(--soft)" : dark(d) ? "#ffffff" : "#1c1d1f") }),
      Plot.tip(cells, Plot.pointer({ x: "x", y: "y", title: (d) => `${d.y}\nagainst ${d.x}\n${STATISTICS[statistic]}: ${fixed(d.value)}${d.why ? `\n${d.why}` : ""}\n${d.n} models`, fill: "var(--bg)", stroke: "var(--soft)" })),
    ],
  });
}

/** Bits of the written file against the bits that the model pays, both for a byte of the same text. */
function bytesChart(rows, { width, height, style }) {
  const values = rows.flatMap((r) => [r.x, r.y]);
  const low = Math.min(...values), high = Math.max(...values), margin = (high - low) * 0.08 || 0.1;
  const domain = [Math.max(0, low - margin), high + margin];
  return Plot.plot({
    width, height, marginLeft: 38, marginBottom: 36, marginTop: 18, marginRight: 10, style: FONT,
    x: { domain, label: "bits per byte, counted →", labelAnchor: "right", ticks: 5 },
    y: { domain, label: "↑ bits per byte, written", ticks: 5, grid: true },
    color: { type: "identity" }, symbol: { type: "identity" },
    marks: [
      Plot.line([[domain[0], domain[0]], [domain[1], domain[1]]], { stroke: "var(--soft)", strokeDasharray: "3,3" }),
      Plot.dot(rows, { x: "x", y: "y", fill: (r) => style.get(r.model.family).color, symbol: (r) => style.get(r.model.family).symbol, r: 3.8, stroke: "var(--bg)", strokeWidth: 0.7 }),
      Plot.tip(rows, Plot.pointer({ x: "x", y: "y", title: (r) => `${r.model.title}\ncounted: ${fixed(r.x)} bits per byte\nwritten: ${fixed(r.y)} (${r.file.toLocaleString("en")} of ${r.text.toLocaleString("en")} bytes)`, fill: "var(--bg)", stroke: "var(--soft)" })),
    ],
  });
}

/** The correlation by the size of the corpus. */
function sizeChart(points, { width, height }) {
  return Plot.plot({
    width, height, marginLeft: 48, marginBottom: 38, style: FONT,
    x: { type: "log", label: "characters of the sample →", tickFormat: "~s" },
    y: { label: "↑ Pearson’s ρ", grid: true, tickFormat: (v) => fixed(v, 2) },
    marks: [
      Plot.areaY(points, { x: "drawn", y1: "low", y2: "high", fill: "var(--f0)", fillOpacity: 0.18 }),
      Plot.line(points, { x: "drawn", y: "mean", stroke: "var(--f0)", strokeWidth: 1.6 }),
      Plot.dot(points, { x: "drawn", y: "mean", fill: "var(--f0)", r: 3 }),
      Plot.tip(points, Plot.pointer({ x: "drawn", y: "mean", title: (d) => `${Math.round(d.drawn).toLocaleString("en")} characters, ${d.samples} samples\nρ ${fixed(d.mean)} (5 to 95 %: ${fixed(d.low)} to ${fixed(d.high)})\nσ of BPC: ${fixed(d.deviation, 4)}`, fill: "var(--bg)", stroke: "var(--soft)" })),
    ],
  });
}
