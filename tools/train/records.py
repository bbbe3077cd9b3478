#!/usr/bin/env python3
"""Writes documents of made-up records as {"domain", "source", "text"} lines: JSON, JSON lines, CSV, XML, INI, YAML, logs.

    records.py --megabytes 20 --seed 1 > records.jsonl

A document has one schema, drawn anew: names of fields, types, spread of values. So what can be learnt is how such files
are written, and not what stands in them.
"""
import argparse
import json
import random
import sys

WORDS = ("id name user account order item price total count status state type kind code city country street zip phone email date time start end "
         "created updated version level host port path size offset length width height speed temp humidity pressure lat lon source target group "
         "owner title author tag label color weight rate score rank index key value message request response error duration session client server "
         "region zone node cluster job task queue worker event action method url query page limit enabled active public verified currency tax "
         "discount amount balance unit category product stock sku note comment description").split()
VALUES = ("active inactive pending done failed open closed red green blue north south east west high medium low info warn error debug GET POST PUT "
          "alpha beta gamma delta london paris berlin madrid rome oslo tokyo delhi lima cairo true false none unknown default primary backup").split()
NAMES = ("Anna Ben Clara David Emma Felix Grace Henry Ida Jack Karen Leo Maria Noah Olga Paul Rosa Sam Tina Victor Wendy Yusuf Zoe Smith Jones Brown "
         "Miller Garcia Martin Lopez Wilson Moore Taylor Clark Lewis Young King Wright Hill Green Adams Baker Nelson Carter").split()


def column(r):
    """A field: its name and what draws its values."""
    name = r.choice(WORDS)
    if r.random() < .3:
        name += r.choice("_ -").strip() + r.choice(WORDS)
    kind = r.randrange(9)
    if kind == 0:
        start, step = r.randrange(10 ** r.randint(1, 8)), r.choice([1, 1, 1, 2, 5, 10])
        return name, lambda i: start + i * step
    if kind == 1:
        scale = 10 ** r.randint(1, 6)
        return name, lambda i: r.randrange(scale)
    if kind == 2:
        mean, places = 10 ** r.uniform(-1, 4), r.randint(1, 4)
        return name, lambda i: round(r.gauss(mean, mean / 8), places)
    if kind == 3:
        some = r.sample(VALUES, r.randint(2, 7))
        weights = [1 / (k + 1) for k in range(len(some))]
        return name, lambda i: r.choices(some, weights)[0]
    if kind == 4:
        return name, lambda i: f"{r.choice(NAMES)} {r.choice(NAMES)}"
    if kind == 5:
        start, step = r.randrange(1_400_000_000, 1_800_000_000), r.choice([1, 7, 60, 3600, 86400])

        def when(i):
            s = start + i * step + r.randrange(step)
            day, rest = divmod(s, 86400)
            y, d = divmod(day, 365)
            return f"{1970 + y}-{d // 31 + 1:02d}-{d % 31 % 28 + 1:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"
        return name, when
    if kind == 6:
        digits = r.choice([8, 12, 16, 32])
        return name, lambda i: f"{r.getrandbits(4 * digits):0{digits}x}"
    if kind == 7:
        net = f"{r.randrange(10, 200)}.{r.randrange(256)}"
        return name, lambda i: f"{net}.{r.randrange(256)}.{r.randrange(256)}"
    return name, lambda i: r.random() < .7


def text(v):
    return {True: "true", False: "false"}.get(v, str(v)) if isinstance(v, bool) else str(v)


def document(r):
    columns = list(dict(column(r) for _ in range(r.randint(2, 12))).items())
    n, kind = int(r.lognormvariate(4, 1.3)) + 2, r.choice(["json", "jsonl", "jsonl", "csv", "csv", "tsv", "xml", "ini", "yaml", "log", "log"])
    rows = ({k: f(i) for k, f in columns} for i in range(n))
    root, one = r.choice(WORDS) + "s", r.choice(WORDS)
    if kind == "json":
        return json.dumps({root: list(rows), "count": n}, indent=r.choice([None, 2, 2, 4])) + "\n"
    if kind == "jsonl":
        tight = (",", ":") if r.random() < .6 else None
        return "".join(json.dumps(row, separators=tight) + "\n" for row in rows)
    if kind in ("csv", "tsv"):
        sep = "\t" if kind == "tsv" else r.choice(",,,;")
        quote = r.random() < .2
        cell = lambda v: f'"{text(v)}"' if quote and isinstance(v, str) else text(v)
        return sep.join(k for k, _ in columns) + "\n" + "".join(sep.join(map(cell, row.values())) + "\n" for row in rows)
    if kind == "xml":
        pad = r.choice(["", "  ", "\t"])
        if r.random() < .4:
            body = "".join(f"{pad}<{one} " + " ".join(f'{k}="{text(v)}"' for k, v in row.items()) + "/>\n" for row in rows)
        else:
            body = "".join(f"{pad}<{one}>\n" + "".join(f"{pad * 2}<{k}>{text(v)}</{k}>\n" for k, v in row.items()) + f"{pad}</{one}>\n" for row in rows)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{body}</{root}>\n'
    if kind == "ini":
        sep = r.choice(["=", " = "])
        return "\n".join(f"[{one}-{i}]\n" + "".join(f"{k}{sep}{text(v)}\n" for k, v in row.items()) for i, row in enumerate(rows))
    if kind == "yaml":
        return f"{root}:\n" + "".join("".join(("  - " if j == 0 else "    ") + f"{k}: {text(v)}\n" for j, (k, v) in enumerate(row.items())) for row in rows)
    host, prog, shape = r.choice(WORDS) + str(r.randrange(99)), r.choice(WORDS) + "d", r.randrange(3)
    stamp = r.randrange(1_500_000_000, 1_800_000_000)
    out, now = [], stamp
    phrases = [" ".join(r.choice(WORDS) for _ in range(r.randint(1, 4))) for _ in range(r.randint(2, 8))]
    for row in rows:
        now += int(r.expovariate(.3))
        clock, level = f"{now // 3600 % 24:02d}:{now // 60 % 60:02d}:{now % 60:02d}", r.choices(["INFO", "WARN", "ERROR", "DEBUG"], [8, 2, 1, 3])[0]
        what = r.choice(phrases) + " " + " ".join(f"{k}={text(v)}" for k, v in row.items())
        day = f"{1 + now // 86400 % 28:02d}"
        out.append(f"2025-{1 + stamp % 12:02d}-{day} {clock},{now * 7919 % 1000:03d} {level} {prog}.{one}: {what}\n" if shape == 0 else
                   f"Mar {int(day):2d} {clock} {host} {prog}[{1000 + stamp % 9000}]: {what}\n" if shape == 1 else
                   f"[{clock}] {level.lower()} {what}\n")
    return "".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--megabytes", type=float, default=20)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    r, size, number = random.Random(a.seed), 0, 0
    while size < a.megabytes * 1e6:
        t = document(r)
        size, number = size + len(t), number + 1
        sys.stdout.write(json.dumps({"domain": "records", "source": f"records.py:{a.seed}:{number}", "text": t}) + "\n")


if __name__ == "__main__":
    main()
