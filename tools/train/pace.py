#!/usr/bin/env python3
"""Keeps a run's token budget such that its decay ends at a wall-clock time on a machine that is shared or paused.

    pace.py --log RUN/log.jsonl --total-file FILE --until EPOCH_SECONDS

Once a minute: budget = tokens seen + (tokens a second over the last quarter of an hour) * (seconds left). The trainer
re-reads the file at every step; its learning rate and context follow seen / budget.
"""
import argparse, json, os, time

p = argparse.ArgumentParser()
p.add_argument("--log", required=True)
p.add_argument("--total-file", required=True)
p.add_argument("--until", type=float, required=True)
p.add_argument("--window", type=float, default=900.)
a = p.parse_args()
past = []
while time.time() < a.until:
    rows = [json.loads(x) for x in open(a.log) if "Mtok" in x]
    seen, at = rows[-1]["Mtok"] * 1e6, os.path.getmtime(a.log)  # the log's own time: rows come every 25 steps
    if not past or seen > past[-1][1]:
        past.append((at, seen))
    while len(past) > 2 and past[0][0] < time.time() - a.window:
        past.pop(0)
    if len(past) > 1 and past[-1][0] - past[0][0] > 480:  # a short look is a bad guess
        (t0, s0), (t1, s1) = past[0], past[-1]
        rate = (s1 - s0) / (max(t1, time.time() - 120) - t0)  # silence counts, but a row is up to two minutes old
        total = seen + rate * max(0., a.until - t1)
        try:  # a stall must not drop the learning rate at once: at most 5 % a minute, either way
            old = float(open(a.total_file).read())
            total = max(old / 1.05, min(old * 1.05, total)) if a.until - time.time() > 300 else total
        except (OSError, ValueError):
            pass
        with open(a.total_file + ".tmp", "w") as f:
            f.write(f"{total:.0f}\n")
        os.replace(a.total_file + ".tmp", a.total_file)
        print(time.strftime("%H:%M:%S"), f"seen {seen / 1e6:.2f} M, {rate:.0f} tokens/s, budget {total / 1e6:.2f} M", flush=True)
    time.sleep(60)
