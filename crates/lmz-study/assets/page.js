// The page: what is selected, and the sections that follow from it.
"use strict";

const report = JSON.parse(document.getElementById("study").textContent);
const { data, answers } = report.study;
const style = styles(data.models);
const byName = new Map(data.models.map((model) => [model.name, model]));
const METRICS = { bits_per_character: "bits per character", bits_per_byte: "bits per byte", bits_per_token: "bits per token", compressed: "bits of the file per byte" };
const metrics = Object.keys(METRICS).filter((metric) => answers.some((a) => a.question.metric === metric));
const POPULATIONS = { fit: "those the paper would take", all: "all" };
const populations = Object.keys(POPULATIONS).filter((one) => answers.some((a) => a.question.population === one));
const state = { metric: metrics[0], statistic: "pearson", target: null, corpora: null, population: "fit" };

const targetKey = (target) => (typeof target === "string" ? target : Object.entries(target)[0].join(":"));
const corpusTitle = (name) => data.corpora.find((c) => c.name === name).title;
const corporaTitle = (names) => (names.length === 1 ? corpusTitle(names[0]) : `mean of ${names.length} corpora`);
function targetTitle(target) {
  if (typeof target === "string") return "Average of all areas";
  const [kind, name] = Object.entries(target)[0];
  return kind === "benchmark" ? data.benchmarks.find((b) => b.name === name).title : `${data.areas.find((a) => a.name === name).title} (average)`;
}
/** The answer over the models that were asked for; where nobody is left out there is one for both. */
function find(metric, target, corpora, population = state.population) {
  const of = (one) => answers.find((a) => a.question.population === one && a.question.metric === metric && targetKey(a.question.target) === target && a.question.corpora.join("+") === corpora);
  return of(population) || of("fit");
}
const targets = [...new Map(answers.map((a) => [targetKey(a.question.target), a.question.target])).entries()];
const columns = [...new Map(answers.map((a) => [a.question.corpora.join("+"), a.question.corpora])).entries()];
const all = data.corpora.map((c) => c.name).join("+");

/** The corpus that a target belongs to. */
function ownCorpus(key) {
  const area = data.areas.find((a) => key === `area:${a.name}` || a.benchmarks.some((b) => key === `benchmark:${b}`));
  return area ? area.corpus : all;
}

/** Points of an answer: those of the fit, and those that are only drawn. */
function points(answer) {
  const warned = new Map(answer.question.leave_out.map((out) => [out.model, out]));
  const point = (part, inside) => {
    const { why, reason } = warned.get(part.model) || { why: null, reason: null };
    return { model: byName.get(part.model), x: part.x, y: part.y, stderr: part.stderr, inside, why, reason };
  };
  const inside = answer.models.map((part) => ({ ...point(part, true), residual: part.residual, studentized: part.studentized, cook: part.cook, without: part.pearson_without }));
  return [...inside, ...answer.drawn.map((part) => ({ ...point(part, false), residual: null, without: null }))];
}

function names(answer) {
  return { x: `${METRICS[answer.question.metric]}, ${corporaTitle(answer.question.corpora)}`, y: targetTitle(answer.question.target) };
}

/** The figures of an answer in a line. */
function summary(answer) {
  const found = answer[state.statistic], line = element("div", { class: "stat" });
  if (found.undefined) {
    line.append(`${STATISTICS[state.statistic]} undefined: ${found.undefined}`);
    return line;
  }
  const interval = answer.resampled && answer.resampled[state.statistic];
  line.append(element("b", {}, `${STATISTICS[state.statistic]} = ${fixed(found.value)}`));
  if (interval && !interval.undefined) line.append(` [${fixed(interval.low)}, ${fixed(interval.high)}]`);
  line.append(`, n\u00a0=\u00a0${found.n}`);
  if (!answer.fit.undefined) line.append(`, RMSE\u00a0${fixed(answer.fit.rmse)}`);
  return line;
}

const select = (label, options, value, change) =>
  element("label", {}, label, element("select", { "data-control": label, onchange: (event) => change(event.target.value) },
    ...options.map(([key, title]) => element("option", { value: key, selected: key === value }, title))));

/** Whether the fits take the models that the paper warns of; nothing where there are none. */
const population = (label) => (populations.length < 2 ? null : select(label, populations.map((one) => [one, POPULATIONS[one]]), state.population, (v) => { state.population = v; draw(); }));

function legend(answers) {
  const shown = answers.flatMap(points), seen = new Set(shown.map((p) => p.model.family));
  const mark = (options) => Plot.plot({ width: 14, height: 14, margin: 0, axis: null, x: { domain: [0, 1] }, y: { domain: [0, 1] }, symbol: { type: "identity" }, marks: [Plot.dot([0], { x: () => 0.5, y: () => 0.5, ...options })] });
  const items = [...style].filter(([family]) => seen.has(family)).map(([family, { color, symbol }]) =>
    element("span", {}, mark({ r: 4.2, fill: color, symbol: () => symbol }), family));
  const soft = { r: 4, stroke: "var(--soft)", fill: "var(--bg)", symbol: () => "circle" };
  const warnings = { instruct: "tuned on instructions", seen: "may have seen a benchmark", study: "left out by the study", chance: "not above chance" };
  const apart = state.population === "fit" ? "not in the fit" : "in the fit";
  const words = (kinds) => `${kinds.filter((why) => shown.some((p) => p.why === why)).map((why) => warnings[why]).join(", ")}: ${apart}`;
  if (shown.some((p) => p.why && p.why !== "chance")) items.push(element("span", { class: "soft" }, mark({ ...soft, strokeWidth: 1.6 }), words(["instruct", "seen", "study"])));
  if (shown.some((p) => p.why === "chance")) items.push(element("span", { class: "soft" }, mark({ ...soft, r: 3.4, strokeWidth: 1.1, strokeDasharray: "1.6,1.4" }), words(["chance"])));
  return element("div", { class: "legend" }, ...items);
}

const wide = (node) => Math.max(240, Math.floor(node.getBoundingClientRect().width));

/** Figure 1: each area against its corpus. */
function mainFigure() {
  const section = document.getElementById("main-figure");
  const shown = [...data.areas.map((a) => find(state.metric, `area:${a.name}`, a.corpus)), find(state.metric, "areas", all)].filter(Boolean);
  const panels = element("div", { class: "panels" });
  section.replaceChildren(
    element("div", { class: "controls" },
      select("Compression", metrics.map((m) => [m, METRICS[m]]), state.metric, (v) => { state.metric = v; draw(); }),
      select("Statistic", Object.entries(STATISTICS), state.statistic, (v) => { state.statistic = v; draw(); }),
      population("Models")),
    legend(shown),
    element("figure", {}, panels,
      element("figcaption", {}, element("b", {}, "Figure 1. "), `Score against compression, each area on its own corpus. Line: least squares; dark band: 95 % for the line; light band: 95 % for the next model. ${shown.some((a) => points(a).some((p) => p.stderr)) ? "Whiskers: a standard error of the score. " : ""}Intervals of the coefficients: percentiles of a bootstrap over models.`)));
  for (const answer of shown) {
    const panel = element("div", { class: "panel" }, element("h3", {}, targetTitle(answer.question.target)), summary(answer));
    panels.append(panel);
    const width = wide(panel);
    let svg = null;
    if (points(answer).length > 0) {
      svg = scatter(points(answer), answer, names(answer), { width, height: Math.round(Math.min(width * 0.78, 380)), style, chance: null });
      panel.append(svg, saveButtons(targetKey(answer.question.target).replace(":", "-"), () => svg));
    } else panel.append(element("p", { class: "soft" }, "No model has both figures."));
  }
}

/** Figure 2: any target against any corpus, its residuals and influence. */
function explore() {
  const section = document.getElementById("explore");
  const answer = find(state.metric, state.target, state.corpora);
  const name = answer.question.target.benchmark;
  const chance = name ? data.benchmarks.find((b) => b.name === name).chance : null;
  const holder = element("figure", {});
  section.replaceChildren(
    element("h2", {}, "One benchmark, one corpus"),
    element("div", { class: "controls" },
      select("Scores", targets.map(([key, target]) => [key, targetTitle(target)]), state.target, (v) => { state.target = v; state.corpora = ownCorpus(v); explore(); }),
      select("Corpus", columns.map(([key, corpora]) => [key, corporaTitle(corpora)]), state.corpora, (v) => { state.corpora = v; explore(); }),
      select("Measure", metrics.map((m) => [m, METRICS[m]]), state.metric, (v) => { state.metric = v; draw(); }),
      select("Coefficient", Object.entries(STATISTICS), state.statistic, (v) => { state.statistic = v; draw(); }),
      population("Fit over")),
    holder);
  const width = wide(holder), all = points(answer);
  holder.append(summary(answer));
  if (all.length === 0) return holder.append(element("p", { class: "soft" }, "No model has both figures."));
  const main = scatter(all, answer, names(answer), { width, height: Math.round(Math.min(width * (width < 560 ? 0.9 : 0.62), 520)), style, chance });
  holder.append(main, saveButtons("scatter", () => main), details(answer));
  if (answer.fit.undefined || answer.pearson.undefined) return;
  const two = element("div", { class: "two" }, element("div", {}, element("h3", {}, "Residuals")), element("div", {}, element("h3", {}, "Influence")));
  holder.append(two, element("figcaption", {}, element("b", {}, "Figure 2. "), "The selected scores against the selected corpus. Left: what the line leaves of each score; shaded: one RMSE. Right: Pearson’s ρ without each model (dots) and each whole family (diamonds); the line is ρ of all."));
  const [left, right] = two.children;
  const residual = residualChart(all, answer, { width: wide(left), style }), influence = influenceChart(all, answer, { width: wide(right), style });
  left.append(residual, saveButtons("residuals", () => residual));
  right.append(influence, saveButtons("influence", () => influence));
}

/** All coefficients of an answer. */
function details(answer) {
  const rows = Object.entries(STATISTICS).map(([key, title]) => ({ title, found: answer[key], interval: answer.resampled && answer.resampled[key] }));
  const text = (row) => row.found.undefined ? row.found.undefined : null;
  const table = sortable([
    { name: "", of: (r) => r.title, words: true },
    { name: "value", of: (r) => (text(r) ? null : r.found.value), show: (v, r) => text(r) || fixed(v) },
    { name: "95 % interval", of: (r) => (r.interval && !r.interval.undefined ? r.interval.low : null), show: (v, r) => (v === null ? (r.interval && r.interval.undefined) || "–" : `${fixed(v)} to ${fixed(r.interval.high)}`) },
    { name: "p", of: (r) => (text(r) ? null : r.found.p), show: (v) => (v === null ? "–" : small(v).replace("= ", "")) },
  ], rows);
  const facts = [];
  if (!answer.fit.undefined) facts.push(`Line: score = ${fixed(answer.fit.intercept)} ${answer.fit.slope < 0 ? "−" : "+"} ${fixed(Math.abs(answer.fit.slope))} × compression; R² ${fixed(answer.fit.r2)}, RMSE ${fixed(answer.fit.rmse)}.`);
  if (!answer.partial.undefined) facts.push(`With the logarithm of the parameter count held fixed: ρ = ${fixed(answer.partial.value)} (p ${small(answer.partial.p)}, n = ${answer.partial.n}).`);
  else facts.push(`With the parameter count held fixed: undefined, ${answer.partial.undefined}.`);
  const permutation = answer.resampled && answer.resampled.permutation;
  if (permutation && !permutation.undefined) facts.push(`Permutation p ${small(permutation.p)} (${permutation.exact ? "all" : "random"} ${permutation.permutations.toLocaleString("en")} orders).`);
  if (answer.missing.length) facts.push(`Without both figures: ${answer.missing.length} models.`);
  return element("div", {}, table, element("p", { class: "stat" }, facts.join(" ")));
}

/** Figure 3: the matrix. */
function matrix() {
  const section = document.getElementById("matrix");
  const holder = element("figure", {});
  section.replaceChildren(element("h2", {}, "Every benchmark against every corpus"), holder);
  const titles = new Map(targets.map(([key, target]) => [key, targetTitle(target)]));
  const cells = [];
  for (const [key] of targets) {
    for (const [column, corpora] of columns) {
      const answer = find(state.metric, key, column);
      if (!answer) continue;
      const found = answer[state.statistic];
      cells.push({ x: corporaTitle(corpora), y: titles.get(key), value: found.undefined ? null : found.value, why: found.undefined, n: answer.n, own: ownCorpus(key) === column });
    }
  }
  const svg = heatMap(cells, { width: Math.min(wide(holder), 760), rows: [...titles.values()], columns: columns.map(([, c]) => corporaTitle(c)), statistic: state.statistic });
  holder.append(svg, saveButtons("matrix", () => svg),
    element("figcaption", {}, element("b", {}, "Figure 3. "), `${STATISTICS[state.statistic]} of scores and ${METRICS[state.metric]}. Framed: the corpus that belongs to the area. Purple: better compression goes with better scores.`));
}

/** Figure 4: what the bits come to when they are written. */
function sizes() {
  const section = document.getElementById("sizes");
  section.replaceChildren();
  const rows = data.corpora.map((corpus, c) => data.models.flatMap((model, m) => {
    const cell = data.compression[m][c];
    if (!cell || !cell.compressed_bytes || !cell.bytes || !cell.bits_per_byte) return [];
    return [{ model, x: cell.bits_per_byte, y: (8 * cell.compressed_bytes) / cell.bytes, file: cell.compressed_bytes, text: cell.bytes }];
  }));
  if (!rows.some((corpus) => corpus.length)) return;
  const panels = element("div", { class: "panels three" });
  section.append(element("h2", {}, "Bits that are counted, bytes that are written"),
    element("figure", {}, panels, element("figcaption", {}, element("b", {}, "Figure 4. "), "Bits per byte as the models pay them in floating point, against the real .lmz files of the very same texts, made by the same weights in whole numbers. On the dashed line a file has just the bits that were counted. Far below it the model was worse than zstd, which lmz then took; a little below it, the model's own blocks are shorter than the windows.")));
  data.corpora.forEach((corpus, c) => {
    if (!rows[c].length) return;
    const panel = element("div", { class: "panel" }, element("h3", {}, `${corpus.title}, ${rows[c][0].text.toLocaleString("en")} bytes`));
    panels.append(panel);
    const width = wide(panel), svg = bytesChart(rows[c], { width, height: Math.round(Math.min(width * 0.9, 330)), style });
    panel.append(svg, saveButtons(`bytes-${corpus.name}`, () => svg));
  });
  const at = (c, m) => rows[c].find((row) => row.model === data.models[m]);
  const columns = data.corpora.flatMap((corpus, c) => (rows[c].length === 0 ? [] : [
    { name: `${corpus.title}: bits/char.`, of: (m) => data.compression[m][c] && data.compression[m][c].bits_per_character, show: (v) => fixed(v) },
    { name: "bits/byte", of: (m) => at(c, m) && at(c, m).x, show: (v) => fixed(v) },
    { name: "file, bytes", of: (m) => at(c, m) && at(c, m).file, show: (v) => (v ? v.toLocaleString("en") : "–") },
    { name: "its bits/byte", of: (m) => at(c, m) && at(c, m).y, show: (v) => fixed(v) },
  ]));
  section.append(sortable([{ name: "model", of: (m) => data.models[m].title, words: true }, ...columns], data.models.map((_, m) => m)));
}

/** The paper's figures beside ours, corpus size, exclusion: what the report has of them. */
function further() {
  const section = document.getElementById("further");
  section.replaceChildren();
  if (report.published) {
    const { figures, reproduced, differing, unavailable, rho_tolerance, rmse_tolerance } = report.published;
    const got = (f, key) => (f.ours.result === "computed" ? f.ours[key] : null);
    const signed = (v) => (v === null ? "–" : (v >= 0 ? "+" : "") + fixed(v, 4));
    section.append(element("h2", {}, "What the paper reports, recomputed"),
      element("p", {}, `${reproduced} figures agree within ${rho_tolerance} in ρ and ${rmse_tolerance} in RMSE; ${differing} differ; ${unavailable} need scores or compression that the paper draws but does not print. ρ and RMSE are the paper’s.`),
      sortable([
        { name: "area", of: (f) => f.area, words: true },
        { name: "scores", of: (f) => f.name, words: true },
        { name: "source", of: (f) => f.source, words: true },
        { name: "n", of: (f) => got(f, "n") },
        { name: "ρ", of: (f) => f.rho, show: (v) => fixed(v) },
        { name: "ours", of: (f) => got(f, "rho"), show: (v) => fixed(v, 4) },
        { name: "Δρ", of: (f) => got(f, "rho_difference"), show: signed },
        { name: "RMSE", of: (f) => f.rmse, show: (v) => fixed(v) },
        { name: "ours", of: (f) => got(f, "rmse"), show: (v) => fixed(v, 4) },
        { name: "ΔRMSE", of: (f) => got(f, "rmse_difference"), show: signed },
        { name: "", of: (f) => (f.ours.result !== "computed" ? "not printed" : f.ours.reproduced ? "agrees" : "differs"), words: true, show: (v) => (v === "differs" ? element("span", { class: "bad" }, v) : v) },
      ], figures));
  }
  for (const size of report.sizes || []) {
    const figure = element("figure", {});
    section.append(element("h2", {}, `Correlation and the size of the corpus: ${corpusTitle(size.corpus)}`), figure);
    const svg = sizeChart(size.points, { width: Math.min(wide(figure), 720), height: 300 });
    figure.append(svg, saveButtons(`size-${size.corpus}`, () => svg),
      element("figcaption", {}, `Pearson’s ρ with ${size.target} over random samples of documents; shaded: 5th to 95th percentile.`));
  }
  if ((report.spread || []).length) {
    section.append(element("h2", {}, "Spread between samples of a corpus"), sortable([
      { name: "model", of: (r) => byName.get(r.model).title, words: true },
      { name: "corpus", of: (r) => corpusTitle(r.corpus), words: true },
      { name: "mean bits per character", of: (r) => r.mean, show: (v) => fixed(v, 4) },
      { name: "standard deviation", of: (r) => r.deviation, show: (v) => fixed(v, 4) },
    ], report.spread));
  }
  if ((report.exclusions || []).length) {
    section.append(element("h2", {}, "Models that may have seen a benchmark"), element("p", {}, `Rule: ${report.exclusion_rule}.`), sortable([
      { name: "model", of: (r) => byName.get(r.model).title, words: true },
      { name: "benchmark", of: (r) => r.benchmark, words: true },
      { name: "split", of: (r) => r.split, words: true },
      { name: "MIN-K% score", of: (r) => r.score, show: (v) => fixed(v) },
      { name: "limit", of: (r) => r.limit, show: (v) => fixed(v) },
      { name: "", of: (r) => (r.excluded ? "left out" : "kept"), words: true },
    ], report.exclusions));
  }
}

/** The figures themselves. */
function tables() {
  const section = document.getElementById("tables");
  const measured = data.corpora.map((corpus, c) => ({
    name: corpus.title, of: (m) => measure(data.compression[m][c]), show: (v) => fixed(v),
  }));
  const scored = data.benchmarks.map((benchmark, b) => ({
    name: benchmark.title, of: (m) => (data.scores[m][b] ? data.scores[m][b].value * 100 : null), show: (v) => fixed(v, 1),
  }));
  const measure = (cell) => {
    if (!cell) return null;
    return state.metric === "compressed" ? (cell.compressed_bytes && cell.bytes ? (8 * cell.compressed_bytes) / cell.bytes : null) : cell[state.metric];
  };
  const rows = data.models.map((_, m) => m);
  const shown = targets.flatMap(([key]) => columns.map(([corpora]) => find(state.metric, key, corpora))).filter(Boolean);
  section.replaceChildren(
    element("h2", {}, "Models"),
    element("p", { class: "soft" }, `Compression in ${METRICS[state.metric]}, scores in percent. A click on a heading sorts.`),
    sortable([
      { name: "model", of: (m) => data.models[m].title, words: true },
      { name: "family", of: (m) => data.models[m].family, words: true },
      { name: "parameters", of: (m) => data.models[m].parameters, show: (v) => (v ? count(v) : "–") },
      ...(data.models.some((m) => m.kind !== "general") ? [{ name: "kind", of: (m) => data.models[m].kind, words: true }] : []),
      ...measured, ...scored], rows),
    element("h2", {}, "Correlations"),
    sortable([
      { name: "scores", of: (a) => targetTitle(a.question.target), words: true },
      { name: "corpus", of: (a) => corporaTitle(a.question.corpora), words: true },
      { name: "n", of: (a) => a.n },
      ...Object.entries(STATISTICS).map(([key, title]) => ({ name: title, of: (a) => (a[key].undefined ? null : a[key].value), show: (v) => fixed(v) })),
      { name: "p (Pearson)", of: (a) => (a.pearson.undefined ? null : a.pearson.p), show: (v) => (v === null ? "–" : v.toExponential(1)) },
      { name: "partial ρ", of: (a) => (a.partial.undefined ? null : a.partial.value), show: (v) => fixed(v) },
      { name: "slope", of: (a) => (a.fit.undefined ? null : a.fit.slope), show: (v) => fixed(v, 2) },
      { name: "RMSE", of: (a) => (a.fit.undefined ? null : a.fit.rmse), show: (v) => fixed(v) },
      { name: "R²", of: (a) => (a.fit.undefined ? null : a.fit.r2), show: (v) => fixed(v) },
    ], shown));
}

function methods() {
  const list = element("dl");
  for (const { name, value } of [...data.methods, ...report.statistics]) list.append(element("dt", {}, name), element("dd", {}, value));
  document.getElementById("methods").replaceChildren(element("h2", {}, "Methods"), list,
    ...(data.notes.length ? [element("h3", {}, "Notes"), element("ul", {}, ...data.notes.map((note) => element("li", {}, note)))] : []),
    element("p", {}, element("button", { type: "button", onclick: () => save("study.json", "application/json", JSON.stringify(report, null, 1)) }, "All figures as JSON")));
  document.getElementById("footer").replaceChildren(`lmz ${report.version}. `, element("details", {}, element("summary", {}, "Charts: Observable Plot 0.6.17 and D3, © Observable, Inc. and Mike Bostock, ISC licence"), element("pre", {}, report.licence)));
}

function headline() {
  const key = (target) => (find(metrics[0], target, ownCorpus(target)) ? target : null);
  const target = key("areas") || (data.areas[0] && key(`area:${data.areas[0].name}`));
  const text = [`${data.models.length} models, ${data.benchmarks.length} benchmarks, ${data.corpora.length} corpora.`];
  if (target) {
    const fit = find(metrics[0], target, ownCorpus(target), "fit"), all = find(metrics[0], target, ownCorpus(target), "all");
    const told = (answer) => {
      const { value, n, undefined: why } = answer.pearson;
      if (why) return { n: answer.n, why };
      const interval = answer.resampled.pearson;
      return { n, text: `Pearson’s ρ = ${fixed(value)}${interval.undefined ? "" : ` (95 % interval ${fixed(interval.low)} to ${fixed(interval.high)})`}, and a line leaves a root mean square error of ${fixed(answer.fit.rmse)}` };
    };
    const what = `${targetTitle(fit.question.target).toLowerCase()} against ${METRICS[metrics[0]]}`, one = told(fit);
    const say = (answer, who) => (answer.why ? `${who}, ${what}: too few or too even figures for a correlation (${answer.n} of the models have both).` : `${who}, ${what}: ${answer.text}.`);
    text.push(say(one, fit === all ? `Over the ${one.n} models with all figures` : "Over the models that the paper would take"));
    if (fit !== all) text.push(say(told(all), `Over all ${told(all).n}, those among them that are tuned on instructions, may have seen a benchmark or score no better than chance`));
  }
  document.getElementById("headline").textContent = text.join(" ");
  document.getElementById("citation").textContent = data.citation || "";
}

function draw() { mainFigure(); explore(); matrix(); sizes(); further(); tables(); }

/** Light, dark, or what the system says. */
function theme() {
  const button = document.getElementById("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "auto";
  const apply = () => {
    document.documentElement.dataset.theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
    button.textContent = `Theme: ${chosen}`;
  };
  button.addEventListener("click", () => { chosen = { auto: "light", light: "dark", dark: "auto" }[chosen]; apply(); });
  system.addEventListener("change", apply);
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; });
  addEventListener("afterprint", apply);
  apply();
}

state.target = data.areas.length ? `area:${data.areas[0].name}` : targets.length ? targets[0][0] : null;
state.corpora = state.target ? ownCorpus(state.target) : null;
// Where too few models are above chance for any line, all of them are shown.
const lines = data.areas.map((a) => find(metrics[0], `area:${a.name}`, a.corpus)).filter((a) => a && !a.pearson.undefined);
if (lines.length === 0 && populations.includes("all")) state.population = "all";
theme();
headline();
methods();
if (answers.length) {
  draw();
  let width = innerWidth, timer = null;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(draw, 150);
  });
} else document.getElementById("main-figure").append(element("p", {}, "There is nothing to compare yet."));
document.documentElement.dataset.ready = "true";
