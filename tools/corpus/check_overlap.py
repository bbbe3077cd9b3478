#!/usr/bin/env python3
"""Compares `lmz corpus overlap` with tools/train/overlap.py, which counts shared 13-word sequences with NumPy.

    tools/corpus/check_overlap.py LMZ CORPUS.jsonl OTHER.jsonl

For each document of CORPUS both must count the same sequences that OTHER has.
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
import numpy as np
import overlap


def main():
    lmz, corpus, other = sys.argv[1:]
    hashes = [overlap.grams("\n".join(overlap.strings(json.loads(line))).encode())[0] for line in open(other, encoding="utf-8")]
    table = np.unique(np.concatenate([h[h != 0] for h in hashes]))
    expected = {}
    for number, line in enumerate(open(corpus, encoding="utf-8"), 1):
        grams = overlap.grams(json.loads(line)["content"].encode())[0]
        shared = int(np.isin(grams[grams != 0], table).sum())
        if shared:
            expected[number] = shared
    report = subprocess.run([lmz, "corpus", "overlap", corpus, other, "--at-least", "1", "--json"], check=True, capture_output=True).stdout
    report = json.loads(report)
    found = {hit["line"]: hit["shared"] for hit in report["worst"]}
    wrong = [n for n in found if found[n] != expected.get(n)]
    print(f"{len(expected)} documents share something, {report['touched']} found; {len(found)} compared, {len(wrong)} differ")
    sys.exit(1 if wrong or report["touched"] != len(expected) else 0)


if __name__ == "__main__":
    main()
