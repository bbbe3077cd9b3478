#!/usr/bin/env python3
"""Tiny random checkpoints of every supported family, with the logits that Hugging Face transformers gives them.

    make_fixtures.py --out tests/fixtures/families [--only NAME ...] [--check]

Writes OUT/NAME/{config.json, model.safetensors, logits.safetensors}. The first two are what `save_pretrained` writes.
logits.safetensors holds `tokens`, i64 [sequences, positions], and `logits`, f32 [sequences, positions, vocabulary]: eager
attention in f32 on the CPU. Everything follows from the names of families and tensors, so a second run gives the same
files. --check writes nothing and compares: configurations and weights must be equal, logits to 1e-5.
"""
import argparse, json, os, sys, tempfile, zlib

import torch
import transformers
from safetensors.torch import load_file, save_file

from families import FAMILIES, SEQUENCE, classes

SEQUENCES, TOLERANCE = 2, 1e-5
GAIN = 1.2  # of matrices, relative to 1 / sqrt(inputs): attention is peaked and logits spread by a few nats


def generator(*key):
    return torch.Generator().manual_seed(zlib.crc32("/".join(key).encode()))


def fill(family, model):
    """Random weights: no norm is the identity, no bias zero, so that none can be left out unnoticed."""
    hidden = model.config.hidden_size
    plus_one = family.startswith("gemma")  # whose norms multiply by 1 + weight
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            noise = torch.randn(tensor.shape, generator=generator(family, name))
            if tensor.dim() == 1 and "bias" in name:
                value = 0.3 * noise
            elif tensor.dim() == 1:
                value = 0.3 * noise + (0.0 if plus_one else 1.0)
            elif "embed" in name or "wte" in name or "wpe" in name or "lm_head" in name:
                value = 2.5 / hidden ** 0.5 * noise
            else:
                inputs = tensor.shape[0] if "c_attn" in name or "c_proj" in name or "c_fc" in name else tensor.shape[-1]
                value = GAIN / inputs ** 0.5 * noise
            tensor.copy_(value)


def make(family, directory):
    prefix, fields = FAMILIES[family]
    config_class, model_class = (getattr(transformers, name) for name in classes(prefix))
    config = config_class(**fields, attn_implementation="eager")
    model = model_class(config).float().eval()
    fill(family, model)
    os.makedirs(directory, exist_ok=True)
    model.save_pretrained(directory)
    # What is scored is what a reader of the files gets.
    model = model_class.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    vocabulary = model.config.vocab_size
    tokens = torch.randint(vocabulary, (SEQUENCES, SEQUENCE), generator=generator(family, "tokens"))
    with torch.no_grad():
        logits = model(tokens, use_cache=False).logits.float().contiguous()
    assert logits.shape == (SEQUENCES, SEQUENCE, vocabulary) and logits.isfinite().all()
    save_file({"tokens": tokens, "logits": logits}, f"{directory}/logits.safetensors")
    for leftover in set(os.listdir(directory)) - {"config.json", "model.safetensors", "logits.safetensors"}:
        os.remove(f"{directory}/{leftover}")
    return logits


def compare(family, made, kept):
    """The differences between two directories, as lines."""
    configs = [json.load(open(f"{d}/config.json")) for d in (made, kept)]
    for config in configs:
        config.pop("transformers_version", None)
    if configs[0] != configs[1]:
        yield "config.json differs"
    new, old = (load_file(f"{d}/model.safetensors") for d in (made, kept))
    if new.keys() != old.keys() or any(not torch.equal(new[name], old[name]) for name in new):
        yield "weights differ"
    new, old = (load_file(f"{d}/logits.safetensors") for d in (made, kept))
    if not torch.equal(new["tokens"], old["tokens"]):
        yield "tokens differ"
    elif (worst := (new["logits"] - old["logits"]).abs().max().item()) > TOLERANCE:
        yield f"logits differ by {worst:.2g}"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", required=True)
    p.add_argument("--only", nargs="*", default=list(FAMILIES))
    p.add_argument("--check", action="store_true")
    a = p.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    bad = 0
    for family in a.only:
        kept = f"{a.out}/{family}"
        with tempfile.TemporaryDirectory() as scratch:
            logits = make(family, scratch if a.check else kept)
            wrong = list(compare(family, scratch, kept)) if a.check else []
        bad += bool(wrong)
        size = sum(os.path.getsize(f"{kept}/{f}") for f in os.listdir(kept))
        spread = logits.std(-1).mean().item()
        entropy = torch.distributions.Categorical(logits=logits).entropy().mean().item()
        print(f"{family:20} {size:7} bytes, logits' deviation {spread:.2f}, entropy {entropy:.2f} nats",
              "; ".join(wrong) or ("same" if a.check else ""))
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
