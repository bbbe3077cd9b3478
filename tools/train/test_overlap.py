#!/usr/bin/env python3
"""Checks overlap.py against a plain-Python 13-gram search, and that planted text is found, cut or dropped. Run it alone."""
import random, re, sys, os
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np
import overlap as o


def plain(b):
    w = [x.lower() for x in re.findall(rb"[0-9A-Za-z\x80-\xff]+", b)]
    return {tuple(w[i:i + o.N]) for i in range(len(w) - o.N + 1)}


def table(*texts):
    h = np.unique(np.concatenate([o.grams(t)[0] for t in texts]))
    h = h[h != 0]
    bits = np.zeros(1 << 28, np.bool_)
    bits[(h >> np.uint64(36)).astype(np.int64)] = True
    return h, bits


def main():
    rng = random.Random(1)
    words = [("w%d" % i) * rng.randint(1, 3) for i in range(5000)] + ["caf\u00e9", "na\u00efve"]
    sentence = lambda n: rng.choice([" ", ", ", "\r\n "]).join(rng.choice(words) for _ in range(n))
    held = sentence(4000)
    h = held.encode()
    t, bits = table(h)
    assert len(t) == len(plain(h))
    piece = re.findall(r"\w+", held)
    for n, fate in ((12, "kept"), (13, "cut"), (19, "cut"), (20, "dropped"), (60, "dropped")):
        quote = "; ".join(x.upper() for x in piece[500:500 + n])  # other case, other punctuation
        text = sentence(300) + "\n\nbefore " + quote + " after\n\n" + sentence(300)
        shared = len(plain(text.encode()) & plain(h))
        u, found, longest, _ = o.clean(text, t, bits)
        assert found == shared == max(0, n - 12), (n, found, shared)
        assert (u is None) == (fate == "dropped") and (u == text) == (fate == "kept")
        if fate == "cut":
            assert longest == n and "before" not in u and not plain(u.encode()) & plain(h) and len(u) > len(text) * .8
    novel = "\n\n".join(sentence(100) for _ in range(400)) + "\n\n" + " ".join(piece[700:760]) + "\n\n" + sentence(100)
    u, found, longest, _ = o.clean(novel, t, bits)
    assert len(novel) > o.LONG and u is not None and found == 48 and longest == 60 and not plain(u.encode()) & plain(h)
    zeros = ("0 " * 40).encode()
    assert not o.grams(zeros)[0].any()
    print("overlap: all checks passed")


if __name__ == "__main__":
    main()
