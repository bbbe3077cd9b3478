#!/usr/bin/env python3
"""Writes the documents of a .jsonl corpus, joined by newlines, cut after so many bytes, as a plain file to compress.

    first_megabyte.py CORPUS.jsonl OUT [--bytes 1000000]
"""

import argparse
import json
import pathlib


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    args = parser.parse_args()
    with args.corpus.open(encoding="utf-8") as lines:
        text = "\n".join(json.loads(line)["content"] for line in lines)
    args.out.write_bytes(text.encode()[: args.bytes])


if __name__ == "__main__":
    main()
