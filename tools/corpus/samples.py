#!/usr/bin/env python3
"""Makes corpora/fresh: small samples of the three domains, by the commands that make large ones.

    tools/corpus/samples.py LMZ HELD_OUT [OUT]

LMZ is the program; HELD_OUT the folder with web.jsonl (18F, CC0), python.jsonl (NetworkX, BSD-3-Clause) and math.jsonl (Open
Logic Text, CC BY 4.0), whose `meta.source` is repository:path. They are put into the forms in which sources publish: pages
into a WET file, modules into a tarball, TeX into a folder.
"""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path


def documents(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        yield document["meta"]["source"].partition(":")[2], document["content"].encode()


def wet(out, found):
    with open(out, "wb") as file:
        for path, body in found:
            url = f"https://github.com/18F/18f.gsa.gov/blob/main/{path}"
            head = (
                f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-11-01T00:00:00Z\r\n"
                f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            file.write(gzip.compress(head.encode() + body + b"\r\n\r\n", mtime=0))


def tarball(out, top, found):
    with tarfile.open(out, "w") as tar:
        licence = b"Redistribution and use in source and binary forms ... Neither the name of the NetworkX Developers"
        for path, body in [*found, ("LICENSE.txt", licence)]:
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))


def folder(out, found):
    for path, body in found:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(body)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    lmz, held_out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    out = Path(sys.argv[3] if len(sys.argv) > 3 else Path(__file__).parents[2] / "corpora/fresh").resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        wet(scratch / "18f.wet.gz", documents(held_out / "web.jsonl"))
        tarball(scratch / "networkx.tar", "networkx", documents(held_out / "python.jsonl"))
        folder(scratch / "OpenLogic", documents(held_out / "math.jsonl"))

        def corpus(*arguments):
            subprocess.run([lmz, "corpus", *arguments, "--size", "60KB", "--seed", "1", "-q"], cwd=scratch, check=True)

        corpus("cc", "--wet", "18f.wet.gz", "-o", out / "web.jsonl")
        corpus("github", "--repos", "networkx.tar", "-o", out / "python.jsonl")
        corpus("local", "OpenLogic", "--markup", "builtin", "--subset", "math", "--min-length", "1000", "-o", out / "math.jsonl")


if __name__ == "__main__":
    main()
