#!/usr/bin/env python3
"""Keeps held-out text out of training: a check for shared 13-word sequences (13-grams), and a cleaned copy.

    overlap.py --shards DIR --held-out DIR [--held-out DIR ...] --out CLEAN --report report.json

A word is a run of ASCII letters and digits (lower-cased) or of bytes >= 0x80; everything else separates. Every 13-gram of
the held-out files (plain text, .log, .csv, and every string inside .json / .jsonl / .gz / .tar.zst) is hashed to 64 bits
and looked up for every position of every training document. Sequences of fewer than MIN_DISTINCT different words (rows
of zeros, rulers) prove nothing and are not counted. Rule:

  * a document is dropped when it shares at least DROP_GRAMS 13-grams, or one shared stretch of DROP_WORDS words or more,
    unless it is long (over LONG characters: novels, tables of a whole project) and the shared words are less than
    LONG_SHARE of it; then only the paragraphs (between blank lines) which the shared words touch are cut;
  * in every other document the paragraphs touched by any shared 13-gram are cut.

After cleaning no training document holds a 13-gram of the held-out text: a second pass over the cleaned copy asserts it.
"""
import argparse, csv, glob, gzip, io, json, os, subprocess, sys, tarfile
import numpy as np

N, MIN_DISTINCT, DROP_GRAMS, DROP_WORDS, LONG, LONG_SHARE = 13, 5, 8, 50, 100_000, .02
csv.field_size_limit(1 << 30)

# Word hashes are differences of one prefix sum of byte * P^position, divided by P^start: exact modulo 2^64.
P = np.uint64(0x9E3779B97F4A7C15 | 1)
PI = np.uint64(pow(int(P), -1, 1 << 64))
Q = np.uint64(0xD1342543DE82EF95)
KIND = np.zeros(256, np.uint8)
for c in range(256):
    KIND[c] = c >= 0x80 or chr(c).isalnum()
LOWER = np.array([ord(chr(c).lower()) if c < 0x80 else c for c in range(256)], np.uint64) + np.uint64(1)
POWERS = {}


def powers(base, n):
    have = POWERS.get(base)
    if have is None or len(have) < n:
        x = np.full(max(n, 1 << 20), base, np.uint64)
        x[0] = 1
        POWERS[base] = have = np.multiply.accumulate(x)
    return have[:n]


def mix(x):
    x = x ^ (x >> np.uint64(31))
    x = x * np.uint64(0xBF58476D1CE4E5B9)
    return x ^ (x >> np.uint64(29))


def grams(b):
    """bytes -> (hash of each 13-gram, word starts, word ends); gram i covers words i .. i + 12."""
    a = np.frombuffer(b, np.uint8)
    k = KIND[a]
    edge = np.flatnonzero(np.diff(k, prepend=0, append=0))
    s, e = edge[0::2], edge[1::2]
    if len(s) < N:
        return np.zeros(0, np.uint64), s, e
    pre = np.zeros(len(a) + 1, np.uint64)
    np.cumsum(LOWER[a] * powers(P, len(a)), out=pre[1:])
    w = mix((pre[e] - pre[s]) * powers(PI, len(a) + 1)[s])
    m = len(w) - N + 1
    h = np.zeros(m, np.uint64)
    same = np.zeros(m, np.uint8)
    for j in range(N):
        h = h * Q + w[j:m + j]
        if j:  # words unlike the one before: a cheap lower bound's stand-in for distinct words
            same += w[j:m + j] != w[j - 1:m + j - 1]
    h = mix(h) | np.uint64(1)
    h[same < MIN_DISTINCT - 1] = 0
    short = np.concatenate([[0], np.cumsum(e - s)])
    h[short[N:] - short[:-N] < 2 * N] = 0  # rows of single characters: same reason
    return h, s, e


def strings(x):
    if isinstance(x, str):
        yield x
    elif isinstance(x, dict):
        for v in x.values():
            yield from strings(v)
    elif isinstance(x, list):
        yield " ".join(v for v in x if isinstance(v, str))
        for v in x:
            yield from strings(v)


def held_out_texts(path, data=None):
    """Every text of one held-out file, as bytes. A record's strings are also joined (question + answer)."""
    if path.endswith(".tar.zst"):
        raw = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(raw)) as t:
            for f in t:
                if f.isfile():
                    yield from held_out_texts(f.name, t.extractfile(f).read())
        return
    data = open(path, "rb").read() if data is None else data
    if path.endswith(".gz"):
        yield from held_out_texts(path[:-3], gzip.decompress(data))
    elif path.endswith(".jsonl"):
        for line in data.splitlines():
            t = list(strings(json.loads(line)))
            yield "\n".join(t).encode("utf8", "surrogatepass")
    elif path.endswith(".json"):
        for t in strings(json.loads(data)):
            yield t.encode("utf8", "surrogatepass")
    elif path.endswith(".csv"):
        for row in csv.reader(io.StringIO(data.decode("utf8", "replace"))):
            yield "\n".join(row).encode()
    else:
        yield data


def build_set(roots):
    hs, files = [], 0
    for root in roots:
        for path in sorted(glob.glob(root + "/**/*", recursive=True)):
            if not os.path.isfile(path):
                continue
            files += 1
            buf = []
            for t in held_out_texts(path):
                buf.append(t)
            for t in buf:
                h = grams(t)[0]
                hs.append(h[h != 0])
    h = np.unique(np.concatenate(hs))
    bits = np.zeros(1 << 28, np.bool_)
    bits[(h >> np.uint64(36)).astype(np.int64)] = True
    return h, bits, files


def member(h, table, bits):
    hit = np.flatnonzero(bits[(h >> np.uint64(36)).astype(np.int64)] & (h != 0))
    if len(hit):
        q = h[hit]
        i = np.minimum(np.searchsorted(table, q), len(table) - 1)
        hit = hit[table[i] == q]
    return hit


def clean(text, table, bits):
    """-> (text or None, shared grams, longest stretch in words, bytes cut)"""
    b = text.encode("utf8", "surrogatepass")
    h, s, e = grams(b)
    hit = member(h, table, bits)
    if not len(hit):
        return text, 0, 0, 0
    cover = np.zeros(len(s) + 1, np.int32)
    np.add.at(cover, hit, 1)
    np.add.at(cover, hit + N, -1)
    on = np.cumsum(cover[:-1]) > 0
    edge = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    runs = list(zip(edge[0::2], edge[1::2]))
    longest, covered = max(y - x for x, y in runs), int(on.sum())
    bad = len(hit) >= DROP_GRAMS or longest >= DROP_WORDS
    if bad and not (len(b) > LONG and covered < LONG_SHARE * len(s)):
        return None, len(hit), int(longest), len(b)
    out, at = [], 0
    for x, y in runs:
        lo, hi = b.rfind(b"\n\n", 0, s[x]), b.find(b"\n\n", e[y - 1])
        lo, hi = (0 if lo < 0 else lo), (len(b) if hi < 0 else hi)
        # A run of text without blank lines is cut by lines instead of by the half document.
        if hi - lo > 4000:
            l2, h2 = b.rfind(b"\n", 0, s[x]), b.find(b"\n", e[y - 1])
            lo, hi = (lo if l2 < lo else l2), (hi if h2 < 0 or h2 > hi else h2)
        if lo > at:
            out.append(b[at:lo])
        at = max(at, hi)
    out.append(b[at:])
    kept = b"".join(out)
    return kept.decode("utf8", "surrogatepass"), len(hit), int(longest), len(b) - len(kept)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--shards", required=True)
    p.add_argument("--held-out", action="append", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--report", required=True)
    a = p.parse_args()
    from pretrain import lines
    table, bits, files = build_set(a.held_out)
    print(len(table), "held-out 13-grams from", files, "files", flush=True)
    os.makedirs(a.out, exist_ok=True)
    report = {"n": N, "rule": {"drop_grams": DROP_GRAMS, "drop_words": DROP_WORDS, "long_chars": LONG, "long_share": LONG_SHARE,
                               "min_distinct": MIN_DISTINCT}, "held_out_files": files, "held_out_grams": len(table), "domains": {}}
    for path in sorted(glob.glob(a.shards + "/*.jsonl*")):
        d = os.path.basename(path).split(".")[0]
        r = dict(documents=0, bytes=0, touched=0, dropped=0, dropped_bytes=0, cut=0, cut_bytes=0, rounds_max=0, left=0)
        worst = []
        with open(f"{a.out}/{d}.jsonl", "w", encoding="utf8") as f:
            for line in lines(path):
                z = json.loads(line)
                t = z["text"]
                r["documents"] += 1
                r["bytes"] += len(t.encode("utf8", "surrogatepass"))
                shared = stretch = cut = rounds = 0
                while True:  # a cut can join two paragraphs into a new sequence: repeat until none is left
                    u, n, l, c = clean(t, table, bits)
                    shared, stretch, cut, rounds = shared + n, max(stretch, l), cut + c, rounds + 1
                    if u is None or n == 0:
                        break
                    t = u
                    if rounds > 20:
                        u = None
                        break
                r["rounds_max"] = max(r["rounds_max"], rounds)
                if shared:
                    r["touched"] += 1
                    worst.append((shared, stretch, z["source"], "dropped" if u is None else "cut"))
                if u is None:
                    r["dropped"] += 1
                    r["dropped_bytes"] += len(t.encode("utf8", "surrogatepass"))
                    continue
                if shared:
                    r["cut"] += 1
                    r["cut_bytes"] += cut
                r["left"] += len(member(grams(u.encode("utf8", "surrogatepass"))[0], table, bits)) if shared else 0
                z["text"] = u
                f.write(json.dumps(z, ensure_ascii=False) + "\n")
        worst.sort(reverse=True)
        r["largest"] = [dict(zip(("shared_13grams", "longest_stretch_words", "source", "action"), w)) for w in worst[:15]]
        report["domains"][d] = r
        print(d, {k: v for k, v in r.items() if k != "largest"}, worst[:3], flush=True)
        assert r["left"] == 0
    json.dump(report, open(a.report, "w"), indent=1)


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main()
