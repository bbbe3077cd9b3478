"use strict";
// The columns of the page's data as typed arrays, and the text as units: a unit is a symbol that the
// model coded, or some bytes of a segment that it did not code.

const facts = JSON.parse(document.getElementById("facts").textContent);
const summary = facts.summary;
/** What the other parts read; filled by `load`. */
const units = { count: 0, start: null, bits: null, symbol: null, segment: null };
const columns = {};
let raw = new Uint8Array(0);

/** Longest unit of a segment that the model did not code, in bytes. */
const PLAIN = 64;

async function load() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser cannot unpack the page's data; any from 2023 on can");
  }
  const base64 = atob(document.getElementById("data").textContent);
  const packed = new Uint8Array(base64.length);
  for (let i = 0; i < base64.length; i++) packed[i] = base64.charCodeAt(i);
  document.getElementById("data").remove();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  for (const [name, size] of facts.columns) {
    columns[name] = whole.slice(at, at + size);
    at += size;
  }
  raw = columns.raw;
  columns.bits = new Uint16Array(columns.bits.buffer);
  columns.price = new Uint16Array(columns.price.buffer);
  columns.other = new Uint32Array(columns.other.buffer);
  columns.length = varints(columns.length, facts.symbols);
  columns.rank = varints(columns.rank, facts.symbols);
  const escapes = varints(columns.escape, summary.escapes);
  columns.escaped = new Uint8Array(facts.symbols);
  let last = 0;
  for (const step of escapes) columns.escaped[last += step] = 1;
  let words = 0;
  for (const byte of columns.word) words += byte < 128;
  const lengths = varints(columns.word, words);
  columns.wordAt = new Uint32Array(words + 1);
  for (let i = 0; i < words; i++) columns.wordAt[i + 1] = columns.wordAt[i] + lengths[i];
  cut();
}

function varints(bytes, count) {
  const out = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = 0, shift = 0, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      shift += 7;
    } while (byte >= 128);
    out[i] = value;
  }
  return out;
}

/** Fills `units`. */
function cut() {
  const room = facts.symbols + summary.segments.reduce(
    (sum, s) => sum + (s.kind === "model" ? 0 : plainUnits(s)), 0);
  Object.assign(units, {
    start: new Uint32Array(room + 1), bits: new Float32Array(room),
    symbol: new Int32Array(room).fill(-1), segment: new Uint32Array(room),
  });
  let unit = 0, symbol = 0;
  summary.segments.forEach((segment, number) => {
    let at = segment.raw_offset;
    const end = at + segment.raw_len;
    if (segment.kind === "model") {
      for (let n = segment.tokens + segment.escapes; n > 0; n--) {
        units.start[unit] = at;
        units.bits[unit] = columns.bits[symbol] / 256;
        units.symbol[unit] = symbol;
        units.segment[unit++] = number;
        at += columns.length[symbol++];
      }
      return;
    }
    const each = segment.coded_len * 8 / segment.raw_len;
    while (at < end) {
      const next = plainEnd(at, end);
      units.start[unit] = at;
      units.bits[unit] = each * (next - at);
      units.segment[unit++] = number;
      at = next;
    }
  });
  units.count = unit;
  units.start[unit] = raw.length;
}

function plainEnd(at, end) {
  const limit = Math.min(at + PLAIN, end);
  for (let i = at; i < limit; i++) if (raw[i] === 10) return i + 1;
  // Not inside a character, if there are characters.
  let cutAt = limit;
  while (cutAt > limit - 3 && cutAt > at + 1 && cutAt < end && (raw[cutAt] & 192) === 128) cutAt--;
  return cutAt;
}

function plainUnits(segment) {
  let count = 0;
  const end = segment.raw_offset + segment.raw_len;
  for (let at = segment.raw_offset; at < end; at = plainEnd(at, end)) count++;
  return count;
}

/** The unit that holds the byte at `offset`. */
function unitAt(offset) {
  let low = 0, high = units.count;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (units.start[middle] <= offset) low = middle; else high = middle;
  }
  return low;
}

const bytesOf = (unit) => units.start[unit + 1] - units.start[unit];
const word = (number) => columns.words.subarray(columns.wordAt[number], columns.wordAt[number + 1]);

/** Upper ends of the classes of bits per byte; those of bits per token are the file's. */
const BYTE_CLASSES = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6];
let colourBy = "token";
const classEnds = () => colourBy === "token" ? facts.classes : BYTE_CLASSES;

/** The class of a value, 0 to 9. */
function classOf(value, ends = classEnds()) {
  let n = 0;
  while (n < ends.length && value >= ends[n]) n++;
  return n;
}

const levelOf = (unit) => classOf(colourBy === "token" ? units.bits[unit] : units.bits[unit] / bytesOf(unit));
