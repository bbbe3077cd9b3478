#!/usr/bin/env python3
"""Self-checks of lmz_decode.py: run `python3 tools/decoder/test_lmz_decode.py`.

The encoder here mirrors the texts (docs/format.md) as the decoder does; neither knows the Rust code.
"""

import decimal
import itertools
import json
import math
import random
import re
import struct
import sys
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lmz_decode as lmz
import mixing

DOCS = Path(__file__).resolve().parents[2] / "docs"
FORMAT = (DOCS / "format.md").read_text(encoding="utf-8")
NUMERICS = (DOCS / "numerics.md").read_text(encoding="utf-8")


# ---- A writer, from format.md -------------------------------------------------------------------

class RangeEncoder:
    """format.md, Coded segments: encoding and sealing."""

    def __init__(self):
        self.lower, self.range, self.words, self.empty = 0, lmz.MASK128, [], True

    def carry(self):
        i = len(self.words) - 1
        while self.words[i] == 2**32 - 1:
            self.words[i] = 0
            i -= 1
        self.words[i] += 1

    def put(self, start, width):
        self.empty = False
        scale = self.range >> 32
        self.range = scale * width
        self.lower += scale * start
        if self.lower > lmz.MASK128:
            self.lower &= lmz.MASK128
            self.carry()
        if self.range < 2**96:
            self.words.append(self.lower >> 96)
            self.lower = (self.lower << 32) & lmz.MASK128
            self.range <<= 32

    def seal(self):
        if self.empty:
            return b""
        for n in range(5):
            unit = 2**(128 - 8 * n)
            point = ((self.lower + unit - 1) & lmz.MASK128) // unit * unit
            if (point - self.lower) & lmz.MASK128 < self.range:
                break
        else:
            raise AssertionError("no n in 0..4 will do")
        if point < self.lower:
            self.carry()
        return (b"".join(w.to_bytes(4, "big") for w in self.words) + point.to_bytes(16, "big")).rstrip(b"\0")


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def crc(data):
    return struct.pack("<I", zlib.crc32(data))


def record(number, kind, raw, coded, version=1):
    head = bytes([kind]) + varint(len(raw)) + varint(len(coded)) + (varint(1) if kind == lmz.BY_MODEL[version] else b"") + crc(raw)
    return head + crc(number.to_bytes(8, "little") + head)[:2] + coded


def member(segments, plan, identity=bytes(16), context=9, overlap=3, extension=b"", version=1, mix=1):
    """segments: (kind, raw, coded); `mix`: the version of mixing, of which only members of version 2 tell."""
    body = bytes([0, 1] + [mix] * (version == 2)) + identity + bytes(16) + varint(4) + b"tiny"
    body += varint(context) + varint(overlap) + varint(plan) + extension
    head = lmz.MAGIC + bytes([version]) + varint(len(body)) + body
    records = [record(n, *s, version) for n, s in enumerate(segments)]
    raw = b"".join(s[1] for s in segments)
    foot = bytes([version]) + varint(len(body)) + body + lmz.blake3(raw)[:16] + varint(len(raw))
    foot += varint(len(records)) + b"".join(varint(len(r)) for r in records)
    foot += struct.pack("<I", len(foot))
    return head + crc(head) + b"".join(records) + b"\0" + foot + crc(foot) + lmz.END_MAGIC


def encode_symbols(model, symbols, context, overlap):
    """`symbols`: symbol numbers, or (byte,) for an escape and its byte. Returns (raw, coded)."""
    encoder, feed, raw = RangeEncoder(), lmz.Context(model, context, overlap), b""
    for s in symbols:
        distribution, number = feed.distribution(), len(model.symbols) if isinstance(s, tuple) else s
        encoder.put(*distribution.interval(number))
        if isinstance(s, tuple):
            encoder.put(s[0] << 24, 1 << 24)
            raw += bytes(s)
        else:
            raw += model.spelling[s]
        feed.push(number)
    return raw, encoder.seal()


class MixingEncoder:
    """Stands where the reader has its decoder: codes bits that are known, and says which they are."""

    def __init__(self):
        self.bits, self.encoder = [], RangeEncoder()

    def code(self, one):
        bit = self.bits.pop(0)
        self.encoder.put(*((0, one) if bit else (one, 2**32 - one)))
        return bit

    def byte(self, byte):
        self.bits += [byte >> (7 - bit) & 1 for bit in range(8)]


def encode_text(model, symbols, lanes, context, overlap, shown=()):
    """mixing.md, section 9: as encode_symbols. The prime's tokens are symbols' tokens."""
    walk = mixing.Walk(model.spelling, 0 if model.all_bytes else 12)
    raw = b"".join(bytes(s) if isinstance(s, tuple) else model.spelling[s] for s in symbols)
    text, coder = mixing.Text(walk, (len(raw) - 1).bit_length()), MixingEncoder()
    overlap, blocks, first = overlap if lanes == 1 else 0, [], 0
    inputs = list(shown) + [model.start if isinstance(s, tuple) else model.symbols[s] for s in symbols]
    while first < len(symbols):
        seen = overlap if first else len(shown)
        blocks.append((first, min(first + context - seen, len(symbols)), seen))
        first = blocks[-1][1]
    for at in range(0, len(blocks), lanes):
        round_ = blocks[at:at + lanes]
        text.begin_round(len(round_))
        for token in shown if at == 0 else ():
            text.teach(0, model.symbols.index(token))
        running = [lmz.Block(model) for _ in round_]
        for step in range(max(end - first for first, end, _ in round_)):
            for lane, (first, end, seen) in enumerate(round_):
                if first + step >= end:
                    continue
                here = len(shown) + first + step
                known = inputs[here - 1:here] if step else [model.start, *inputs[here - seen:here]]
                logits = [running[lane].step(token) for token in known][-1]
                symbol = symbols[first + step]
                if walk.escape_shift:
                    coder.bits.append(int(isinstance(symbol, tuple)))
                if isinstance(symbol, tuple):
                    coder.byte(symbol[0])
                else:
                    wanted = walk.place[symbol]

                    def note(kind, j, bit, partial, known, low, middle, high):
                        coder.bits.append(int(wanted >= middle))
                        return coder.bits[-1]
                    walk.steps(note)
                text.code(lane, lmz.Distribution(model, logits).weights[:-1], coder)
                assert not coder.bits
    return raw, coder.encoder.seal()


def encode_bytes(raw, size, version=2):
    contexts, coder = mixing.Bytes(size, version), MixingEncoder()
    for byte in raw:
        coder.byte(byte)
        contexts.code(coder)
    return coder.encoder.seal()


# ---- A small random model, from lmzm.md ---------------------------------------------------------

def tiny_model(seed=1, tied=False, all_bytes=False):
    """The bytes of a prepared model with grouped heads and shifted columns."""
    rng = random.Random(seed)
    d, f, layers, H, G, D = 16, 24, 2, 4, 2, 8
    spelling = [b"", b"", b"ab", b"a", b"\xff\x00", b"the ", b"", b"xyz"] + [bytes([b]) for b in range(98, 120)]
    if all_bytes:
        spelling += [bytes([b]) for b in range(256)]
    tensors = {}

    def put(name, dtype, shape, values):
        code, _ = lmz.DTYPES[dtype]
        tensors[name] = (dtype, shape, struct.pack(f"<{len(values)}{code}", *values))

    def linear(name, out, inp, gain=1.0, shifts=True, only_scales=False):
        if not only_scales:
            put(name + ".w", "I8", [out, inp], [rng.randint(-127, 127) for _ in range(out * inp)])
            if shifts:
                put(name + ".c", "U8", [inp], [rng.choice((0, 0, 0, 1, 2)) for _ in range(inp)])
        scale = gain / (73 * math.sqrt(inp))
        put(name + ".m", "I32", [out], [round(scale * rng.uniform(0.5, 1.0) * 2**36) for _ in range(out)])
        put(name + ".e", "I32", [1], [-36])

    def norm(name):
        put(name + ".g", "I32", [d], [round(math.sqrt(d) * rng.uniform(0.5, 1.5) * 2**17) for _ in range(d)])
        put(name + ".e", "I32", [1], [-17])

    linear("embed", len(spelling), d, gain=2.0)
    for n in range(layers):
        p = f"layers.{n}."
        norm(p + "attn_norm")
        norm(p + "ffn_norm")
        linear(p + "qkv", (H + 2 * G) * D, d)
        linear(p + "o", d, H * D)
        linear(p + "gate_up", 2 * f, d, shifts=False)
        linear(p + "down", d, f)
    norm("norm")
    linear("head", len(spelling), d, gain=2.0, only_scales=tied)
    put("rope.freq", "U32", [D // 2], [round(10.0**-i * 2**32 / (2 * math.pi)) for i in range(D // 2)])
    put("vocab.len", "U16", [len(spelling)], [len(s) for s in spelling])
    put("vocab.bytes", "U8", [sum(map(len, spelling))], b"".join(spelling))
    put("tokenizer", "U8", [3], b"xyz")

    blueprint = {"hidden_size": d, "intermediate_size": f, "layers": layers, "heads": H, "kv_heads": G,
                 "head_dim": D, "vocab_size": len(spelling), "max_positions": 64, "start_token": 1,
                 "norm": {"kind": "rms_norm", "eps": 1e-5}, "activation": "silu",
                 "position": {"kind": "rope", "theta": 10000.0, "scaling": {"kind": "none"}}}
    meta = {"version": 1, "recipe": 1, "numerics": 0, "name": "tiny", "checkpoint": "00" * 32,
            "residual_frac_bits": 14, "eps_fixed": round(d * 1e-5 * 2**28), "blueprint": json.dumps(blueprint)}
    header, data = {"__metadata__": {"lmzm": json.dumps(meta)}}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def float_logits(model, tokens):
    """The model in floating point, with the very weights of the integer one: log2 units."""
    def matvec(layer, x):
        c = layer.c or [0] * len(x)
        x = [v * 2.0**k for v, k in zip(x, c)]
        return [lmz.dot(r, x) * m * 2.0**layer.e for r, m in zip(layer.w, layer.m)]

    def norm(x, gains):
        g, e, _ = gains
        n = math.sqrt(lmz.dot(x, x) + model.eps_fixed / 4**model.F)
        return [a * b * 2.0**e / n for a, b in zip(x, g)]

    def rotate(y, position):
        h, out = len(y) // 2, [0.0] * len(y)
        for i, freq in enumerate(model.freq[0]):
            a = 2 * math.pi * position * freq / 2**32
            out[i] = y[i] * math.cos(a) - y[i + h] * math.sin(a)
            out[i + h] = y[i + h] * math.cos(a) + y[i] * math.sin(a)
        return out

    H, G, D, result = model.H, model.G, model.D, []
    keys, values = ([[[] for _ in range(G)] for _ in model.layers] for _ in range(2))
    for position, token in enumerate(tokens):
        e, c = model.embed, model.embed.c or [0] * model.d
        x = [w * e.m[token] * 2.0**(e.e + k) for w, k in zip(e.w[token], c)]
        for n, layer in enumerate(model.layers):
            attn_norm, ffn_norm, o, down = (layer[k] for k in ("attn_norm", "ffn_norm", "o", "down"))
            y = matvec(layer["qkv"], norm(x, attn_norm))
            heads, mixed = [y[i:i + D] for i in range(0, len(y), D)], []
            for g in range(G):
                keys[n][g].append(rotate(heads[H + g], position))
                values[n][g].append(heads[H + G + g])
            for h in range(H):
                g, q = h // (H // G), rotate(heads[h], position)
                p = [2.0**lmz.dot(q, k) for k in keys[n][g]]
                mixed += [lmz.dot(p, column) / sum(p) for column in zip(*values[n][g])]
            x = [a + b for a, b in zip(x, matvec(o, mixed))]
            y = matvec(layer["up"], norm(x, ffn_norm))
            inner = [a / (1 + math.exp(-a)) * b for a, b in zip(y[:model.f], y[model.f:])]
            x = [a + b for a, b in zip(x, matvec(down, inner))]
        result.append(matvec(model.head, norm(x, model.norm)))
    return result


# ---- The checks ---------------------------------------------------------------------------------

class Hash(unittest.TestCase):
    # The official pattern of input (i mod 251); first 8 bytes of the hash.
    VECTORS = {0: "af1349b9f5f9a1a6", 1: "2d3adedff11b61f1", 63: "e9bc37a594daad83", 64: "4eed7141ea4a5cd4",
               65: "de1e5fa0be70df6d", 1023: "10108970eeda3eb9", 1024: "42214739f095a406",
               1025: "d00278ae47eb27b3", 2048: "e776b6028c7cd22a", 2049: "5f4d72f40d7a5f82",
               3073: "7124b49501012f81", 31744: "62b6960e1a44bcc1", 102400: "bc3e3d41a1146b06"}

    def test_vectors(self):
        for n, digest in self.VECTORS.items():
            self.assertEqual(lmz.blake3(bytes(i % 251 for i in range(n)))[:8].hex(), digest, n)


class Container(unittest.TestCase):
    def setUp(self):
        block = re.search(r"```golden\n(.*?)```", FORMAT, re.S).group(1)
        self.golden = bytes.fromhex("".join(line.split("#")[0] for line in block.splitlines()))

    def test_golden(self):
        head, segments, digest = lmz.read_member(lmz.Cursor(self.golden))
        self.assertEqual((head["name"], head["context"], head["overlap"], head["plan"]), ("example", 512, 64, 32))
        self.assertEqual((head["numerics"], head["recipe"], head["model"]), (0, 1, bytes(range(16))))
        self.assertEqual([s["kind"] for s in segments], [1, 2, 3])
        self.assertEqual([s["ideal"] for s in segments], [7777, None, None])
        raw = [b"A segment coded under the model.", b"a" * 32, b"\x00\xffend"]
        self.assertEqual([s["crc"] for s in segments], [zlib.crc32(r) for r in raw])
        self.assertEqual([lmz.decode_segment(s, head, None, None) for s in segments[1:]], raw[1:])
        self.assertEqual(lmz.blake3(b"".join(raw))[:16], digest)

    def test_damage(self):
        """Every change of one byte is refused, but for coded bytes and the hash: what guards those is
        checked on the decoded bytes."""
        coded = [(self.golden.index(bytes.fromhex(h)), len(h) // 2)
                 for h in ("c0dec0de", "28b52ffd2020030100 61".replace(" ", ""), "00ff656e64")]
        skip = {i for at, n in coded for i in range(at, at + n)}
        for i in range(len(self.golden)):
            for change in (1, 0x80, 0xFF):
                bad = bytearray(self.golden)
                bad[i] ^= change
                if i not in skip:
                    with self.assertRaises(lmz.LmzError, msg=f"byte {i}"):
                        lmz.read_member(lmz.Cursor(bytes(bad)))

    def test_truncation(self):
        for n in range(len(self.golden)):
            with self.assertRaises(lmz.LmzError):
                lmz.read_member(lmz.Cursor(self.golden[:n]))

    def decode(self, data):
        return b"".join(lmz.decode_file(data, None))

    def test_members(self):
        one, empty = member([(3, b"abcd", b"abcd"), (3, b"ef", b"ef")], 4), member([], 0)
        self.assertEqual(self.decode(one + empty + one), b"abcdefabcdef")
        self.assertEqual(self.decode(empty), b"")
        self.assertEqual(self.decode(one + bytes(512)), b"abcdef")
        for bad in (b"", one + b"x", one + bytes(512) + b"x", bytes(512) + one, one + bytes(512) + one, one + b"trailing garbage", one[:-1], one + one[:50]):
            with self.assertRaises(lmz.LmzError):
                self.decode(bad)

    def test_stored_damage(self):
        good = member([(3, b"abcd", b"abcd")], 4)
        self.assertEqual(self.decode(good), b"abcd")
        with self.assertRaisesRegex(lmz.LmzError, "segment 0: checksum"):
            self.decode(good.replace(b"abcd", b"abce"))
        digest = lmz.blake3(b"abcd")[:16]
        forged = bytearray(good)
        forged[good.index(digest)] ^= 1
        forged[-8:-4] = crc(forged[len(good) - 12 - struct.unpack("<I", good[-12:-8])[0]:-8])
        with self.assertRaisesRegex(lmz.LmzError, "hash"):
            self.decode(bytes(forged))

    def test_plan(self):
        for segments, plan, message in (
                ([(3, b"abcde", b"abcde")], 4, "longer than the plan"),
                ([(3, b"abc", b"abc"), (3, b"d", b"d")], 4, "follows a shorter"),
                ([(3, b"abcd", b"abc")], 4, "stored length"),
                ([(2, b"abcd", b"abcde")], 4, "bad lengths"),
                ([(4, b"abcd", b"abcd")], 4, "kind 4 is not known")):
            with self.assertRaisesRegex(lmz.LmzError, message):
                self.decode(member(segments, plan))
        sizes = [lmz.segment_size(0, o) >> 10 for o in (0, 2**20 - 1, 2**20, 2**23 - 1, 2**23)]
        self.assertEqual(sizes, [64, 64, 128, 128, 256])
        self.assertEqual(lmz.segment_size(7, 2**23), 7)

    def test_header(self):
        self.assertEqual(self.decode(member([], 0, extension=b"\x00\x01x\x02\x00")), b"")
        for message, bad in (("extension 3", member([], 0, extension=b"\x03\x00")),
                             ("do not increase", member([], 0, extension=b"\x02\x00\x02\x00")),
                             ("overlap", member([], 0, context=3, overlap=3)),
                             ("version 3", member([], 0, version=3)),
                             ("truncated", member([], 0, extension=b"\x02\x05"))):
            with self.assertRaisesRegex(lmz.LmzError, message):
                self.decode(bad)

    def test_varint(self):
        for n in (0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1):
            self.assertEqual(lmz.Cursor(varint(n)).varint(), n)
        for bad in (b"\x80\x00", b"\x80", b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01", varint(2**64)):
            with self.assertRaises(lmz.LmzError):
                lmz.Cursor(bad).varint()

    def test_zstd_frame(self):
        frame = bytes.fromhex("28b52ffd20200301 0061".replace(" ", ""))
        self.assertEqual(lmz.zstd_frame_end(frame), len(frame))
        for coded, message in ((frame + b"x", "after the zstd frame"), (frame[:-1], "truncated"), (b"x" * 9, "no frame")):
            with self.assertRaisesRegex(lmz.LmzError, message):
                self.decode(member([(2, b"a" * 32, coded)], 0))


class Mixed(unittest.TestCase):
    """Groups (format.md, Mixed segments) in members of version 2."""

    def setUp(self):
        self.model = lmz.Model(tiny_model(3))
        rng = random.Random(4)
        self.symbols = [(rng.randrange(256),) if rng.random() < 0.1 else rng.randrange(len(self.model.symbols)) for _ in range(30)]
        self.symbols += self.symbols[:12]

    def decode(self, data):
        return b"".join(lmz.decode_file(data, lambda head: self.model))

    def test_text(self):
        for lanes in (1, 3):
            raw, string = encode_text(self.model, self.symbols, lanes, 9, 3)
            coded = bytes([1 | lanes - 1 << 2]) + varint(len(self.symbols)) + string
            self.assertEqual(self.decode(member([(4, raw, coded)], 0, version=2)), raw)
            self.assertEqual(self.decode(member([(4, raw, coded)], 0, context=9, overlap=3, version=2)), raw)
            with self.assertRaises(lmz.LmzError):
                self.decode(member([(4, raw[:-1], coded)], 0, version=2))

    def test_bytes(self):
        raw = b"a table, a table; " * 4
        for version in lmz.MIXING_VERSIONS:
            coded = b"\2" + encode_bytes(raw, (len(raw) - 1).bit_length(), version)
            self.assertEqual(self.decode(member([(4, raw, coded)], 0, version=2, mix=version)), raw)

    def test_list(self):
        text, string = encode_text(self.model, self.symbols[:20], 2, 9, 3)
        cut = len(text) // 2
        table, noise = b"1,2,3\n1,2,4\n", bytes(range(200, 230))
        copied = len(noise) + 5
        raw = text[:cut] + table + noise + table[-5:] + text[cut:]
        parts = ((0, cut), (1, len(table)), (2, len(noise)), (3, 5), (0, len(text) - cut))
        items = b"".join(varint(4 * n + kind) + (varint(copied) if kind == 3 else b"") for kind, n in parts)
        first = encode_bytes(items + table, (len(raw) - 1).bit_length())
        coded = bytes([0 | 1 << 2]) + varint(len(items)) + varint(len(first)) + varint(20) + first + noise + string
        self.assertEqual(lmz.decode_group(self.model, coded, len(raw), 9, 3), raw)
        for bad in (coded[:6], b"\3" + coded[1:]):
            with self.assertRaises(lmz.LmzError):
                lmz.decode_group(self.model, bad, len(raw), 9, 3)

    def test_prime(self):
        shown = [self.model.symbols[n] for n in (4, 2, 7, 1)]
        for lanes in (1, 2):
            raw, string = encode_text(self.model, self.symbols, lanes, 9, 3, shown)
            coded = bytes([1 | lanes - 1 << 2]) + varint(len(self.symbols)) + string
            self.assertEqual(lmz.decode_group(self.model, coded, len(raw), 9, 3, shown), raw)

    def test_small(self):
        for blocks, version in ((False, 1), (True, 1), (False, 2), (True, 2)):
            context, overlap = (9, 3) if blocks else (10**4, 0)
            raw, string = encode_text(self.model, self.symbols, 1, context, overlap)
            coded = b"\1" + varint(len(self.symbols)) + string
            if len(coded) > len(raw):
                raw, coded = b"abc" * 40, b"\2" + encode_bytes(b"abc" * 40, 7, version)
            head = lmz.MAGIC + bytes([0x82, 1 | 1 << 3]) + bytes(8) + bytes([version | blocks << 7])
            head += (varint(9) + varint(3) if blocks else b"") + varint(len(raw)) + varint(len(coded)) + crc(raw)
            self.assertEqual(self.decode(head + crc(head)[:2] + coded), raw)


class Coder(unittest.TestCase):
    def round_trip(self, intervals):
        encoder = RangeEncoder()
        for start, width in intervals:
            encoder.put(start, width)
        coded = encoder.seal()
        decoder = lmz.RangeDecoder(coded)
        for start, width in intervals:
            self.assertTrue(start <= decoder.quotient() < start + width)
            decoder.consume(start, width)
        return coded

    def test_round_trips(self):
        rng = random.Random(5)
        self.round_trip([])
        for case in range(300):
            intervals = []
            for _ in range(rng.randint(1, 60)):
                width = min(rng.choice((1, 2, rng.randint(1, 99), rng.randint(1, 2**32), 2**32 - 1, 2**32)), 2**32)
                start = rng.choice((0, 2**32 - width, rng.randint(0, 2**32 - width)))
                intervals.append((start, width))
            self.round_trip(intervals)

    def test_carry(self):
        """The top interval over and over gives words of 2^32 - 1; a carry then runs through them."""
        coded = self.round_trip([(2**32 - 1, 1)] * 40)
        self.assertIn(b"\xff" * 100, coded)
        rng = random.Random(6)
        for _ in range(200):
            self.round_trip([(2**32 - 1, 1)] * rng.randint(0, 9) + [(2**32 - 2**k, 2**k) for k in rng.choices(range(33), k=9)])

    def test_cost(self):
        """The coded length is within 4 bytes of the ideal one."""
        rng, bits, intervals = random.Random(7), 0.0, []
        for _ in range(2000):
            width = rng.randint(1, 2**rng.randint(1, 31))
            intervals.append((rng.randint(0, 2**32 - width), width))
            bits += 32 - math.log2(width)
        self.assertLess(len(self.round_trip(intervals)) - bits / 8, 4)

    def test_vectors(self):
        """The table of format.md: intervals and coded bytes, in hex."""
        table = FORMAT.split("| intervals | coded bytes |")[1].splitlines()[2:]
        table = itertools.takewhile(lambda r: r.startswith("|"), table)
        rows = [r.strip("| ").split("|") for r in table]
        if not rows:
            self.skipTest("format.md has no vectors yet")
        for left, right in rows:
            intervals = [(int(s, 16), int(w, 16)) for s, w in re.findall(r"([0-9a-fA-F]+)\+([0-9a-fA-F]+)", left)]
            right = "" if "none" in right else re.sub(r"[^0-9a-fA-F]", "", right)
            self.assertEqual(self.round_trip(intervals).hex(), right.lower(), left)


class Functions(unittest.TestCase):
    def test_shifts(self):
        self.assertEqual([lmz.rshift(x, 1) for x in (-3, -2, -1, 0, 1, 2, 3)], [-1, -1, 0, 0, 1, 1, 2])
        self.assertEqual((lmz.rshift(5, -2), lmz.rshift(5, 0), lmz.rshift(2**62, 63)), (20, 5, 0))
        self.assertEqual(lmz.rshift_all([-3, 3], 1), [-1, 2])
        self.assertEqual((lmz.shift_to(1, 31), lmz.shift_to(-1, 99), lmz.shift_to(0, 99)), (2**31 - 1, 1 - 2**31, 0))
        self.assertEqual((lmz.shift_to(1, 30), lmz.shift_to(3, -1), lmz.shift_to(2**40, -1)), (2**30, 2, 2**39))

    def test_quantise(self):
        self.assertEqual(lmz.quantise([0, 0], 7, 9), ([0, 0], -65536))
        self.assertEqual(lmz.quantise([1, -1], 7, 9), ([256, -256], -1))
        self.assertEqual(lmz.quantise([1023, -1023, 5], 0, 9), ([511, -511, 3], 1))

    def test_exp2(self):
        rng = random.Random(3)
        self.assertEqual((lmz.exp2(0), lmz.exp2(2**16), lmz.exp2(2**32 - 1)), (2**30, 2**29, 0))
        for n in [*range(1, 2000), *(rng.randrange(2**20) for _ in range(5000))]:
            exact = 2.0**(30 - n / 2**16)
            self.assertLess(abs(lmz.exp2(n) - exact), 1 + 1.3e-5 * exact)

    def test_sin(self):
        rng = random.Random(4)
        for f in [0, 1, 2**30 - 1, 2**30, *(rng.randrange(2**30) for _ in range(5000))]:
            self.assertLess(abs(lmz.sinq(f) / 2**30 - math.sin(math.pi / 2 * f / 2**30)), 1e-8)
        for phase in [q << 30 for q in range(4)] + [rng.randrange(2**32) for _ in range(2000)]:
            angle = 2 * math.pi * phase / 2**32
            cos, sin = lmz.cos_sin(phase)
            self.assertLess(abs(cos / 2**30 - math.cos(angle)) + abs(sin / 2**30 - math.sin(angle)), 2e-8)

    def test_sigmoid(self):
        decimal.getcontext().prec = 30
        for i in range(1024):  # the table against thirty digits, and its distance from ties
            exact = 2**24 / (1 + (decimal.Decimal(-i) / 64).exp())
            self.assertEqual(lmz.SIGMOID[i], int(exact + decimal.Decimal("0.5")))
            self.assertTrue(i == 0 or abs(exact % 1 - decimal.Decimal("0.5")) > decimal.Decimal("0.0001"))
        for t in range(-2**20, 2**20 + 1, 997):
            self.assertLess(abs(lmz.sigmoid(t) / 2**24 - 1 / (1 + math.exp(-t / 2**16))), 4e-6)

    def test_sigmoid_hash(self):
        stated = re.search(r"BLAKE3 of the 1026 little-endian 32-bit entries:\s+`([0-9a-f]{64})`", NUMERICS)
        if not stated:
            self.skipTest("numerics.md has no hash of the table yet")
        self.assertEqual(lmz.blake3(struct.pack("<1026I", *lmz.SIGMOID)).hex(), stated.group(1))


class Forward(unittest.TestCase):
    def test_against_floats(self):
        """The integer forward pass computes the model: logits close to those of floating point."""
        for tied in (False, True):
            model = lmz.Model(tiny_model(tied=tied))
            tokens = [1, 5, 3, 9, 1, 20, 20, 7, 2, 15, 6, 8]
            block = lmz.Block(model)
            errors, size = [], 0.0
            for token, exact in zip(tokens, float_logits(model, tokens)):
                errors += [abs(z / 2**16 - r) for z, r in zip(block.step(token), exact)]
                size = max(size, *map(abs, exact))
            self.assertGreater(size, 2)
            self.assertLess(max(errors), size / 50)  # 9-bit values are the coarsest step
            self.assertLess(sum(errors) / len(errors), size / 500)

    def test_wide_layer(self):
        """Sums of more than 512 columns are rounded down to 32 bits, once, after all chunks."""
        w, x = [[127] * 1025], [32767] * 1025
        layer = lmz.Linear(w, [2**31 - 1], 0, None)
        self.assertEqual(layer.guard, 2)
        (y,), e = lmz.linear(layer, x, 0)
        self.assertLess(y, 2**30)
        self.assertLess(abs(y * 2**e / (127 * 32767 * 1025 * (2**31 - 1)) - 1), 1e-8)

    def test_intervals(self):
        """The intervals of all symbols and the escape tile 2^32."""
        for all_bytes in (False, True):
            model = lmz.Model(tiny_model(all_bytes=all_bytes))
            distribution = lmz.Distribution(model, lmz.Block(model).step(1))
            at = 0
            for s in range(len(model.symbols) + 1):
                start, width = distribution.interval(s)
                self.assertTrue(start == at and width >= 1)
                self.assertEqual((distribution.find(start), distribution.find(start + width - 1)), (s, s))
                at += width
            self.assertEqual(at, 2**32)
            self.assertEqual(width == 1, all_bytes)

    def test_identity(self):
        data = tiny_model()
        identity = lmz.Model(data).identity()
        self.assertEqual(identity, lmz.Model(data.replace(b"tiny", b"TINY")).identity())
        self.assertNotEqual(identity, lmz.Model(data[:-1] + b"?").identity())
        other = {0: 1, 1: 0}[lmz.Model(data).meta["numerics"]]
        self.assertNotEqual(identity, lmz.Model(data).identity(other))
        self.assertEqual(identity, lmz.Model(data).identity(1 - other))

    def test_broken_models(self):
        data = tiny_model()
        for n in (0, 7, 8, 100, len(data) // 2, len(data) - 4):
            with self.assertRaises(lmz.LmzError):
                lmz.Model(data[:n])
        for old, new in ((b"layers.1.o.w", b"layers.1.o.v"), (b'"I8"', b'"U8"'), (b"vocab.len", b"vocab.lon")):
            with self.assertRaises(lmz.LmzError):
                lmz.Model(data.replace(old, new))


def widened(data):
    """A prepared model for version 2 of the numerics, the first layer and every second one after it with wide scores."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    meta = json.loads(header["__metadata__"]["lmzm"])
    meta["numerics"] = 2
    layers = json.loads(meta["blueprint"])["layers"]
    header["__metadata__"]["lmzm"] = json.dumps(meta)
    end = len(data) - 8 - length
    header["scores.wide"] = {"dtype": "U8", "shape": [layers], "data_offsets": [end, end + layers]}
    text = json.dumps(header).encode("utf-8")
    return struct.pack("<Q", len(text)) + text + data[8 + length:] + bytes(1 - n % 2 for n in range(layers))


class Families(unittest.TestCase):
    """Models of other families than Llama, made and run by the engine: tests/vectors/families.json."""

    def test_gates(self):
        for name in ("gelu", "gelu_tanh"):
            table = struct.pack("<1026i", *lmz.GATES[name])
            self.assertIn(lmz.blake3(table).hex(), NUMERICS, name)

    def test_logits(self):
        vectors = DOCS.parent / "tests" / "vectors"
        families = json.loads((vectors / "families.json").read_text(encoding="utf-8"))["families"]
        self.assertGreaterEqual(len(families), 10)
        for name, expected in families.items():
            model = lmz.Model((vectors / "families" / f"{name}.lmzm").read_bytes())
            self.assertEqual(model.identity().hex(), expected["identity"], name)
            block, digest = lmz.Block(model), b""
            for token in expected["tokens"]:
                z = block.step(token)
                digest += struct.pack(f"<{len(z)}i", *z)
            self.assertEqual(lmz.blake3(digest).hex(), expected["logits_blake3"], name)

    def test_version_2(self):
        """Wide scores and values, fine rows, and blocks: tests/vectors/numerics2.json."""
        vectors = DOCS.parent / "tests" / "vectors"
        models = json.loads((vectors / "numerics2.json").read_text(encoding="utf-8"))["models"]
        self.assertEqual(len(models), 12)
        for name, expected in models.items():
            if name in ("large", "fine", "blocks") or "/" in name:
                data = (vectors / f"{name}.lmzm").read_bytes()
            else:
                data = widened((vectors / "families" / f"{name}.lmzm").read_bytes())
            model = lmz.Model(data)
            self.assertEqual(model.identity().hex(), expected["identity"], name)
            block, digest = lmz.Block(model), b""
            for token in expected["tokens"]:
                z = block.step(token)
                digest += struct.pack(f"<{len(z)}i", *z)
            self.assertEqual(lmz.blake3(digest).hex(), expected["logits_blake3"], name)

    def test_broken_fine_rows(self):
        data = (DOCS.parent / "tests" / "vectors" / "fine.lmzm").read_bytes()
        lmz.Model(data)
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        name = next(name for name in header if name.endswith(".fine"))
        low = 8 + length + header[name[:-len("fine")] + "low"]["data_offsets"][0]
        rows = 8 + length + header[name]["data_offsets"][0]
        for place, value in ((low, b"\x80"), (rows, b"\xff\xff\xff\x7f")):
            with self.assertRaises(lmz.LmzError):
                lmz.Model(data[:place] + value + data[place + len(value):])
        with self.assertRaises(lmz.LmzError):
            lmz.Model(data.replace(name.encode(), name[:-1].encode() + b"a"))

    def test_what_is_not_known_is_refused(self):
        data = tiny_model()
        for old, new in ((b'silu', b'tanh'), (b'rms_norm', b'rms_norm2'), (b'"rope', b'"alib')):
            length = int.from_bytes(data[:8], "little")
            self.assertIn(old, data[8:8 + length])
            text = data[8:8 + length].replace(old, new)
            with self.assertRaises(lmz.LmzError):
                lmz.Model(struct.pack("<Q", len(text)) + text + data[8 + length:])


class Files(unittest.TestCase):
    def test_symbols(self):
        """Tokens, escapes and several blocks, with and without overlap."""
        rng = random.Random(9)
        for all_bytes, context, overlap in ((False, 9, 3), (False, 5, 0), (False, 6, 5), (True, 100, 7)):
            model = lmz.Model(tiny_model(all_bytes=all_bytes))
            symbols = [rng.choice(((rng.randrange(256),), rng.randrange(len(model.symbols)))) for _ in range(40)]
            raw, coded = encode_symbols(model, symbols, context, overlap)
            self.assertEqual(lmz.decode_symbols(model, coded, len(raw), context, overlap), raw)
            if context < len(symbols):  # the blocks matter: with another context it is another text
                try:
                    self.assertNotEqual(lmz.decode_symbols(model, coded, len(raw), context + 1, overlap), raw)
                except lmz.LmzError:
                    pass

    def test_overshoot(self):
        model = lmz.Model(tiny_model())
        raw, coded = encode_symbols(model, [0, model.spelling.index(b"the ")], 9, 3)
        with self.assertRaisesRegex(lmz.LmzError, "leaves the segment"):
            lmz.decode_symbols(model, coded, len(raw) - 1, 9, 3)

    def test_likely_text(self):
        """Greedy text is short, so that the whole path through a file is taken."""
        model = lmz.Model(tiny_model())
        for overlap in (0, 3):
            feed, symbols = lmz.Context(model, 9, overlap), []
            for _ in range(25):
                weights = feed.distribution().weights
                symbols.append(weights.index(max(weights)))
                feed.push(symbols[-1])
            raw, coded = encode_symbols(model, symbols, 9, overlap)
            self.assertLess(len(coded), len(raw))
            data = member([(1, raw, coded), (3, b"z", b"z")], len(raw), model.identity()[:16], 9, overlap)
            self.assertEqual(b"".join(lmz.decode_file(data, lambda head: model)), raw + b"z")
            wrong = member([(1, raw, b"\x55" + coded[1:])], 0, model.identity()[:16], 9, overlap)
            with self.assertRaises(lmz.LmzError):
                b"".join(lmz.decode_file(wrong, lambda head: model))


if __name__ == "__main__":
    unittest.main()
