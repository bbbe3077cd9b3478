#!/usr/bin/env python3
"""Fails where an arrow between crates goes up.

    tools/checks/layers.py [ROOT]

A crate depends on crates of its own layer or of lower ones (Cargo itself refuses circles), development dependencies left
out. Crates that are made for tests and tools are nobody's dependency outside of tests. Some libraries belong to certain
crates: the command line's to the command, burn's to what computes in floating point.
"""

import sys
import tomllib
from pathlib import Path

# From the bottom up; every crate of the workspace stands in one of them.
LAYERS = [
    {"lmz-net", "lmz-tiles"},
    {"lmz-coder", "lmz-format", "lmz-model", "lmz-corpus", "lmz-device", "lmz-hub"},
    {"lmz-exact", "lmz-float", "lmz-gpu", "lmz-mix"},
    {"lmz-codec", "lmz-train"},
    {"lmz-metric", "lmz-ledger", "lmz-eval", "lmz-study"},
    {"lmz"},
    {"lmz-cli", "lmz-py", "lmz-wasm"},
    {"lmz-testkit", "lmz-fuzz", "xtask"},
]
TOOLS = LAYERS[-1]
# Library -> the only crates that may depend on it.
RESERVED = {
    "burn": {"lmz-float", "lmz-train"},
    "clap": {"lmz-cli"},
    "indicatif": {"lmz-cli"},
    "ureq": {"lmz-net", "lmz-tiles"},
}


def dependencies(manifest):
    """Names of a crate's dependencies, those of targets and of building included."""
    tables = [manifest, *manifest.get("target", {}).values()]
    names = set()
    for table in tables:
        for kind in ("dependencies", "build-dependencies"):
            for name, value in table.get(kind, {}).items():
                names.add(value.get("package", name) if isinstance(value, dict) else name)
    return names


def faults(manifests):
    """What is wrong, by the manifests of all crates."""
    layer = {name: number for number, names in enumerate(LAYERS) for name in names}
    for crate, manifest in sorted(manifests.items()):
        if crate not in layer:
            yield f"{crate} stands in no layer: give it one in tools/checks/layers.py"
            continue
        for name in sorted(dependencies(manifest)):
            if name in layer and layer[name] > layer[crate]:
                yield f"{crate} -> {name}: an arrow that goes up"
            if name in TOOLS and crate not in TOOLS:
                yield f"{crate} -> {name}: it is for tests and tools only"
            if name in RESERVED and crate not in RESERVED[name]:
                yield f"{crate} -> {name}: it belongs to {', '.join(sorted(RESERVED[name]))}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    manifests = {}
    for path in sorted((root / "crates").glob("*/Cargo.toml")):
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        manifests[manifest["package"]["name"]] = manifest
    if not manifests:
        sys.exit(f"there are no crates in {root}")
    found = list(faults(manifests))
    for fault in found:
        print(fault)
    print(f"{len(manifests)} crates, {len(found)} arrows that should not be")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
