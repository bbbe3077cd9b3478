#!/usr/bin/env python3
"""Bits per character by the protocol of arXiv 2404.09937, with transformers and NumPy.

Written from the protocol's description, to check `lmz bpc --protocol paper` against; it shares nothing with it.
Needs torch, transformers and numpy.

    bpc_reference.py score MODEL_DIR CORPUS [--window 1900] [--stride 512] [--limit N] [--tokenizer FILE]
    bpc_reference.py compare RESULT.json MODEL_DIR CORPUS ...      RESULT.json is what `lmz bpc --json` printed
    bpc_reference.py fixtures                                      rewrites tests/fixtures/bpc/reference.json

The protocol: each document is tokenised on its own, with the tokenizer's special tokens, and everything is put into
one row. Windows have `window` + 1 tokens and are `stride` apart. The first scores all its tokens but the first, each
later one its last `stride`. What does not fill a last stride is not scored, although its characters count. Characters
are Unicode code points. BPC = nats / (characters * ln 2). A row shorter than the first window is one shorter window.
"""

import argparse
import json
import math
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures"
REFERENCE = FIXTURES / "bpc/reference.json"
TOLERANCE = 1e-5


def documents(corpus, limit):
    """The texts of a .jsonl file, or a .txt file as one."""
    path = pathlib.Path(corpus)
    if path.suffix != ".jsonl":
        return [path.read_bytes().decode("utf-8")]
    texts = []
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line.decode("utf-8"))
        except ValueError:
            continue
        text = record.get("content", record.get("text")) if isinstance(record, dict) else None
        if isinstance(text, str) and text:
            texts.append(text)
    return texts[:limit]


def windows(tokens, window, stride):
    """Pairs of a window's place in the row and how many of its last tokens are scored."""
    if tokens < 2:
        return []
    if tokens <= window + 1:
        return [(slice(0, tokens), tokens - 1)]
    later = (tokens - (window + 1)) // stride
    starts = [stride * number for number in range(later + 1)]
    return [
        (slice(start, start + window + 1), stride if start else window) for start in starts
    ]


def surprisals(logits, targets):
    """-ln p of each target under the softmax of its row of logits, in float64."""
    logits = logits.astype(np.float64)
    largest = logits.max(axis=1)
    total = np.log(np.exp(logits - largest[:, None]).sum(axis=1)) + largest
    return total - logits[np.arange(len(targets)), targets]


def score(model_dir, corpus, window, stride, limit=None, tokenizer=None, batch=8):
    import torch
    import transformers

    path = tokenizer or pathlib.Path(model_dir) / "tokenizer.json"
    encode = transformers.PreTrainedTokenizerFast(tokenizer_file=str(path)).encode
    model = transformers.AutoModelForCausalLM.from_pretrained(str(model_dir), dtype=torch.float32)
    model.eval()

    texts = documents(corpus, limit)
    row = np.concatenate([np.array(encode(text), dtype=np.int64) for text in texts])
    plan = windows(len(row), window, stride)
    nats, scored = [], 0
    for first in range(0, len(plan), batch):
        chosen = plan[first : first + batch]
        ids = torch.tensor(np.stack([row[place] for place, _ in chosen]))
        with torch.inference_mode():
            logits = model(input_ids=ids[:, :-1], use_cache=False).logits.numpy()
        for (place, count), rows in zip(chosen, logits):
            nats.append(surprisals(rows[-count:], row[place][-count:]).sum())
            scored += count
    characters = sum(len(text) for text in texts)
    total = math.fsum(nats)
    return {
        "documents": len(texts),
        "characters": characters,
        "bytes": sum(len(text.encode("utf-8")) for text in texts),
        "tokens": len(row),
        "scored": scored,
        "nats": total,
        "bits_per_character": total / (characters * math.log(2)),
    }


def compare(result, reference):
    """Whether two results agree: counts exactly, the figure to TOLERANCE."""
    found = {
        "documents": result["corpus"]["documents"],
        "characters": result["corpus"]["characters"],
        "bytes": result["corpus"]["bytes"],
        "tokens": result["tokens"]["total"],
        "scored": result["tokens"]["scored"],
    }
    for key, value in found.items():
        if value != reference[key]:
            print(f"{key}: lmz {value}, reference {reference[key]}")
            return False
    ours, theirs = result["figures"]["bits_per_character"], reference["bits_per_character"]
    difference = abs(ours / theirs - 1)
    print(f"bits per character: lmz {ours:.9f}, reference {theirs:.9f}, relative difference {difference:.2e}")
    return difference < TOLERANCE


FIXTURE_FAMILIES = ["llama", "gpt2", "gpt_neox", "mistral", "gemma2", "mixtral", "falcon", "starcoder2"]


def fixtures():
    """What transformers says of the committed fixtures, for the test in crates/lmz-cli/tests/cli/bpc.rs."""
    import torch
    import transformers

    tiny = {"tokenizer": "tests/fixtures/bpc/tokenizer.json", "corpus": "corpora/web.jsonl", "limit": 3}
    cases = [
        {"model": f"tests/fixtures/families/{family}", "window": 40, "stride": 16, **tiny}
        for family in FIXTURE_FAMILIES
    ]
    lmz = {"model": "models/lmz-5m", "tokenizer": None, "stride": 512}
    cases.append({**lmz, "corpus": "corpora/web.jsonl", "window": 1024, "limit": None})
    cases.append({**lmz, "corpus": "corpora/math.jsonl", "window": 600, "limit": 12})
    for case in cases:
        tokenizer = case["tokenizer"] and ROOT / case["tokenizer"]
        case["result"] = score(
            ROOT / case["model"], ROOT / case["corpus"], case["window"], case["stride"], case["limit"], tokenizer
        )
        print(case["model"], case["result"]["bits_per_character"])
    made_with = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    REFERENCE.write_text(json.dumps({"made_with": made_with, "cases": cases}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ["score", "compare"]:
        options = verbs.add_parser(verb)
        if verb == "compare":
            options.add_argument("result")
        options.add_argument("model")
        options.add_argument("corpus")
        options.add_argument("--window", type=int, default=1900)
        options.add_argument("--stride", type=int, default=512)
        options.add_argument("--limit", type=int)
        options.add_argument("--tokenizer")
    verbs.add_parser("fixtures")
    args = parser.parse_args()
    if args.verb == "fixtures":
        return fixtures()
    reference = score(args.model, args.corpus, args.window, args.stride, args.limit, args.tokenizer)
    print(json.dumps(reference, indent=1))
    if args.verb == "compare" and not compare(json.loads(pathlib.Path(args.result).read_text()), reference):
        sys.exit(1)


if __name__ == "__main__":
    main()
