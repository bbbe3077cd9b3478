#!/usr/bin/env python3
"""Restores with mixing.py what the Rust code wrote: run `python3 tools/decoder/test_mixing.py`.

The coded bytes are those that crates/lmz-mix/tests/golden.rs holds the Rust code to.
"""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import mixing

GOLDEN = Path(__file__).resolve().parents[2] / "crates/lmz-mix/tests/golden.rs"
# (b"raw" or vec![byte; count], size, version, "hex")
ROW = re.compile(r'\((?:b"([^"]*)"\.to_vec\(\)|vec!\[(\d+); (\d+)\]|counters\((\d+)\)), (\d+), (\d+), "([0-9a-f]*)"\)')


def counters(n):
    """Records of five bytes."""
    return b"".join(i.to_bytes(2, "big") + bytes([0, i * i % 7, 255]) for i in range(n))


# all_bytes, lanes, block, symbols, seed, "hex"
TEXT_ROW = re.compile(r'\((true|false), (\d+), (\d+), (\d+), (\d+), "([0-9a-f]*)"\)')
TAUGHT = [3, 1, 4, 1, 5, 9, 2, 6]


class Noise:
    """The tests' source of numbers (crates/lmz-mix/tests/common)."""

    def __init__(self, state):
        self.state = state

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 32


def weights(lane, before, tokens):
    """What stands for a model there; `before` is a number of the symbol before."""
    noise = Noise(lane << 40 ^ before)
    noise.next()
    kinds = {0: lambda: 0, 1: lambda: 2**32 - 1, 5: lambda: noise.next() >> 24}
    kinds.update({kind: lambda: noise.next() >> 8 for kind in (2, 3, 4)})
    return [kinds[min(noise.next() % 8, 5)]() for _ in range(tokens)]


def vocabulary(all_bytes):
    words = "the then there them a an and answer in into inner is it its itself of off often on one once"
    tokens = [bytes([byte]) for byte in (range(256) if all_bytes else range(97, 123))]
    tokens += [word.encode() for word in words.split() if len(word) > 1]
    tokens += ["\u00e4\u00f6\u00fc".encode(), b"and", b"and", b"=" * 80]
    return mixing.Walk(tokens, 0 if all_bytes else 16)


def rounds(walk, lanes, block, symbols, seed):
    """Symbols (a place, or an escape's byte below 0) by round, lane and time."""
    noise, symbols_of = Noise(seed), []
    while len(symbols_of) < symbols:
        random = noise.next()
        if len(symbols_of) > 40 and random % 3 == 0:
            at = noise.next() % (len(symbols_of) - 30)
            symbols_of += symbols_of[at:at + 30]
        elif walk.escape_shift and random % 16 == 1:
            symbols_of.append(-1 - (noise.next() >> 24))
        else:
            symbols_of.append(noise.next() % len(walk.order))
    blocks = [symbols_of[at:min(at + block, symbols)] for at in range(0, symbols, block)]
    return [blocks[at:at + lanes] for at in range(0, len(blocks), lanes)]


class Golden(unittest.TestCase):
    def test_what_rust_wrote_is_restored(self):
        rows = ROW.findall(GOLDEN.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(rows), 8)
        for text, byte, count, records, size, version, coded in rows:
            if text:
                raw = text.replace("\\n", "\n").encode()
            elif records:
                raw = counters(int(records))
            else:
                raw = bytes([int(byte)]) * int(count)
            with self.subTest(raw=raw[:20], version=version):
                self.assertEqual(mixing.decode_bytes(bytes.fromhex(coded), len(raw), int(size), int(version)), raw)

    def test_texts_that_rust_wrote_are_restored(self):
        rows = TEXT_ROW.findall(GOLDEN.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(rows), 2)
        for all_bytes, *numbers, coded in rows:
            walk = vocabulary(all_bytes == "true")
            wanted = rounds(walk, *map(int, numbers))
            text, decoder = mixing.Text(walk, 9), mixing.Decoder(bytes.fromhex(coded))
            for number, blocks in enumerate(wanted):
                text.begin_round(len(blocks))
                for place in TAUGHT if number == 0 else ():
                    text.teach(0, walk.order[place])
                before = [0] * len(blocks)
                for at in range(max(map(len, blocks))):
                    for lane, symbols in enumerate(blocks):
                        if at < len(symbols):
                            token, spelled = text.code(lane, weights(lane, before[lane], len(walk.order)), decoder)
                            found = -1 - spelled[0] if token is None else walk.place[token]
                            self.assertEqual(found, symbols[at], (number, lane, at))
                            before[lane] = found + 1 if found >= 0 else 2**32 | spelled[0]


if __name__ == "__main__":
    unittest.main()
