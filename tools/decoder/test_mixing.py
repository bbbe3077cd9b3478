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
# (b"raw" or vec![byte; count], size, "hex")
ROW = re.compile(r'\((?:b"([^"]*)"\.to_vec\(\)|vec!\[(\d+); (\d+)\]|counters\((\d+)\)), (\d+), "([0-9a-f]*)"\)')


def counters(n):
    """Records of five bytes."""
    return b"".join(i.to_bytes(2, "big") + bytes([0, i * i % 7, 255]) for i in range(n))


class Golden(unittest.TestCase):
    def test_what_rust_wrote_is_restored(self):
        rows = ROW.findall(GOLDEN.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(rows), 4)
        for text, byte, count, records, size, coded in rows:
            if text:
                raw = text.replace("\\n", "\n").encode()
            elif records:
                raw = counters(int(records))
            else:
                raw = bytes([int(byte)]) * int(count)
            with self.subTest(raw=raw[:20]):
                self.assertEqual(mixing.decode_bytes(bytes.fromhex(coded), len(raw), int(size)), raw)


if __name__ == "__main__":
    unittest.main()
