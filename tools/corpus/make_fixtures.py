#!/usr/bin/env python3
"""What other programs make of the same inputs: fixtures of crates/lmz-corpus/tests/parity.rs.

    pip install datasketch==2.0.0 warcio==1.8.1 py3langid==0.4.0 xxhash
    tools/corpus/make_fixtures.py [--check]

Writes crates/lmz-corpus/tests/fixtures/{minhash,warc,languages}.json and sample.{wet,warc}.gz; with --check compares them with
what is there, and fails if they differ.

* MinHash: datasketch's signatures and candidate pairs, given the hash function and the permutations that lmz-corpus has; the
  numbers of bands and rows that it takes for a threshold.
* WARC: warcio's records of files that warcio wrote.
* Languages: py3langid's language of each text of languages.txt.
"""

import argparse
import gzip
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import xxhash
from datasketch import MinHash, MinHashLSH
from datasketch.lsh import _optimal_param
from py3langid.langid import LanguageIdentifier, MODEL_FILE
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

HERE = Path(__file__).resolve().parent
OUT = HERE.parents[1] / "crates/lmz-corpus/tests/fixtures"
PERMUTATIONS = 256


def permutations():
    state, mask = 1, (1 << 64) - 1
    numbers = []
    for _ in range(2 * PERMUTATIONS):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        numbers.append((z ^ z >> 31) & 0xFFFFFFFF)
    return np.array([n | 1 for n in numbers[::2]], np.uint32), np.array(numbers[1::2], np.uint32)


def signature(text, a, b):
    words = {w for w in re.split(rb"[^A-Za-z_0-9\x80-\xff]", text.encode()) if w}
    m = MinHash(PERMUTATIONS, scheme="affine32", permutations=(a, b), hashfunc=lambda w: xxhash.xxh3_64_intdigest(w) & 0xFFFFFFFF)
    m.update_batch(sorted(words))
    return m


def minhash():
    a, b = permutations()
    words = [f"name{n}" for n in range(400)]
    texts = [
        "def f(a, b):\n    return a + b\n\nclass C:\n    x = 1\n    y = [f(i, 2) for i in range(10)]\n",
        " ".join(words),
        # Fewer and fewer words in common with the one before: 0.98, 0.9, 0.82, 0.6.
        " ".join(words[:396] + ["other1", "other2", "other3", "other4"]),
        " ".join(words[:379] + [f"more{n}" for n in range(21)]),
        " ".join(words[:360] + [f"less{n}" for n in range(40)]),
        " ".join(words[:300] + [f"none{n}" for n in range(100)]),
        "Größe, Straße; naïve café — “quoted” 日本語 テキスト one two three four five six",
    ]
    signatures = [signature(text, a, b) for text in texts]
    pairs = {}
    for threshold in (0.5, 0.7, 0.85):
        lsh = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
        found = []
        for n, one in enumerate(signatures):
            found += [[m, n] for m in sorted(lsh.query(one))]
            lsh.insert(n, one)
        pairs[str(threshold)] = found
    similar = [[m, n, float(signatures[m].jaccard(signatures[n]))] for n in range(len(texts)) for m in range(n)]
    bands = {str(t / 100): list(_optimal_param(t / 100, PERMUTATIONS, 0.5, 0.5)) for t in range(50, 100, 5)}
    return {
        "texts": texts,
        "signatures": [[int(n) for n in one.hashvalues] for one in signatures],
        "similarity": similar,
        "pairs": pairs,
        "bands": bands,
    }


def wet():
    """A WET file as Common Crawl has them, and a WARC file of responses, both written by warcio."""
    texts = (HERE / "languages.txt").read_text(encoding="utf-8").strip().split("\n\n")
    files = {}
    for kind in ("wet", "warc"):
        raw = io.BytesIO()
        writer = WARCWriter(raw, gzip=True)
        fixed = {"WARC-Date": "2026-06-01T12:00:00Z", "WARC-Record-ID": "<urn:uuid:00000000-0000-0000-0000-000000000000>"}
        info = writer.create_warcinfo_record(f"sample.{kind}.gz", {"software": "warcio"})
        for name, value in fixed.items():
            info.rec_headers.replace_header(name, value)
        writer.write_record(info)
        for n, text in enumerate(texts):
            code, body = text.split("\n", 1)
            headers = {"WARC-Date": f"2026-06-{n % 28 + 1:02}T12:00:00Z", "WARC-Record-ID": f"<urn:uuid:{n:032x}>"}
            url = f"https://www.site{n % 3}.example/{code}/{n}"
            if kind == "wet":
                payload = io.BytesIO(f"{body}\n".encode())
                record = writer.create_warc_record(url, "conversion", payload=payload, warc_content_type="text/plain", warc_headers_dict=headers)
            else:
                page = f"<html><head><title>{code}</title></head><body><nav>menu</nav><p>{body}</p></body></html>".encode()
                http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
                record = writer.create_warc_record(url, "response", payload=io.BytesIO(page), http_headers=http, warc_headers_dict=headers)
            writer.write_record(record)
        files[f"sample.{kind}.gz"] = raw.getvalue()
    return files


def records(files):
    found = {}
    for name, data in files.items():
        found[name] = [
            {
                "type": record.rec_type,
                "url": record.rec_headers.get_header("WARC-Target-URI"),
                "date": record.rec_headers.get_header("WARC-Date"),
                "length": int(record.rec_headers.get_header("Content-Length")),
                "body": record.content_stream().read().decode(),
            }
            for record in ArchiveIterator(io.BytesIO(data))
        ]
    return found


def languages():
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE) if hasattr(LanguageIdentifier, "from_model_file") else LanguageIdentifier.from_pickled_model(MODEL_FILE)
    texts = (HERE / "languages.txt").read_text(encoding="utf-8").strip().split("\n\n")
    out = []
    for text in texts:
        code, body = text.split("\n", 1)
        out.append({"language": code, "py3langid": str(identifier.classify(body)[0]), "text": body})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    # The members' times are zero, so files that were there stay as they are; zlib's bytes may differ between versions.
    archives = wet()
    for name in archives:
        path = OUT / name
        if path.exists() and gzip.decompress(path.read_bytes()) == gzip.decompress(archives[name]):
            archives[name] = path.read_bytes()
    made = {name: data for name, data in archives.items()}
    for name, value in (("minhash", minhash()), ("warc", records(archives)), ("languages", languages())):
        made[f"{name}.json"] = (json.dumps(value, ensure_ascii=False, indent=0) + "\n").encode()
    differing = [name for name, data in made.items() if not (OUT / name).exists() or (OUT / name).read_bytes() != data]
    if check:
        print(f"{len(made)} fixtures, {len(differing)} differ: {', '.join(differing)}")
        sys.exit(1 if differing else 0)
    for name, data in made.items():
        (OUT / name).write_bytes(data)
        print(name, len(data))


if __name__ == "__main__":
    main()
