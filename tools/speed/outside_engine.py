#!/usr/bin/env python3
"""How much of a run's time is spent outside the exact engine: outside_engine.py COMMAND...

Samples the command with `perf record -e cpu-clock` and counts, by function names: the share of processor time outside
the engine (with the range coder's distributions), and the share of wall time in which no thread is in it, in slots of
20 ms. The binary must have its symbols: build with CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_LTO=off.
Functions of the standard library's iterators, vectors and memory are counted as the engine's where nearly all their
callers are there; what is printed last is what was counted as outside.
"""

import collections
import re
import subprocess
import sys
import tempfile

INSIDE = re.compile(
    r"lmz_exact|lmz_coder|core::(iter|slice|num|ops|array|cmp)|iter::|alloc::vec|ChunksExact|SpecFrom|Vec<T|mem(move|set|cpy)"
)
RATE, SLOT = 499, 0.02


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.NamedTemporaryFile() as data:
        record = ["perf", "record", "-q", "-o", data.name, "-e", "cpu-clock", "-F", str(RATE)]
        subprocess.run([*record, *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
        script = ["perf", "script", "-i", data.name, "-F", "tid,time,ip,sym"]
        lines = subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()
    inside, outside = collections.Counter(), collections.Counter()
    start = end = None
    for line in lines:
        if not (match := re.match(r"\s*\d+\s+([\d.]+):\s+\S+\s+(.*)", line)):
            continue
        end = float(match[1])
        start = start if start is not None else end
        if INSIDE.search(match[2]):
            inside[int((end - start) / SLOT)] += 1
        else:
            outside[match[2]] += 1
    slots = int((end - start) / SLOT) + 1
    samples = sum(inside.values()) + sum(outside.values())
    print(f"{samples} samples in {end - start:.1f} s: {samples / RATE / (end - start):.2f} threads at work on average")
    print(f"processor time outside the engine: {100 * sum(outside.values()) / samples:.2f} %")
    print(f"wall time with no thread in the engine: {100 * (1 - len(inside) / slots):.2f} %")
    for name, count in outside.most_common(8):
        print(f"  {100 * count / samples:.2f} % {name[:100]}")


if __name__ == "__main__":
    main()
