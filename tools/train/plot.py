#!/usr/bin/env python3
"""The curve of a run.   plot.py --run RUN --out curve.svg"""
import argparse, json
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

p = argparse.ArgumentParser()
p.add_argument("--run", required=True)
p.add_argument("--out", required=True)
a = p.parse_args()
rows = [json.loads(x) for x in open(f"{a.run}/log.jsonl")]
loss = [(r["Mtok"], r["loss"]) for r in rows if "loss" in r]
val = [(r["Mtok"], r["validation"]) for r in rows if "validation" in r]
fig, (l, r) = plt.subplots(1, 2, figsize=(11, 4))
l.plot(*zip(*loss), lw=.5, alpha=.4)
k = 8
l.plot([x for x, _ in loss[k - 1:]], [sum(y for _, y in loss[i:i + k]) / k for i in range(len(loss) - k + 1)])
l.set(xlabel="million tokens", ylabel="training loss, nats a token", ylim=(min(y for _, y in loss) - .1, 5))
for d in val[-1][1]:
    r.plot([x for x, _ in val], [v[d] for _, v in val], marker=".", lw=2 if d == "mean" else 1, color="black" if d == "mean" else None, label=d)
r.set(xlabel="million tokens", ylabel="bits per byte, ends of the training shards", ylim=(None, 3))
r.legend(fontsize=8)
for x in rows:
    if "context" in x and "validation" not in x:
        for ax in (l, r):
            ax.axvline(x["Mtok"], color="grey", lw=.5, ls=":")
fig.tight_layout()
fig.savefig(a.out)
