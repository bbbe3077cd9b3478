"""Whether two decoders take the same files and restore the same bytes: `python3 tools/decoder/agree.py PATH/TO/lmz`.

The Rust program and the independent decoder run over the seeds and regressions of the fuzz targets that are files, and over
the hand-made ones in tests/fixtures/faults. A file that one takes and the other refuses is a
hole in docs/format.md or a fault of one of them. Both are given one model, and no prime.
"""
import os
import subprocess
import sys
from pathlib import Path

import lmz_decode as lmz

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tests/fuzz/seeds/container", "tests/fuzz/seeds/decoder", "tests/fuzz/regressions/container",
           "tests/fuzz/regressions/decoder", "tests/fixtures/faults")
MODEL = ROOT / "tests/models/stories260K.lmzm"


def files():
    seen = set()
    for folder in FOLDERS:
        paths = sorted((ROOT / folder).iterdir())
        lmz.require(paths, f"{folder} is empty")
        for path in (p for p in paths if p.suffix != ".md"):
            data = path.read_bytes()
            if data not in seen:
                seen.add(data)
                yield path, data


def remembered(decode):
    """`decode_segment`, which takes seconds, once for each segment: most files are variants of a few."""
    known = {}

    def once(segment, head, *loaders):
        key = repr((sorted(segment.items(), key=str), head["numerics"], head["recipe"], head["model"], head["context"],
                    head["overlap"], head["prime"]))
        if key not in known:
            try:
                known[key] = decode(segment, head, *loaders), None
            except lmz.LmzError as e:
                known[key] = None, e
        raw, error = known[key]
        if error:
            raise error
        return raw
    return once


def by_python(data, load_model):
    """The bytes, or None if it refuses them."""
    try:
        return b"".join(lmz.decode_file(data, load_model))
    except lmz.LmzError:
        return None


def by_rust(program, data):
    """The bytes, or None."""
    command = [program, "-dcq", "-m", str(MODEL)]
    # The user's models are not the independent decoder's.
    environment = {**os.environ, "LMZ_MODELS": "", "XDG_DATA_HOME": "/nonexistent"}
    done = subprocess.run(command, input=data, capture_output=True, env=environment)
    lmz.require(done.returncode in (0, 1), f"lmz ends with {done.returncode}: {done.stderr.decode()}")
    return None if done.returncode else done.stdout


def main():
    program = str(Path(sys.argv[1]).resolve())
    load_model = lmz.model_loader(str(MODEL))
    lmz.decode_segment = remembered(lmz.decode_segment)
    different, taken, refused = [], 0, 0
    for path, data in files():
        python, rust = by_python(data, load_model), by_rust(program, data)
        taken, refused = taken + (rust is not None), refused + (rust is None)
        if python != rust:
            what = [f"{who} " + ("refuses it" if raw is None else f"gives {len(raw)} bytes")
                    for who, raw in (("lmz", rust), ("the independent decoder", python))]
            different.append(f"{path.relative_to(ROOT)}: {', '.join(what)}")
    print(f"{taken} files restored alike, {refused} refused alike" if not different else "\n".join(different))
    lmz.require(taken > 10 and refused > 10, "too few files of either kind: nothing was compared")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
