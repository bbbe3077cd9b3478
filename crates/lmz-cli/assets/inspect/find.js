// Finding text by its bytes, so that offsets are exact whatever the bytes are; and the costliest tokens.

/** Most matches that are kept. */
const MOST = 100000;
const found = { matches: [], length: 0, at: -1 };
const haystacks = new Map();

/** Each byte as a character of its own; letters of ASCII in lower case unless `exact`. */
function haystack(exact) {
  if (!haystacks.has(exact)) {
    const text = new TextDecoder("windows-1252").decode(raw);
    haystacks.set(exact, exact ? text : lower(text));
  }
  return haystacks.get(exact);
}
const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function search(query, exact) {
  found.matches = [];
  found.at = -1;
  const bytes = new TextEncoder().encode(query);
  found.length = bytes.length;
  if (bytes.length) {
    const where = haystack(exact), text = new TextDecoder("windows-1252").decode(bytes);
    const what = exact ? text : lower(text);
    for (let at = where.indexOf(what); at >= 0 && found.matches.length < MOST; at = where.indexOf(what, at + what.length)) {
      found.matches.push(at);
    }
  }
  for (const chunk of chunks) if (chunk.filled) markHits(chunk);
  tell();
}

function tell() {
  const count = found.matches.length, all = number(count) + (count === MOST ? "+" : "");
  document.getElementById("found").textContent = !found.length ? "" : !count ? "no match" : found.at < 0 ? all : `${number(found.at + 1)} of ${all}`;
}

/** The first match that ends after `offset`. */
function matchFrom(offset) {
  let low = 0, high = found.matches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (found.matches[middle] + found.length <= offset) low = middle + 1; else high = middle;
  }
  return low;
}

/** Outlines the matches in a chunk that is drawn. */
function markHits(chunk) {
  for (const span of chunk.element.querySelectorAll(".hit, .now")) span.classList.remove("hit", "now");
  if (!found.length) return;
  const end = units.start[chunk.last];
  for (let n = matchFrom(units.start[chunk.first]); n < found.matches.length && found.matches[n] < end; n++) {
    const from = Math.max(chunk.first, unitAt(found.matches[n]));
    const to = Math.min(chunk.last - 1, unitAt(found.matches[n] + found.length - 1));
    for (let unit = from; unit <= to; unit++) {
      chunk.element.children[unit - chunk.first].classList.add("hit", ...(n === found.at ? ["now"] : []));
    }
  }
}

function goToMatch(step) {
  const count = found.matches.length;
  if (!count) return;
  if (found.at < 0) {
    // From what is on the screen.
    const top = chunks.find((chunk) => chunk.element.getBoundingClientRect().bottom > 120);
    const first = matchFrom(top && window.scrollY > 0 ? units.start[top.first] : 0);
    found.at = (step > 0 ? first : first - 1 + count) % count;
  } else {
    found.at = (found.at + step + count) % count;
  }
  const unit = unitAt(found.matches[found.at]);
  show(unit);
  for (const chunk of chunks) if (chunk.filled) markHits(chunk);
  tell();
}

const costly = { order: [], at: -1 };
/** How many of the costliest tokens can be stepped through, and how many are listed. */
const STEPS = 1000, LISTED = 60;

function rankCosts() {
  const counts = new Uint32Array(65537);
  for (let n = 0; n < facts.symbols; n++) counts[columns.bits[n]]++;
  let limit = 65535, more = counts[limit];
  while (limit > 0 && more < STEPS) more += counts[--limit];
  for (let unit = 0; unit < units.count; unit++) {
    const symbol = units.symbol[unit];
    if (symbol >= 0 && columns.bits[symbol] >= limit) costly.order.push(unit);
  }
  costly.order.sort((a, b) => units.bits[b] - units.bits[a] || a - b);
  costly.order.length = Math.min(costly.order.length, STEPS);
  const list = document.getElementById("costly-list");
  list.innerHTML = costly.order.slice(0, LISTED).map((unit, n) => {
    const from = units.start[unit], to = units.start[unit + 1];
    return `<li><button type="button" data-n="${n}"><b>${units.bits[unit].toFixed(1)}</b><code>${
      inlineMarkup(raw, whole(from - 9), from)}<span class="b${classOf(units.bits[unit], facts.classes)}">${
      inlineMarkup(raw, from, to)}</span>${inlineMarkup(raw, to, whole(to + 20))}</code></button></li>`;
  }).join("");
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) goToCostly(Number(button.dataset.n));
  });
  document.getElementById("costly").hidden = !costly.order.length;
  document.getElementById("costly-at").textContent = costly.order.length ? `– / ${costly.order.length}` : "none";
}

/** The next offset that is not inside a character. */
function whole(offset) {
  let at = Math.max(0, Math.min(raw.length, offset));
  for (let n = 0; n < 3 && at < raw.length && (raw[at] & 192) === 128; n++) at++;
  return at;
}

function goToCostly(n) {
  const count = costly.order.length;
  if (!count) return;
  costly.at = (n + count) % count;
  document.getElementById("costly-at").textContent = `${costly.at + 1} / ${count}`;
  pin(costly.order[costly.at]);
}
