#!/usr/bin/env python3
"""Writes a WET file of a size by repeating texts with variation, to measure `lmz corpus cc` with.

    tools/corpus/make_wet.py --size 1000000000 --out big.wet.gz CORPUS.jsonl...

Each copy of a document has words of its own in every line, so that neither its text nor its paragraphs are another's; one
document in twenty is an exact copy, and one line in ten is one that many documents have, as on the web. The size is that of
the records, unpacked. Each record is a member of gzip, as Common Crawl has them.
"""

import argparse
import gzip
import json
import random


def word(n):
    letters = []
    while True:
        letters.append("bcdfghklmnprstvz"[n % 16] + "aeiou"[n // 16 % 5])
        n //= 80
        if n == 0:
            return "".join(letters)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, required=True, help="bytes, unpacked")
    parser.add_argument("--out", required=True)
    parser.add_argument("--level", type=int, default=6, help="of gzip")
    parser.add_argument("--plain", action="store_true", help="documents of one short line of words each: a million in a few hundred megabytes")
    parser.add_argument("corpora", nargs="+")
    args = parser.parse_args()
    documents = []
    for path in args.corpora:
        with open(path, encoding="utf-8") as lines:
            documents += [json.loads(line)["content"] for line in lines]
    if args.plain:
        pieces = []
        for text in documents:
            words = text.split()
            pieces += [" ".join(words[at : at + 60]) for at in range(0, len(words) - 60, 60)]
        documents = pieces
    rng = random.Random(1)
    common = [f"Common line {word(n)} of the site, which many pages have" for n in range(50)]
    size = count = 0
    last = None
    with open(args.out, "wb") as out:
        while size < args.size:
            for text in documents:
                if size >= args.size:
                    break
                if last is not None and rng.random() < 0.05:
                    body = last
                else:
                    lines = []
                    for line in text.split("\n"):
                        mine = word(count * 7919 + len(lines))
                        lines.append(f"{line} {mine}" if line.strip() else line)
                        if rng.random() < 0.1:
                            lines.append(rng.choice(common))
                    body = ("\n".join(lines) + "\n").encode()
                last = body
                head = (
                    f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://www.{word(count % 5000)}.example/{count}\r\n"
                    f"WARC-Date: 2026-06-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:{count:032x}>\r\n"
                    f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
                ).encode()
                record = head + body + b"\r\n\r\n"
                out.write(gzip.compress(record, args.level, mtime=0))
                size += len(record)
                count += 1
    print(f"{args.out}: {count} records, {size} bytes unpacked")


if __name__ == "__main__":
    main()
