#!/usr/bin/env python3
"""An independent decoder of .lmz files: plain Python 3, standard library only, scalar and slow.

It is written from docs/format.md, docs/lmzm.md, docs/numerics.md and docs/mixing.md alone; the functions cite
their sections. It exists to show that these texts suffice to restore a file.

    lmz_decode.py MODEL.lmzm FILE.lmz > OUT         restores a file (--prime TEXT: one that was primed)
    lmz_decode.py MODEL.lmzm --logits 0,17,5        prints the integer logits of one block as JSON
"""

import argparse
import json
import math
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zlib
from array import array
from itertools import accumulate
from operator import mul

import mixing

FORMAT_VERSIONS, NUMERICS_VERSIONS, MIXING_VERSIONS, MODEL_VERSION = (1, 2), (0, 1, 2), (1, 2), 1
MAGIC, END_MAGIC = b"\x89LMZ", b"ZML\x89"
SMALL_BIT, MAX_SMALL = 0x80, (0, 4096, 2**20)
KIND_END, KIND_MODEL, KIND_ZSTD, KIND_STORED, KIND_MIXED = 0, 1, 2, 3, 4
BY_MODEL = (None, KIND_MODEL, KIND_MIXED)  # the kind that needs the model, by format version
I32_MAX = 2**31 - 1


class LmzError(Exception):
    """The input is damaged, truncated, or needs something that this decoder does not know."""


def require(condition, message):
    if not condition:
        raise LmzError(message)


# ---- BLAKE3 -------------------------------------------------------------------------------------
# Many chunks are hashed at once: a "lane integer" holds one 32-bit word of each chunk, 64 bits
# apart, so that one operation on Python integers serves all of them.

B3_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
B3_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
B3_MIXES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
B3_START, B3_END, B3_PARENT, B3_ROOT = 1, 2, 4, 8


def to_lanes(words):
    return int.from_bytes(array("Q", words).tobytes(), sys.byteorder)


def from_lanes(lanes, count):
    return array("Q", lanes.to_bytes(8 * count, sys.byteorder))


def blake3_compress(cv, block, counters, length, flags):
    """The new chaining value: 8 words from 8, 16 words of block, all of them lane integers."""
    ones = to_lanes([1] * len(counters))
    mask = ones * 0xFFFFFFFF
    v = list(cv) + [ones * w for w in B3_IV[:4]]
    v += [to_lanes(c & 0xFFFFFFFF for c in counters), to_lanes(c >> 32 for c in counters)]
    v += [ones * length, ones * flags]
    m = list(block)
    for _ in range(7):
        for i, (a, b, c, d) in enumerate(B3_MIXES):
            for word, r1, r2 in ((m[2 * i], 16, 12), (m[2 * i + 1], 8, 7)):
                v[a] = (v[a] + v[b] + word) & mask
                x = v[d] ^ v[a]
                v[d] = (x >> r1 | x << (32 - r1)) & mask
                v[c] = (v[c] + v[d]) & mask
                x = v[b] ^ v[c]
                v[b] = (x >> r2 | x << (32 - r2)) & mask
        m = [m[i] for i in B3_PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def blake3_chunks(data, first, count, root):
    """Chaining values of `count` chunks of equal length (`data` holds just these)."""
    size = len(data) // count
    cv = [to_lanes([1] * count) * w for w in B3_IV]
    blocks = max(1, (size + 63) // 64)
    for b in range(blocks):
        length = min(64, size - 64 * b)
        flags = (B3_START if b == 0 else 0) | ((B3_END | root) if b == blocks - 1 else 0)
        words = struct.iter_unpack("<16I", b"".join(
            bytes(data[o + 64 * b:o + 64 * b + length]).ljust(64, b"\0")
            for o in range(0, size * count or 1, size or 1)))
        block = [to_lanes(column) for column in zip(*words)]
        cv = blake3_compress(cv, block, range(first, first + count), length, flags)
    return [from_lanes(w, count) for w in cv]


def blake3(data):
    data = memoryview(data)
    chunks = max(1, (len(data) + 1023) // 1024)
    level = [array("Q") for _ in range(8)]
    for first in range(0, chunks, 2048):  # all whole chunks but the last, many at a time
        count = min(2048, chunks - 1 - first)
        if count > 0:
            part = blake3_chunks(data[1024 * first:1024 * (first + count)], first, count, 0)
            level = [a + b for a, b in zip(level, part)]
    part = blake3_chunks(data[1024 * (chunks - 1):], chunks - 1, 1, B3_ROOT if chunks == 1 else 0)
    level = [a + b for a, b in zip(level, part)]
    while (n := len(level[0])) > 1:  # join neighbours; an odd one at the end moves up as it is
        block = [to_lanes(w[i:n - n % 2:2]) for i in (0, 1) for w in level]
        flags = B3_PARENT | (B3_ROOT if n == 2 else 0)
        key = [to_lanes([w] * (n // 2)) for w in B3_IV]
        joined = blake3_compress(key, block, [0] * (n // 2), 64, flags)
        level = [from_lanes(j, n // 2) + w[n - n % 2:] for j, w in zip(joined, level)]
    return struct.pack("<8I", *(w[0] for w in level))


# ---- Container (format.md) ----------------------------------------------------------------------

class Cursor:
    """Reads fields from bytes; an end of input inside a field is an error."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, n):
        require(n <= len(self.data) - self.at, "the input is truncated")
        self.at += n
        return bytes(self.data[self.at - n:self.at])

    def uint(self, n):
        return int.from_bytes(self.take(n), "little")

    def varint(self):
        """format.md, Conventions: LEB128, at most 64 bits, only the shortest encoding."""
        value = 0
        for i in range(10):
            byte = self.uint(1)
            value |= (byte & 127) << (7 * i)
            if byte < 128:
                require((byte or i == 0) and value < 2**64, "invalid varint")
                return value
        raise LmzError("invalid varint")


def read_name(cur):
    """format.md, Header: the model's name."""
    name = cur.take(cur.varint())
    require(len(name) <= 255, "header: the model's name is too long")
    try:
        name = name.decode("utf-8")
    except UnicodeDecodeError as e:
        raise LmzError("header: the model's name is not UTF-8") from e
    require(all(unicodedata.category(c) != "Cc" for c in name), "header: control character in the name")
    return name


def read_body(body, version):
    """format.md, Header: the body's fields."""
    cur = Cursor(body)
    head = {"version": version, "numerics": cur.uint(1), "recipe": cur.uint(1), "mixing": cur.uint(1) if version > 1 else None,
            "model": cur.take(16), "checkpoint": cur.take(16)}
    require(head["mixing"] != 0, "header: mixing version 0")
    head["name"] = read_name(cur)
    head["context"], head["overlap"], head["plan"] = cur.varint(), cur.varint(), cur.varint()
    require(1 <= head["context"] < 2**32, "header: context out of range")
    require(head["overlap"] < head["context"], "header: overlap not below context")
    require(head["plan"] <= 2**26, "header: plan out of range")
    last, head["prime"] = -1, None
    while cur.at < len(body):  # Extension fields: even tags are skipped, odd ones refused
        tag = cur.varint()
        field = Cursor(cur.take(cur.varint()))
        require(tag > last, "header: extension tags do not increase")
        require(tag % 2 == 0 or tag == 1, f"header: extension {tag} is not known to this decoder")
        if tag == 1:
            head["prime"] = read_prime(field, 16)
            require(field.at == len(field.data), "header: the prime's field is too long")
            require(1 <= head["prime"]["tokens"] < head["context"], "header: the prime does not fit the context")
        last = tag
    return head


def read_prime(cur, size):
    """format.md, Priming: hash (its first `size` bytes), length and tokens."""
    return {"hash": cur.take(size), "length": cur.varint(), "tokens": cur.varint()}


def read_header(cur):
    """format.md, Header: checksum first, version second. Returns (fields, body)."""
    start = cur.at
    require(cur.take(4) == MAGIC, "trailing garbage" if start else "not an lmz file")
    version, length = cur.uint(1), cur.varint()
    require(length <= 4096, "header: body too long")
    body = cur.take(length)
    require(zlib.crc32(cur.data[start:cur.at]) == cur.uint(4), "header: checksum mismatch")
    require(version in FORMAT_VERSIONS, f"format version {version} is not known to this decoder")
    return read_body(body, version), body


def read_small(cur):
    """format.md, Small members. Returns (header fields, segments)."""
    start = cur.at
    require(cur.take(4) == MAGIC, "trailing garbage" if start else "not an lmz file")
    version, flags, model = cur.uint(1) & ~SMALL_BIT, cur.uint(1), cur.take(8)
    require(version in FORMAT_VERSIONS, f"format version {version} is not known to this decoder")
    mixing_version = cur.uint(1) if version > 1 else None
    context = overlap = None
    if version > 1 and mixing_version & 128:
        context, overlap, mixing_version = cur.varint(), cur.varint(), mixing_version & 127
    raw_length, coded_length = cur.varint(), cur.varint()
    prime = read_prime(cur, 4) if flags & 4 else None
    name = read_name(cur) if raw_length > 2**16 else ""
    crc = cur.uint(4)
    check = zlib.crc32(cur.data[start:cur.at]) & 0xFFFF
    require(check == cur.uint(2), "small header: the check fails")
    require(coded_length <= raw_length <= MAX_SMALL[version], "small header: bad lengths")
    require(mixing_version != 0, "small header: mixing version 0")
    kind, tokens = flags & 3, prime["tokens"] if prime else 0
    require(not prime or tokens, "small header: the prime has no tokens")
    if context is None:
        context, overlap = max(raw_length, 1) + tokens, 0
    require(overlap < context < 2**32 and tokens < context, "small header: bad blocks")
    head = {"version": version, "numerics": flags >> 5, "recipe": flags >> 3 & 3 or 4, "mixing": mixing_version, "model": model,
            "name": name, "prime": prime, "context": context, "overlap": overlap, "plan": 0}
    if kind == 0:
        require(raw_length == crc == 0, "small header: an empty member holds something")
        return head, []
    require(raw_length, "small header: a segment of no bytes")
    require(kind != KIND_STORED or coded_length == raw_length, "small header: bad stored length")
    kind = BY_MODEL[version] if kind == KIND_MODEL else kind
    return head, [{"number": 0, "kind": kind, "raw_length": raw_length, "crc": crc, "coded": cur.take(coded_length)}]


def segment_size(plan, offset):
    """format.md, Plan: the size of the segment that starts at this raw offset."""
    if plan:
        return plan
    return (64 if offset < 2**20 else 128 if offset < 2**23 else 256) * 1024


def read_record(cur, number, kind, by_model):
    """format.md, Segment record; `kind` has been read, the cursor stands behind it; `by_model` is the kind
    that needs the model in this version."""
    start = cur.at - 1
    raw_length, coded_length = cur.varint(), cur.varint()
    ideal = cur.varint() if kind == by_model else None
    crc = cur.uint(4)
    check = zlib.crc32(number.to_bytes(8, "little") + cur.data[start:cur.at]) & 0xFFFF
    require(check == cur.uint(2), f"segment {number}: check of the record's header fails")
    require(kind in (by_model, KIND_ZSTD, KIND_STORED), f"segment {number}: kind {kind} is not known")
    require(1 <= raw_length <= 2**26 and coded_length <= raw_length, f"segment {number}: bad lengths")
    require(kind != by_model or ideal <= raw_length << 14, f"segment {number}: bad ideal length")
    require(kind != KIND_STORED or coded_length == raw_length, f"segment {number}: bad stored length")
    coded = cur.take(coded_length)
    return {"number": number, "kind": kind, "raw_length": raw_length, "ideal": ideal, "crc": crc,
            "coded": coded, "size": cur.at - start}


def read_footer(cur, head, body, segments):
    """format.md, Footer: every field agrees with what was read. Returns the hash."""
    start = cur.at
    version, length = cur.uint(1), cur.varint()
    require(length <= 4096, "footer: body too long")
    copy, digest, raw_length, count = cur.take(length), cur.take(16), cur.varint(), cur.varint()
    require(count == len(segments), "footer: number of segments differs")
    index = [cur.varint() for _ in range(count)]
    size = cur.at - start
    require(cur.uint(4) == size, "footer: wrong footer length")
    require(zlib.crc32(cur.data[start:cur.at]) == cur.uint(4), "footer: checksum mismatch")
    require(cur.take(4) == END_MAGIC, "footer: no end magic")
    require(version == head["version"], "footer: version differs from the header's")
    require(copy == body, "footer: the copy of the header's body differs")
    require(raw_length == sum(s["raw_length"] for s in segments), "footer: raw length differs")
    require(index == [s["size"] for s in segments], "footer: the index differs")
    return digest


def read_member(cur):
    """format.md, File: one member. Returns (header fields, segments, hash of the raw bytes or None)."""
    if cur.data[cur.at + 4:cur.at + 5] >= bytes([SMALL_BIT]):
        return *read_small(cur), None
    head, body = read_header(cur)
    segments, offset, ended = [], 0, False
    while (kind := cur.uint(1)) != KIND_END:
        require(not ended, "a segment follows a shorter one")
        segment = read_record(cur, len(segments), kind, BY_MODEL[head["version"]])
        size = segment_size(head["plan"], offset)
        require(segment["raw_length"] <= size, f"segment {segment['number']}: longer than the plan says")
        ended = segment["raw_length"] < size
        offset += segment["raw_length"]
        segments.append(segment)
    return head, segments, read_footer(cur, head, body, segments)


# ---- Segment kinds (format.md) ------------------------------------------------------------------

def zstd_frame_end(data):
    """The length of the frame at the front of `data` (RFC 8878, section 3.1.1)."""
    cur = Cursor(data)
    require(cur.uint(4) == 0xFD2FB528, "zstd: no frame")
    flags = cur.uint(1)
    single = flags >> 5 & 1
    require(not flags & 8, "zstd: reserved bit")
    cur.take(1 - single)
    require(cur.uint((0, 1, 2, 4)[flags & 3]) == 0, "zstd: needs a dictionary")
    cur.take((single, 2, 4, 8)[flags >> 6])
    last = False
    while not last:
        block = cur.uint(3)
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        require(kind != 3, "zstd: reserved block type")
        cur.take(1 if kind == 1 else size)
    cur.take(4 if flags & 4 else 0)
    return cur.at


def zstd_decompress(data, limit):
    """At most `limit` bytes, by whichever zstd decoder this machine has."""
    try:
        from compression import zstd
        return zstd.ZstdDecompressor().decompress(data, limit)
    except ImportError:
        pass
    try:
        import zstandard
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            return reader.read(limit)
    except ImportError:
        pass
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        try:
            with subprocess.Popen(["zstd", "-dcq"], stdin=file, stdout=subprocess.PIPE) as program:
                return program.stdout.read(limit)
        except FileNotFoundError as e:
            raise LmzError("a zstd segment needs Python's zstandard or the program zstd") from e


def decode_segment(segment, head, load_model, load_prime=lambda head, model: no_prime(head)):
    """The raw bytes of one segment, verified."""
    where, raw_length = f"segment {segment['number']}: ", segment["raw_length"]
    if segment["kind"] == KIND_STORED:
        raw = segment["coded"]
    elif segment["kind"] == KIND_ZSTD:
        require(zstd_frame_end(segment["coded"]) == len(segment["coded"]), where + "bytes after the zstd frame")
        try:
            raw = zstd_decompress(segment["coded"], raw_length + 1)
        except Exception as e:  # each zstd library has its own error type
            raise LmzError(where + str(e)) from e
    else:
        model = load_model(head)
        shown = load_prime(head, model)
        require(head["mixing"] in (None, *MIXING_VERSIONS), where + f"version {head['mixing']} of mixing is not known")
        how = (model, segment["coded"], raw_length, head["context"], head["overlap"], shown)
        raw = decode_symbols(*how) if segment["kind"] == KIND_MODEL else decode_group(*how, head["mixing"])
    require(len(raw) == raw_length, where + "wrong raw length")
    require(zlib.crc32(raw) == segment["crc"], where + "checksum mismatch")
    return bytes(raw)


def decode_file(data, load_model, load_prime=lambda head, model: no_prime(head)):
    """format.md, File: yields the raw bytes segment by segment, over all members."""
    cur = Cursor(data)
    while True:
        head, segments, digest = read_member(cur)
        raw = bytearray()
        for segment in segments:
            part = decode_segment(segment, head, load_model, load_prime)
            raw += part
            yield part
        require(digest is None or blake3(raw)[:16] == digest, "the hash of the member's raw bytes differs")
        # Zero bytes behind the last member are padding.
        if not any(data[cur.at:]):
            return


def no_prime(head):
    require(head["prime"] is None, "the file was primed: give the text with --prime")
    return []


def prime_loader(path):
    """format.md, Priming: the inputs that a text stands for, once it is known to be the right one."""
    with open(path, "rb") as file:
        text = file.read()
    digest = blake3(text)

    def load(head, model):
        prime = head["prime"]
        if prime is None:
            return []
        right = digest.startswith(prime["hash"]) and len(text) == prime["length"]
        require(right, f"not the text that the file was primed with: expected hash {prime['hash'].hex()}, "
                f"{prime['length']} bytes")
        token_of = {bytes(spelling): token for spelling, token in zip(model.spelling, model.symbols)}
        longest = max(map(len, token_of))
        inputs, at = [], 0
        while at < len(text):
            size = next((n for n in range(longest, 0, -1) if text[at:at + n] in token_of), 0)
            inputs.append(token_of[text[at:at + size]] if size else model.start)
            at += max(size, 1)
        require(prime["tokens"] <= len(inputs), "the prime has fewer tokens than the header says")
        return inputs[len(inputs) - prime["tokens"]:]
    return load


# ---- Range decoder (format.md, Coded segments) --------------------------------------------------

MASK128 = 2**128 - 1


class RangeDecoder:
    def __init__(self, coded):
        self.words = coded
        self.lower, self.range = 0, MASK128
        self.point, self.at = int.from_bytes(coded[:16].ljust(16, b"\0"), "big"), 16

    def quotient(self):
        """Where in 0..2^32 the coded point lies; the caller finds the interval around it."""
        q = ((self.point - self.lower) & MASK128) // (self.range >> 32)
        require(q < 2**32, "the coded bytes are damaged")
        return q

    def consume(self, start, width):
        scale = self.range >> 32
        self.lower = (self.lower + scale * start) & MASK128
        self.range = scale * width
        if self.range < 2**96:
            word = int.from_bytes(self.words[self.at:self.at + 4].ljust(4, b"\0"), "big")
            self.at += 4
            self.lower = (self.lower << 32) & MASK128
            self.range <<= 32
            self.point = (self.point << 32 & MASK128) + word


# ---- Numerics, sections 1 and 3.9 to 3.10 -------------------------------------------------------

def clamp(x, lo, hi):
    return lo if x < lo else hi if x > hi else x


def rshift(x, n):
    """Section 1: the rounding shift."""
    if n <= 0:
        return x << -n
    return (x + (1 << (n - 1))) >> n if n < 63 else 0


def rshift_all(v, n):
    if n <= 0:
        return [x << -n for x in v]
    if n >= 63:
        return [0] * len(v)
    half = 1 << (n - 1)
    return [(x + half) >> n for x in v]


def shift_to(x, e):
    """Section 1: x * 2^e as an integer; a left shift saturates at +-(2^31 - 1)."""
    if e <= 0:
        return rshift(x, -e)
    if x == 0:
        return 0
    return clamp(x << min(e, 32), -I32_MAX, I32_MAX)  # 32 places saturate every x but 0


def max_bitlen(v):
    return max(max(v), -min(v)).bit_length()


def quantise(p, e, bits):
    """Section 1: mantissas of at most `bits` bits and a sign. Returns (q, exponent)."""
    n = max_bitlen(p)
    if n == 0:
        return [0] * len(p), -65536
    top = 2**bits - 1
    return [clamp(x, -top, top) for x in rshift_all(p, n - bits)], e + n - bits


def exp2(n):
    """Section 3.9: 2^(-n / 2^16) with 30 fractional bits."""
    f = -n & 0xFFFF
    h = 896
    h = 3396 + ((h * f + 32768) >> 16)
    h = 15826 + ((h * f + 32768) >> 16)
    h = 45418 + ((h * f + 32768) >> 16)
    return (2**30 + (h * f >> 2)) >> min((n + 0xFFFF) >> 16, 31)


def gate_table(gate):
    """Section 3.10: the gate of i / 64 with 24 fractional bits."""
    return [round(2**24 * gate(i / 64)) for i in range(1024)] + [2**24] * 2


SIGMOID = [round(2**24 / (1 + math.exp(-i / 64))) for i in range(1024)] + [2**24] * 2
GATES = {
    "silu": SIGMOID,
    "gelu": gate_table(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2),
    "gelu_tanh": gate_table(lambda x: 1 / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    "relu": None,
}


def sigmoid(t, table=SIGMOID):
    """Section 3.8, step 2: t has 16 fractional bits and lies in +-2^20."""
    a = abs(t)
    i, r = a >> 10, a & 1023
    g = table[i] + ((table[i + 1] - table[i]) * r >> 10)
    return 2**24 - g if t < 0 else g


def activate(model, x, e):
    """Sections 3.8 and 3.14: s_i of one value."""
    if model.gate is None:
        return max(x, 0)
    t = clamp(shift_to(x, e + 16), -2**20, 2**20)
    return rshift(x * sigmoid(t, model.gate), 24)


def soft_cap(cap, z):
    """Section 3.15: scores or logits."""
    if cap is None:
        return z
    inverse, k = cap
    capped = []
    for v in z:
        t = min(abs(v) * inverse >> 32, 2**20)
        c = rshift((2 * sigmoid(t) - 2**24) * k, 24)
        capped.append(-c if v < 0 else c)
    return capped


def sinq(f):
    """Section 3.6: sin of a quarter turn times f / 2^30, with 30 fractional bits."""
    u, r = f * f >> 30, 122
    for a in (-7728, 344545, -10053990, 171138612, -1387197337, 3373259426):
        r = a + (r * u >> 30)
    return min(r * f >> 31, 2**30)


def cos_sin(phase):
    """Section 3.6: (cos, sin) of a phase in units of 2^-32 turns."""
    q, f = phase >> 30, phase & (2**30 - 1)
    s, k = sinq(f), sinq(2**30 - f)
    return ((k, s), (-s, k), (-k, -s), (s, -k))[q]


def dot(a, b):
    return sum(map(mul, a, b))


# ---- Prepared model (lmzm.md) -------------------------------------------------------------------

DTYPES = {"I8": ("b", 1), "U8": ("B", 1), "I16": ("h", 2), "U16": ("H", 2), "I32": ("i", 4), "U32": ("I", 4)}
I8_VALUES = [i - 256 if i > 127 else i for i in range(256)]


class Linear:
    """A linear layer's tensors: rows of `w`, `m`, `e`, `c` (None if no column is shifted), a bias, and low planes."""

    def __init__(self, w, m, e, c, bias=None, fine=None):
        self.w, self.m, self.e, self.c, self.bias = w, m, e, c if c and max(c) > 0 else None, bias
        self.fine = fine or {}  # section 3.17: by row
        chunks = (len(w[0]) + 511) // 512
        self.guard = (chunks - 1).bit_length()  # section 3.1: g = ceil(log2(chunks))
        self.guard += max(0, max(max(max(r), -min(r)) for r in w).bit_length() - 7)  # section 3.18: h; 0 for int8


class Model:
    """A prepared model: its tensors, checked, as Python lists, and its constants (section 2)."""

    def __init__(self, data):
        try:
            self.read_file(data)
            self.read_model()
        except (KeyError, TypeError, ValueError, IndexError, struct.error, RecursionError) as e:
            raise LmzError(f"not a valid prepared model: {e!r}") from e
        self.trig = {}

    def read_file(self, data):
        require(len(data) >= 8, "model: truncated")
        length = int.from_bytes(data[:8], "little")
        require(length <= len(data) - 8, "model: truncated")
        self.tensors = json.loads(data[8:8 + length].decode("utf-8"))
        self.meta = json.loads(self.tensors.pop("__metadata__")["lmzm"])
        require(self.meta["version"] == MODEL_VERSION, "model: unknown version")
        require(self.meta["numerics"] in NUMERICS_VERSIONS, "model: unknown version of the numerics")
        self.data = memoryview(data)[8 + length:]
        for name, t in self.tensors.items():
            lo, hi = t["data_offsets"]
            require(0 <= lo <= hi <= len(self.data), f"model: {name} leaves the file")
            require(hi - lo == math.prod(t["shape"]) * DTYPES[t["dtype"]][1], f"model: size of {name}")

    def identity(self, numerics=None):
        """lmzm.md, Identity: 32 bytes, of which a .lmz file holds the first 16; for another version of the numerics if given."""
        def u64(*values):
            return struct.pack(f"<{len(values)}Q", *values)

        meta = self.meta if numerics is None else {**self.meta, "numerics": numerics}
        blueprint = meta["blueprint"].encode("utf-8")
        text = bytearray(b"lmz prepared model v1\n")
        text += u64(*(int(meta[k]) for k in ("recipe", "numerics", "residual_frac_bits", "eps_fixed")))
        text += u64(len(blueprint)) + blueprint
        for name in sorted(self.tensors, key=lambda n: n.encode("utf-8")):
            t, key = self.tensors[name], name.encode("utf-8")
            dtype = t["dtype"].encode("utf-8")
            text += u64(len(key)) + key + u64(len(dtype)) + dtype
            text += u64(len(t["shape"]), *t["shape"]) + self.data[slice(*t["data_offsets"])]
        return blake3(text)

    def tensor(self, name, dtype, shape):
        t = self.tensors[name]
        require(t["dtype"] == dtype and t["shape"] == list(shape), f"model: type or shape of {name}")
        code, _ = DTYPES[dtype]
        return struct.unpack(f"<{math.prod(shape)}{code}", self.data[slice(*t["data_offsets"])])

    def bias(self, name, size, has):
        """The pair (b, E_b), or None."""
        if not has:
            return None
        b, (e,) = self.tensor(name + ".b", "I32", [size]), self.tensor(name + ".be", "I32", [1])
        require(max(map(abs, b)) < 2**29 and abs(e) <= 2000, f"model: {name}.b out of range")
        return b, e

    def weights(self, name, out, inp):
        """Rows of int8 weights."""
        t = self.tensors[name]
        require(t["dtype"] == "I8" and t["shape"] == [out, inp], f"model: type or shape of {name}")
        data = bytes(self.data[slice(*t["data_offsets"])])
        require(b"\x80" not in data, f"model: {name} holds -128")
        return [[I8_VALUES[b] for b in data[r:r + inp]] for r in range(0, out * inp, inp)]

    def fine(self, name, out, inp):
        """Section 3.17: the low planes of fine rows, by row."""
        if self.meta["numerics"] < 2 or not (name + ".fine" in self.tensors or name + ".low" in self.tensors):
            return {}
        count = math.prod(self.tensors[name + ".fine"]["shape"])
        rows = self.tensor(name + ".fine", "U32", [count])
        require(rows and rows[-1] < out and all(a < b for a, b in zip(rows, rows[1:])), f"model: {name}.fine")
        return dict(zip(rows, self.weights(name + ".low", count, inp)))

    def blocks(self, name, out, inp):
        """Section 3.18: rows of weights that stand in blocks."""
        count = math.prod(self.tensors[name + ".factors"]["shape"])
        sizes = [size for size in (16, 32) if inp % size == 0 and count == out * (inp // size)]
        require(sizes, f"model: shape of {name}.factors")
        size, per_row = sizes[0], inp // sizes[0]
        factors, offsets = self.tensor(name + ".factors", "I16", [out, per_row]), [0] * count
        if name + ".offsets" in self.tensors:
            offsets = self.tensor(name + ".offsets", "I16", [out, per_row])
        require(max(map(abs, factors)) <= 8191 and max(map(abs, offsets)) <= 8191, f"model: blocks of {name} out of range")
        if self.tensors[name + ".q"]["dtype"] == "U8":
            halves = self.tensor(name + ".q", "U8", [out, inp // 2])
            q = [(half ^ 8) - 8 for byte in halves for half in (byte & 15, byte >> 4)]
        else:
            q = [x for row in self.weights(name + ".q", out, inp) for x in row]
        w = [f * x + 8 * o for b, (f, o) in enumerate(zip(factors, offsets)) for x in q[b * size:(b + 1) * size]]
        return [w[r:r + inp] for r in range(0, out * inp, inp)]

    def linear(self, name, out, inp, bias=False):
        w, fine = None, {}
        if self.meta["numerics"] >= 2 and name + ".factors" in self.tensors:
            w = self.blocks(name, out, inp)
        elif name + ".w" in self.tensors:
            w, fine = self.weights(name + ".w", out, inp), self.fine(name, out, inp)
        m, (e,) = self.tensor(name + ".m", "I32", [out]), self.tensor(name + ".e", "I32", [1])
        require(min(m) >= 0, f"model: {name}.m is negative")
        c = self.tensor(name + ".c", "U8", [inp]) if name + ".c" in self.tensors else None
        require(c is None or max(c) <= 20, f"model: {name}.c above 20")
        if name == "head" and w is None:  # a tied head
            w, c, fine = self.embed.w, self.embed.c, self.embed.fine
        require(w is not None, f"model: {name}.w is missing")
        return Linear(w, m, e, c, self.bias(name, out, bias), fine)

    def gains(self, name, size):
        g, (e,) = self.tensor(name + ".g", "I32", [size]), self.tensor(name + ".e", "I32", [1])
        require(max(map(abs, g)) < 2**21, f"model: {name}.g out of range")
        return g, e

    def norm_tensors(self, name, has=True):
        """A norm of the residual stream: (g, E_g, bias), or None."""
        return (*self.gains(name, self.d), self.bias(name, self.d, self.biased_norms)) if has else None

    def block_norm_tensors(self, name, size, has=True):
        """A norm of a linear layer's output: (g, E_g, eps), or None."""
        if not has:
            return None
        eps = self.tensor(name + ".eps", "I32", [2])
        require(eps[0] >= 0 and abs(eps[1]) <= 2000, f"model: {name}.eps out of range")
        return (*self.gains(name, size), eps)

    def cap(self, name, has):
        if not has:
            return None
        inverse, k = self.tensor(name, "I32", [2])
        require(inverse >= 1 and 1 <= k <= 2**30, f"model: {name} out of range")
        return inverse, k

    def read_model(self):
        b = json.loads(self.meta["blueprint"])
        self.d, self.f, layers = b["hidden_size"], b["intermediate_size"], b["layers"]
        self.H, self.G, self.D = b["heads"], b["kv_heads"], b["head_dim"]
        self.start, vocab_size = b["start_token"], b["vocab_size"]
        self.F, self.eps_fixed = self.meta["residual_frac_bits"], int(self.meta["eps_fixed"])
        d, f, H, G, D = self.d, self.f, self.H, self.G, self.D
        require(min(d, f, H, G, D, vocab_size) >= 1 and layers >= 0, "model: a size is not positive")
        require(d <= 2**15 and f <= 2**20 and H * D <= 2**20, "model: too large")
        require(H % G == 0 and D % 2 == 0 and D <= 512, "model: bad heads")
        require(0 <= self.start < vocab_size, "model: bad start token")
        require(0 <= self.eps_fixed <= 2**62, "model: bad eps")
        bits = min(31 - (D - 1).bit_length(), 30)  # section 2
        self.query_bits, self.key_bits = (bits + 1) // 2, bits // 2
        self.value_bits, self.value_shift = (15, 6) if self.meta["numerics"] == 2 else (9, 0)  # section 3.16
        wide = self.tensor("scores.wide", "U8", [layers]) if self.meta["numerics"] == 2 else [0] * layers
        require(set(wide) <= {0, 1}, "model: scores.wide out of range")

        # Section 2: what the model does beyond a Llama.
        attention, block, ends, feed = (b.get(k, {}) for k in ("attention", "block", "ends", "feed_forward"))
        norm, norms, kind = b["norm"]["kind"], block.get("norms", "before"), feed.get("kind", {}).get("kind", "gated")
        head_norm, residual = attention.get("head_norm", "none"), block.get("residual", "sequential")
        require(norm in ("rms_norm", "rms_norm_plus_one", "layer_norm", "bare_layer_norm"), f"model: norm {norm}")
        require(b["position"]["kind"] in ("rope", "learned"), "model: positions of an unknown kind")
        require(b["activation"] in GATES, f"model: activation {b['activation']}")
        require(norms in ("before", "after", "around"), f"model: norms {norms}")
        require(residual in ("sequential", "parallel", "parallel_shared_norm"), f"model: residual {residual}")
        require(head_norm in ("none", "per_head", "whole"), f"model: norms of heads {head_norm}")
        require(kind in ("gated", "plain"), f"model: feed-forward layers of the kind {kind} are not known")
        self.centred, self.biased_norms = norm.endswith("layer_norm"), norm == "layer_norm"
        require(not self.centred or (norms == "before" and head_norm == "none"), "model: layer norms elsewhere")
        require(head_norm != "whole" or H * D <= 2**15, "model: norms of queries are too wide")
        self.residual, self.gated, self.gate = residual, kind == "gated", GATES[b["activation"]]
        self.per_head = head_norm == "per_head"
        window = attention.get("window")
        input_bias, feed_bias = attention.get("input_bias", False), feed.get("bias", False)

        self.embed = self.linear("embed", vocab_size, d)
        learned = b["position"]["kind"] == "learned"
        self.positions = self.linear("positions", b["max_positions"], d) if learned else None
        before, after, own = norms != "after", norms != "before", residual != "parallel_shared_norm"
        normed = {"none": (None, None), "per_head": (D, D), "whole": (H * D, G * D)}[head_norm]
        self.layers = []
        for n in range(layers):
            p, layer = f"layers.{n}.", {"wide": wide[n]}
            layer["attn_norm"] = self.norm_tensors(p + "attn_norm", before)
            layer["qkv"] = self.linear(p + "qkv", (H + 2 * G) * D, d, input_bias)
            layer["head_norms"] = [self.block_norm_tensors(p + name, size, size)
                                   for name, size in zip(("q_norm", "k_norm"), normed)]
            layer["o"] = self.linear(p + "o", d, H * D, attention.get("output_bias", False))
            layer["attn_post_norm"] = self.block_norm_tensors(p + "attn_post_norm", d, after)
            layer["ffn_norm"] = self.norm_tensors(p + "ffn_norm", before and own)
            name, rows = ("gate_up", 2 * f) if self.gated else ("up", f)
            layer["up"] = self.linear(p + name, rows, d, feed_bias)
            layer["down"] = self.linear(p + "down", d, f, feed_bias)
            layer["ffn_post_norm"] = self.block_norm_tensors(p + "ffn_post_norm", d, after)
            windowed = bool(window) and (not window.get("layers") or window["layers"][n])
            layer["window"] = window["tokens"] if windowed else None
            layer["local"] = windowed and window.get("theta") is not None
            self.layers.append(layer)
        self.norm = self.norm_tensors("norm")
        head = self.linear("head", vocab_size, d, ends.get("head_bias", False))
        self.score_cap = self.cap("scores.cap", attention.get("softcap") is not None)
        self.logit_cap = self.cap("head.cap", ends.get("softcap") is not None)
        turning = attention.get("rotary_dim", D)
        require(turning % 2 == 0 and 2 <= turning <= D, "model: bad number of rotating elements")
        local = any(layer["local"] for layer in self.layers)
        self.freq = [() if learned else self.tensor("rope.freq", "U32", [turning // 2]),
                     self.tensor("rope.local", "U32", [turning // 2]) if local else ()]

        # Section 5: the symbols, and the head's rows for them.
        lengths = self.tensor("vocab.len", "U16", [vocab_size])
        spelled = bytes(self.tensor("vocab.bytes", "U8", [sum(lengths)]))
        ends = list(accumulate(lengths))
        self.symbols = [t for t in range(vocab_size) if lengths[t] > 0]
        require(self.symbols, "model: no token has bytes")
        self.spelling = [spelled[ends[t] - lengths[t]:ends[t]] for t in self.symbols]
        self.all_bytes = len({s for s in self.spelling if len(s) == 1}) == 256
        bias = head.bias and ([head.bias[0][t] for t in self.symbols], head.bias[1])
        fine = {s: head.fine[t] for s, t in enumerate(self.symbols) if t in head.fine}
        w, m = [head.w[t] for t in self.symbols], [head.m[t] for t in self.symbols]
        self.head = Linear(w, m, head.e, head.c, bias, fine)

    def rotations(self, position, local=False):
        """Section 3.6: (cos, sin) of every rotating pair of a head at this position."""
        key = position, local
        if key not in self.trig:
            self.trig[key] = [cos_sin(position * freq % 2**32) for freq in self.freq[local]]
        return self.trig[key]


# ---- Numerics, sections 3.1 to 3.8 --------------------------------------------------------------

def linear(layer, x, e):
    """Section 3.1: (y, exponent)."""
    g = layer.guard
    half = 1 << g >> 1

    def product(row, m):
        return (((sum(map(mul, row, x)) + half) >> g) * m + 2**31) >> 32

    y = [product(row, m) for row, m in zip(layer.w, layer.m)]
    for r, low in layer.fine.items():  # section 3.17
        y[r] += (product(low, layer.m[r]) + 128) >> 8
    e += g + layer.e + 32
    return add_bias(y, e, layer.bias) if layer.bias else (y, e)


def add_bias(y, e, bias):
    """Section 3.13: (mantissas, exponent)."""
    b, eb = bias
    t = max(e, eb) + 1
    return [p + q for p, q in zip(rshift_all(y, t - e), rshift_all(b, t - eb))], t


def activations(layer, groups):
    """Section 3.2: the input (x, exponent) of `layer` from groups of (mantissas, exponent)."""
    if layer.c:
        top, c, shifted = max(layer.c), iter(layer.c), []
        for p, e in groups:
            shifted.append(([rshift(x, top - next(c)) for x in p], e + top))
        groups = shifted
    bits = [max_bitlen(p) for p, _ in groups]
    if not any(bits):
        return [0] * sum(len(p) for p, _ in groups), 0
    t = max(n + e for n, (_, e) in zip(bits, groups) if n > 0) - 15
    x = []
    for n, (p, e) in zip(bits, groups):
        x += [clamp(v, -32767, 32767) for v in rshift_all(p, t - e)] if n else p
    return x, t


def apply(layer, groups):
    return linear(layer, *activations(layer, groups))


def table_row(model, layer, row):
    """Section 3.3: a row of the embedding or of the learned positions."""
    m, e, w = layer.m[row], layer.e + model.F, layer.w[row]
    if row in layer.fine:  # section 3.17
        w, e = [256 * a + b for a, b in zip(w, layer.fine[row])], e - 8
    c = layer.c or [0] * model.d
    return [clamp(shift_to(wj * m, e + cj), -I32_MAX, I32_MAX) for wj, cj in zip(w, c)]


def embedding(model, token, position):
    """Section 3.3: the residual stream's start."""
    x = table_row(model, model.embed, token)
    if model.positions:
        place = table_row(model, model.positions, min(position, len(model.positions.w) - 1))
        x = [clamp(a + b, -I32_MAX, I32_MAX) for a, b in zip(x, place)]
    return x


def add_residual(model, x, y, e):
    """Section 3.4."""
    e += model.F
    return [clamp(a + shift_to(b, e), -I32_MAX, I32_MAX) for a, b in zip(x, y)]


def scaled_by_root(x, n, g, e):
    """Section 3.5, steps 3 and 4: (mantissas, exponent)."""
    n = max(1, n)
    j = (64 - n.bit_length()) >> 1
    rho = 2**48 // math.isqrt(n << 2 * j)
    return [a * b * rho for a, b in zip(x, g)], e + j - 48


def norm(model, x, tensors):
    """Sections 3.5 and 3.11, or the residual stream itself: one group (mantissas, exponent)."""
    if tensors is None:
        return x, -model.F
    g, e, bias = tensors
    if model.centred:
        d, total = len(x), sum(x)
        x, eps = [d * v - total for v in x], model.eps_fixed * d * d
        s = max(0, max_bitlen(x) - 24, (eps.bit_length() - 61) // 2)
    else:
        s, eps = max(0, max_bitlen(x) - 24), model.eps_fixed
    x = rshift_all(x, s)
    p, e = scaled_by_root(x, dot(x, x) + (eps >> 2 * s), g, e)
    return add_bias(p, e, bias) if bias else (p, e)


def block_norm(y, e, tensors):
    """Section 3.12: (mantissas, exponent)."""
    g, eg, (eps, ee) = tensors
    s = max(0, max_bitlen(y) - 24, -((31 - ee + 2 * e) // 2))
    x, u = rshift_all(y, s), ee - 2 * (e + s)
    return scaled_by_root(x, dot(x, x) + (eps << u if u >= 0 else eps >> min(-u, 63)), g, eg)


def rotate(y, rotations):
    """Section 3.6."""
    half, first, second = len(rotations), [], []
    for a, b, (cos, sin) in zip(y, y[half:], rotations):
        first.append((a * cos - b * sin + 2**29) >> 30)
        second.append((b * cos + a * sin + 2**29) >> 30)
    return first + second + list(y[2 * half:])


class KeyValues:
    """What attention keeps of one key-value head: per position, and the values by column."""

    def __init__(self, head_dim):
        self.k, self.ek, self.ev = [], [], []
        self.v = [[] for _ in range(head_dim)]

    def append(self, key, ek, value, ev):
        self.k.append(key)
        self.ek.append(ek)
        self.ev.append(ev)
        for column, v in zip(self.v, value):
            column.append(v)


def attend(model, wide, q, eq, cache, first):
    """Sections 3.7, steps 2 to 6, and 3.16, for one query head that sees positions from `first` on: one group."""
    z, exponents = [], cache.ev[first:]
    for k, ek in zip(cache.k[first:], cache.ek[first:]):
        t, s = eq + ek + 16, dot(q, k)
        s = s >> min(-t, 63 if wide else 31) if t <= 0 else s << min(t, 31)
        z.append(clamp(s, -2**30, 2**30))
    z = soft_cap(model.score_cap, z)
    top = max(z)
    p = [exp2(top - s) for s in z]
    total = sum(p)
    X = max(a.bit_length() + ev for a, ev in zip(p, exponents) if a > 0)
    w = [min(rshift(a, X - 15 - ev), 32767) if a else 0 for a, ev in zip(p, exponents)]
    length = total.bit_length()
    iota = 2**52 // (total << 32 - length if length <= 32 else total >> length - 32)
    r = model.value_shift
    return [rshift(dot(w, column[first:]), r) * iota for column in cache.v], X - 35 - length + r


def norm_heads(model, heads, e, tensors):
    """Section 3.12, queries or keys: per head (mantissas, exponent)."""
    if tensors is None:
        return [(head, e) for head in heads]
    if model.per_head:
        blocks = [block_norm(head, e, tensors) for head in heads]
    else:
        p, e = block_norm(sum(heads, []), e, tensors)
        blocks = [(p[i:i + model.D], e) for i in range(0, len(p), model.D)]
    return [quantise(p, e, 29) for p, e in blocks]


def attention(model, layer, caches, y, e):
    """Section 3.7 for one position (y: rows of queries, keys, values): one group per head."""
    H, G, D = model.H, model.G, model.D
    heads = [y[i:i + D] for i in range(0, len(y), D)]
    position = len(caches[0].k)
    turn = model.rotations(position, layer["local"])
    query_norm, key_norm = layer["head_norms"]
    for cache, (key, ek), value in zip(caches, norm_heads(model, heads[H:H + G], e, key_norm), heads[H + G:]):
        key, ek = quantise(rotate(key, turn), ek, 22 if layer["wide"] else model.key_bits)
        cache.append(key, ek, *quantise(value, e, model.value_bits))
    first = max(0, position - layer["window"] + 1) if layer["window"] else 0
    bits = 22 if layer["wide"] else model.query_bits
    return [attend(model, layer["wide"], *quantise(rotate(query, turn), eq, bits), caches[h // (H // G)], first)
            for h, (query, eq) in enumerate(norm_heads(model, heads[:H], e, query_norm))]


def between(model, y, e):
    """Sections 3.8 and 3.14: one group (mantissas, exponent)."""
    if not model.gated:
        return [activate(model, x, e) for x in y], e
    half = len(y) // 2
    return [activate(model, gate, e) * up for gate, up in zip(y[:half], y[half:])], 2 * e


# ---- Numerics, sections 4 to 7 ------------------------------------------------------------------

class Block:
    """Section 4: the forward pass, position by position, within one block."""

    def __init__(self, model):
        self.model, self.position = model, 0
        self.caches = [[KeyValues(model.D) for _ in range(model.G)] for _ in model.layers]

    def step(self, token, want_logits=True):
        model = self.model
        x = embedding(model, token, self.position)
        for layer, caches in zip(model.layers, self.caches):
            start = x
            y, e = apply(layer["qkv"], [norm(model, x, layer["attn_norm"])])
            x = self.add(x, *apply(layer["o"], attention(model, layer, caches, y, e)), layer["attn_post_norm"])
            if model.residual == "sequential":
                a = norm(model, x, layer["ffn_norm"])
            else:
                a = norm(model, start, layer["ffn_norm"] or layer["attn_norm"])
            y, e = apply(layer["up"], [a])
            x = self.add(x, *apply(layer["down"], [between(model, y, e)]), layer["ffn_post_norm"])
        self.position += 1
        if want_logits:
            y, e = apply(model.head, [norm(model, x, model.norm)])
            return soft_cap(model.logit_cap, [clamp(shift_to(v, e + 16), -2**30, 2**30) for v in y])

    def add(self, x, y, e, post_norm):
        """Section 4: what a half of a layer adds to the residual stream."""
        if post_norm:
            y, e = block_norm(y, e, post_norm)
        return add_residual(self.model, x, y, e)


class Distribution:
    """Section 6: the intervals of the symbols and, as the last symbol, the escape."""

    def __init__(self, model, logits):
        self.logits, self.top = logits, max(logits)
        self.weights = [exp2(self.top - z) for z in logits]
        self.weights.append(0 if model.all_bytes else (sum(self.weights) >> 12) + 1)
        self.cumulated = [0, *accumulate(self.weights)]
        self.free = 2**32 - len(self.weights)

    def bound(self, s):
        """F(s)."""
        return self.cumulated[s] * self.free // self.cumulated[-1] + s

    def interval(self, s):
        return self.bound(s), self.bound(s + 1) - self.bound(s)

    def find(self, q):
        """The symbol whose interval holds q."""
        lo, hi = 0, len(self.weights)
        while hi - lo > 1:
            mid = (lo + hi) // 2
            lo, hi = (mid, hi) if self.bound(mid) <= q else (lo, mid)
        return lo


class Context:
    """Section 7: feeds a segment's symbols, and a prime's inputs, through blocks of C positions with overlap K."""

    def __init__(self, model, context, overlap, shown=()):
        require(context <= 2**17, "context above 2^17 positions")
        self.model, self.context, self.overlap = model, context, overlap
        self.block, self.pending, self.inputs = Block(model), [model.start, *shown], list(shown)

    def distribution(self):
        if self.block.position == self.context:
            self.block = Block(self.model)
            self.pending = [self.model.start] + self.inputs[len(self.inputs) - self.overlap:]
        for token in self.pending[:-1]:
            self.block.step(token, want_logits=False)
        return Distribution(self.model, self.block.step(self.pending[-1]))

    def push(self, symbol):
        """Takes the symbol that was coded; after an escape the model sees the start token."""
        known = symbol < len(self.model.symbols)
        self.pending = [self.model.symbols[symbol] if known else self.model.start]
        self.inputs += self.pending


def decode_symbols(model, coded, raw_length, context, overlap, shown=()):
    """format.md, Coded segments, with the intervals of sections 6 and 7."""
    decoder, feed, raw = RangeDecoder(coded), Context(model, context, overlap, shown), bytearray()
    while len(raw) < raw_length:
        distribution = feed.distribution()
        symbol = distribution.find(decoder.quotient())
        decoder.consume(*distribution.interval(symbol))
        if symbol < len(model.symbols):
            raw += model.spelling[symbol]
        else:
            byte = decoder.quotient() >> 24
            decoder.consume(byte << 24, 1 << 24)
            raw.append(byte)
        require(len(raw) <= raw_length, "a symbol leaves the segment: the coded bytes are damaged")
        feed.push(symbol)
    return raw


# ---- Mixed segments (format.md) -----------------------------------------------------------------

def leb(cur):
    """A number of at most 63 bits."""
    value = 0
    for shift in range(0, 63, 7):
        byte = cur.uint(1)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
    raise LmzError("a number of more than 63 bits")


def read_parts(items, raw_length, version=2):
    """The list of parts: (kind, length, distance of a copy); padding is of kind 4."""
    cur, parts, at = Cursor(items), [], 0
    while cur.at < len(items):
        number = leb(cur)
        kind, length = number % 4, number // 4
        if number == 3 and version > 1:
            kind, length = 4, -at % 512
        distance = leb(cur) if kind == 3 else None
        require(1 <= length <= raw_length - at, "a part has a bad length")
        require(kind != 3 or 1 <= distance <= at, "a copy has a bad distance")
        parts.append((kind, length, distance))
        at += length
    require(at == raw_length, "the parts have another length")
    return parts


def decode_group(model, coded, raw_length, context, overlap, shown=(), version=2):
    cur = Cursor(coded)
    first = cur.uint(1)
    shape, lanes = first & 3, (first >> 2) + 1
    require(shape != 3, "a group of an unknown shape")
    list_length, bytes_length = (leb(cur), leb(cur)) if shape == 0 else (0, 0)
    symbols = leb(cur) if shape < 2 else 0
    require(list_length <= raw_length // 8 + 64 and symbols <= raw_length, "a group with bad lengths")
    parts, pieces, size = [(shape - 1, raw_length, None)], [b"", b"", b""], (raw_length - 1).bit_length()
    if shape != 1:
        string = cur.take(bytes_length if shape == 0 else len(coded) - cur.at)
        contexts, decoder = mixing.Bytes(size, version), mixing.Decoder(string)
        for _ in range(list_length):
            contexts.code(decoder)
        if shape == 0:
            parts = read_parts(contexts.history, raw_length, version)
        for _ in range(sum(length for kind, length, _ in parts if kind == 1)):
            contexts.code(decoder)
        pieces[1] = bytes(contexts.history[list_length:])
    pieces[2] = cur.take(sum(length for kind, length, _ in parts if kind == 2))
    text_length = sum(length for kind, length, _ in parts if kind == 0)
    if text_length:
        pieces[0] = decode_text(model, coded[cur.at:], text_length, symbols, lanes, context, overlap, shown)
    raw, at = bytearray(), [0, 0, 0]
    for kind, length, distance in parts:
        if kind == 3:
            for _ in range(length):
                raw.append(raw[-distance])
        elif kind == 4:
            raw += bytes(length)
        else:
            raw += pieces[kind][at[kind]:at[kind] + length]
            at[kind] += length
    return raw


def decode_text(model, coded, raw_length, symbols, lanes, context, overlap, shown):
    """mixing.md, section 9, in rounds of blocks (numerics.md, section 7)."""
    require(symbols, "a text without symbols")
    require(context <= 2**17, "context above 2^17 positions")
    overlap = overlap if lanes == 1 else 0
    text = mixing.Text(mixing.Walk(model.spelling, 0 if model.all_bytes else 12), (raw_length - 1).bit_length())
    decoder, raw, inputs, done = mixing.Decoder(coded), bytearray(), list(shown), 0
    while done < symbols:
        round_, begin = [], done
        while begin < symbols and len(round_) < lanes:
            seen = inputs[len(inputs) - overlap:] if begin else list(shown)
            count = min(context - len(seen), symbols - begin)
            round_.append({"block": Block(model), "pending": [model.start, *seen], "count": count, "raw": b"", "inputs": []})
            begin += count
        text.begin_round(len(round_))
        if not done:
            numbers = {token: number for number, token in enumerate(model.symbols)}
            for token in shown:
                if token in numbers:
                    text.teach(0, numbers[token])
        for at in range(max(lane["count"] for lane in round_)):
            for number, lane in enumerate(round_):
                if at == lane["count"]:
                    lane["block"] = None
                if at >= lane["count"]:
                    continue
                for token in lane["pending"][:-1]:
                    lane["block"].step(token, want_logits=False)
                weights = Distribution(model, lane["block"].step(lane["pending"][-1])).weights[:-1]
                symbol, spelled = text.code(number, weights, decoder)
                lane["pending"] = [model.start if symbol is None else model.symbols[symbol]]
                lane["inputs"] += lane["pending"]
                lane["raw"] += spelled
        for lane in round_:
            raw += lane["raw"]
            inputs += lane["inputs"]
        require(len(raw) <= raw_length, "the text is longer than its parts: the coded bytes are damaged")
        done = begin
    require(len(raw) == raw_length, "the text has another length than its parts: the coded bytes are damaged")
    return raw


# ---- Command line -------------------------------------------------------------------------------

def model_loader(path):
    """Loads the model when the first model segment asks for it, and checks each header against it."""
    loaded, identities = [], {}

    def load(head):
        numerics = head["numerics"]
        require(numerics in NUMERICS_VERSIONS, f"version {numerics} of the numerics is not known")
        if not loaded:
            with open(path, "rb") as file:
                loaded.append(Model(file.read()))
        model = loaded[0]
        # 0 and 1 have the same arithmetic (numerics.md): the file says under which identity it knows the model.
        require((numerics == 2) == (model.meta["numerics"] == 2), "the header's version of the numerics is not the model's")
        if numerics not in identities:
            identities[numerics] = model.identity(numerics)[:16]
        identity = identities[numerics]
        require(identity.startswith(head["model"]), f"made with another model: {head['model'].hex()} ({head['name']!r}), "
                f"the one given is {identity.hex()}")
        require(model.meta["recipe"] == head["recipe"], "the header's recipe is not the model's")
        return model
    return load


def main():
    parser = argparse.ArgumentParser(description="Restores .lmz files, slowly.")
    parser.add_argument("model", help="the prepared model, .lmzm")
    parser.add_argument("file", nargs="?", help="the .lmz file")
    parser.add_argument("--prime", metavar="TEXT", help="the text that the file was primed with")
    parser.add_argument("--logits", metavar="TOKENS", help="print the logits after each of these input tokens")
    args = parser.parse_args()
    if (args.file is None) == (args.logits is None):
        parser.error("give either a file or --logits")
    try:
        if args.logits is not None:
            tokens = [int(t) for t in args.logits.split(",")]
            with open(args.model, "rb") as file:
                block = Block(Model(file.read()))
            require(all(0 <= t < len(block.model.embed.w) for t in tokens), "no such token")
            print(json.dumps({"logits": [block.step(t) for t in tokens]}))
            return
        with open(args.file, "rb") as file:
            data = file.read()
        for part in decode_file(data, model_loader(args.model), prime_loader(args.prime) if args.prime else
                                lambda head, model: no_prime(head)):
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
    except (LmzError, OSError) as e:
        sys.exit(f"lmz_decode: {e}")


if __name__ == "__main__":
    main()
