"""What a measurement works with: the program, the texts, and the list of all measurements."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEASURES = {}


class Missing(Exception):
    """A text or a program that a measurement needs is not there."""


def measure(name, timed=False):
    def keep(function):
        MEASURES[name] = (function, timed)
        return function
    return keep


class Bench:
    """The program, the texts, and a folder for what they make."""

    def __init__(self, lmz, corpora, work, models=None, benchmarks=None):
        self.lmz_path, self.corpora, self.work = Path(lmz).resolve(), corpora and Path(corpora).resolve(), Path(work)
        self.models, self.benchmarks = models and Path(models).resolve(), benchmarks and Path(benchmarks).resolve()
        if not self.lmz_path.exists():
            sys.exit(f"results: there is no program {lmz}; build it, or say where by --lmz")

    def lmz(self, *args, fails=False, **more):
        """What a run of the program prints on standard output and error; one that ends with an error ends all, unless it may."""
        done = subprocess.run([self.lmz_path, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.work, **more)
        if done.returncode and not fails:
            sys.exit(f"results: lmz {' '.join(map(str, args))}: {done.stderr.decode(errors='replace')}")
        return (done.stdout, done.stderr.decode())

    def text(self, name):
        """A file of the work folder that holds a text: of the repository, or of --corpora; NAME-1M.txt is the first million bytes of a corpus."""
        target = self.work / name
        if target.exists():
            return target
        own = ROOT / "corpora" / name
        if own.exists():
            data = own.read_bytes()
        elif not self.corpora:
            raise Missing(f"{name} is not in the repository (--corpora DIR)")
        elif name.endswith("-1M.txt"):
            corpus = self.corpora / (name.removesuffix("-1M.txt") + ".jsonl")
            if not corpus.exists():
                raise Missing(f"{corpus} is not there")
            data = "\n".join(json.loads(x)["content"] for x in open(corpus, encoding="utf8")).encode()[:1_000_000]
        elif (self.corpora / name).exists():
            data = (self.corpora / name).read_bytes()
        else:
            raise Missing(f"{self.corpora / name} is not there")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    def size(self, path, *options):
        """Bytes of the .lmz of a file, which is restored and compared."""
        # It is restored and compared here.
        packed, _ = self.lmz("-c", "--no-verify", *options, path)
        again, _ = self.lmz("-dc", "-", input=packed)
        if again != Path(path).read_bytes():
            sys.exit(f"results: {path} does not come back with {options}: the worst fault there is")
        return len(packed)


def machine():
    """The processor and how many of its threads there are, as people say it."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    return f"{os.cpu_count()} threads of {model.group(1).strip() if model else 'an unnamed processor'}"


def with_bits(size, raw):
    return f"{size:,} ({8 * size / raw:.3f})"
