#!/usr/bin/env python3
"""Logits of a published model as transformers computes them in f32: fixtures for crates/lmz-float/tests/published.rs.

    pip install torch transformers gguf sentencepiece
    tools/models/logits.py FILE.gguf OUT.json [--hf DIR]

The text is corpora/alice29.txt's first 600 bytes (its blank lines and indents are what small errors show in first), read as one
sequence behind the token that the tokenizer begins with. At some positions: the logsumexp, the eight largest logits and eight others.
--hf takes a directory that tools/eval/from_gguf.py has made of the file.
"""
import argparse, hashlib, json, pathlib

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BYTES = 600
POSITIONS = [0, 1, 2, 5, 20, 60, 120]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--hf", type=pathlib.Path)
    args = parser.parse_args()
    if args.hf:
        names = {"pretrained_model_name_or_path": str(args.hf)}
    else:
        names = {"pretrained_model_name_or_path": str(args.gguf.parent), "gguf_file": args.gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**names)
    model = AutoModelForCausalLM.from_pretrained(**names, dtype=torch.float32).eval()
    alice = pathlib.Path(__file__).parents[2] / "corpora" / "alice29.txt"
    text = alice.read_bytes()[:BYTES].decode()
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    with torch.no_grad():
        logits = model(torch.tensor([[start] + tokens])).logits[0].double()
    others = torch.linspace(0, logits.shape[1] - 1, 8).long().tolist()
    positions = []
    for at in POSITIONS:
        top = logits[at].topk(8).indices.tolist()
        positions.append({
            "position": at, "logsumexp": logits[at].logsumexp(0).item(),
            "logits": [[token, logits[at, token].item()] for token in top + others],
        })
    args.out.write_text(json.dumps({
        "file": args.gguf.name, "sha256": hashlib.sha256(args.gguf.read_bytes()).hexdigest(),
        "bytes": BYTES, "start": start, "tokens": tokens, "positions": positions,
    }, indent=1) + "\n")
    print(args.out, len(tokens), "tokens, start", start, "top", positions[0]["logits"][0])


if __name__ == "__main__":
    main()
