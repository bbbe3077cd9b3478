"use strict";
// The columns of the page's data as typed arrays, and the text as units: a unit is a symbol that the
// model coded, or some bytes that it did not code. A symbol of a mixed group may be two units, with something else between.

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
  columns.model = new Uint16Array(columns.model.buffer);
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
  const room = facts.symbols + summary.segments.reduce((sum, segment) => {
    let at = segment.raw_offset;
    // A part of text may begin inside a symbol.
    for (const part of partsOf(segment)) {
      sum += part.kind === "text" ? 1 : plainUnits(at, at + part.raw_len);
      at += part.raw_len;
    }
    return sum;
  }, 0);
  Object.assign(units, {
    start: new Uint32Array(room + 1), bits: new Float32Array(room),
    symbol: new Int32Array(room).fill(-1), segment: new Uint32Array(room),
  });
  // Of the current symbol: how many bytes have no unit yet.
  let unit = 0, symbol = 0, left = 0;
  summary.segments.forEach((segment, number) => {
    let at = segment.raw_offset;
    for (const part of partsOf(segment)) {
      const end = at + part.raw_len, each = part.bits / part.raw_len;
      while (at < end) {
        units.start[unit] = at;
        units.segment[unit] = number;
        if (part.kind === "text") {
          const whole = columns.length[symbol];
          left = left || whole;
          const bytes = Math.min(left, end - at);
          units.bits[unit] = columns.bits[symbol] / 256 * bytes / whole;
          units.symbol[unit++] = symbol;
          at += bytes;
          left -= bytes;
          if (left === 0) symbol++;
        } else {
          const next = plainEnd(at, end);
          units.bits[unit++] = each * (next - at);
          at = next;
        }
      }
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

function plainUnits(from, end) {
  let count = 0;
  for (let at = from; at < end; at = plainEnd(at, end)) count++;
  return count;
}

/** What a segment is made of: a mixed group has parts, any other is one. */
function partsOf(segment) {
  if (segment.kind === "mixed") return segment.parts;
  const kind = segment.kind === "model" ? "text" : segment.kind;
  return [{ kind, raw_len: segment.raw_len, bits: 8 * segment.coded_len }];
}

/** The kind of part that a unit belongs to. */
function kindOf(unit) {
  const segment = summary.segments[units.segment[unit]];
  let at = segment.raw_offset;
  return partsOf(segment).find((part) => units.start[unit] < (at += part.raw_len)).kind;
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
