#!/usr/bin/env python3
"""Every figure of README.md and docs/: measured, written into the documents, or compared with them.

    results.sh list                     what there is to measure, and where it stands
    results.sh show  [NAME ...]         measure and print
    results.sh write [NAME ...]         measure and put it into the documents
    results.sh check [NAME ...]         measure again, and fail where a document says something else

    --lmz PROGRAM      the program (target/release/lmz)
    --corpora DIR      held-out texts that are not in the repository: alice29.txt, lcet10.txt, ..., web.jsonl, python.jsonl, math.jsonl
    --models DIR       published models as GGUF files (tools/models/fetch.py)
    --benchmarks DIR   benchmarks that are not in the program, as `lmz eval --data` takes them

A document holds a block `<!-- measured: NAME -->` ... `<!-- end -->` for each measurement. Times are masked before blocks are compared, and a block that is nothing but
times (marked `timed`) is compared by its shape alone: it names the machine that it was measured on. A measurement that needs texts which are not there is
left out, and that is said; `check` without one that it was asked for fails.
"""
import argparse
import os
import re
import sys
import tempfile

import tables  # noqa: F401  (it registers what there is)
from bench import MEASURES, ROOT, Bench, Missing

DOCUMENTS = ["README.md", "docs/results.md", "docs/mixing.md", "docs/models.md", "docs/study.md"]
def masked(text):
    """Without what differs from run to run."""
    text = re.sub(r"\bin [0-9.]+ (ms|s|min)\b", "in T", text)
    return re.sub(r"[ \t]+\n", "\n", text.strip())


def shape(text):
    """The rows' and columns' names of a block of times."""
    return re.sub(r"[0-9][0-9.,]*", "N", "\n".join(re.sub(r"[ \t]+", " ", line) for line in text.strip().splitlines() if not line.startswith("Measured on")))


def blocks(text):
    """(name, content) of each block of a document."""
    return re.findall(r"<!-- measured: ([\w-]+) -->\n(.*?)<!-- end -->", text, re.S)


def put(text, name, content):
    pattern = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", re.S)
    return pattern.sub(lambda m: m.group(1) + content.strip() + "\n" + m.group(2), text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=["list", "show", "write", "check"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--lmz", default=ROOT / "target/release/lmz")
    parser.add_argument("--corpora", default=os.environ.get("LMZ_CORPORA"))
    parser.add_argument("--models", default=os.environ.get("LMZ_GGUF"))
    parser.add_argument("--benchmarks", default=os.environ.get("LMZ_BENCHMARKS"))
    args = parser.parse_args()
    documents = {path: (ROOT / path).read_text() for path in DOCUMENTS if (ROOT / path).exists()}
    standing = {name: path for path, text in documents.items() for name, _ in blocks(text)}
    unknown = [name for name in [*args.names, *standing] if name not in MEASURES]
    if unknown:
        sys.exit(f"results: nothing is called {', '.join(unknown)}")
    if args.verb == "list":
        for name, (function, timed) in MEASURES.items():
            print(f"{name:12} {standing.get(name, '-'):18} {'times; ' if timed else ''}{function.__doc__.splitlines()[0]}")
        return
    names = args.names or list(standing)
    different, left = [], []
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(args.lmz, args.corpora, work, args.models, args.benchmarks)
        for name in names:
            function, timed = MEASURES[name]
            try:
                content = function(bench)
            except Missing as reason:
                left.append(f"{name}: {reason}")
                continue
            if args.verb == "show":
                print(content.strip(), "\n")
                continue
            path = standing.get(name)
            if path is None:
                sys.exit(f"results: no document has a block {name}")
            if args.verb == "write":
                text = put((ROOT / path).read_text(), name, content)
                (ROOT / path).write_text(text)
                print(f"{path}: {name}", flush=True)
                continue
            old = dict(blocks(documents[path]))[name]
            same = shape(old) == shape(content) if timed else masked(old) == masked(content)
            print(f"{'ok' if same else 'DIFFERS'}: {path}: {name}", flush=True)
            if not same:
                different.append(name)
                print(content.strip())
    for reason in left:
        print(f"left out: {reason}")
    if different or (args.verb == "check" and args.names and left):
        sys.exit(f"results: {', '.join(different) or 'not all could be measured'}")


if __name__ == "__main__":
    main()
