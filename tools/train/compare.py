#!/usr/bin/env python3
"""`lmz train` beside a PyTorch trainer: the same model, tokeniser, batch form, schedule and tokens, in one run.

    tools/train/compare.py --pretrain PRETRAIN.py --lmz LMZ --corpus FILE --holdout FILE [--shape nano|small]
                           [--tokens N] [--seeds K] [--threads T]

PRETRAIN.py gives the model (`build`), Muon (`make_muon`) and the export, as they stand: f32 on a CPU, not compiled.
Both arms draw rows of [start token, text from anywhere], take AdamW for the embedding and the norms, do not clip, and
follow the same rise, plateau and fall of the rate. What differs: the random numbers, and the code. Both results are
scored by `lmz bpc --protocol document` on the held-out file. Speeds are of the steps alone, by the wall clock: run it
on a machine that does nothing else. Needs torch and tokenizers.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import types

import numpy as np
import torch
from tokenizers import Tokenizer

SHAPES = {
    "nano": {"dim": 128, "layers": 3, "heads": 2, "kv_heads": 1, "ffn": 384, "batch": 4, "muon": 0.02, "adam": 0.005, "vocab": 2048},
    "small": {"dim": 256, "layers": 5, "heads": 4, "kv_heads": 2, "ffn": 768, "batch": 8, "muon": 0.015, "adam": 0.003, "vocab": 6144},
}
CONTEXT, WARMUP, DECAY, WEIGHT_DECAY = 1024, 100, 0.45, 0.05


def rate(step: int, share: float) -> float:
    """The factor of the learning rates, as in lmz-train's schedule."""
    rise = min(1.0, max((step + 1) / WARMUP, share * 20))
    return rise * min(1.0, max(0.01, (1 - share) / DECAY))


def ours(a, shape: dict, seed: int, work: pathlib.Path) -> tuple[pathlib.Path, float]:
    """Trains with lmz: the Hugging Face directory, tokens a second."""
    preset = work / "preset.toml"
    preset.write_text(
        f"name = 'compared'\nhidden_size = {shape['dim']}\nintermediate_size = {shape['ffn']}\nlayers = {shape['layers']}\n"
        f"heads = {shape['heads']}\nkv_heads = {shape['kv_heads']}\nvocab = {shape['vocab']}\ncontext = {CONTEXT}\n"
        f"batch = {shape['batch'] * CONTEXT}\nmuon_rate = {shape['muon']}\nadam_rate = {shape['adam']}\n"
        f"weight_decay = {WEIGHT_DECAY}\nwarmup = {WARMUP}\ndecay = {DECAY}\nclip = 1e6\ncrlf = 0.0\nprose = []\n"
    )
    out = work / f"ours-{seed}"
    command = [a.lmz, "train", "-c", a.corpus, "--raw", "-p", preset, "--tokens", str(a.tokens), "--dtype", a.dtype]
    command += ["--seed", str(seed), "--holdout", a.holdout, "--device", "cpu", "-o", out]
    if a.tokenizer:
        command += ["--tokenizer", a.tokenizer]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return out, [row for row in rows if "tokens_per_second" in row][-1]["tokens_per_second"]


def theirs(a, shape: dict, seed: int, tokenizer: pathlib.Path, work: pathlib.Path) -> tuple[pathlib.Path, float]:
    """Trains with PyTorch: the Hugging Face directory, tokens a second."""
    spec = importlib.util.spec_from_file_location("pretrain", a.pretrain)
    pretrain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pretrain)
    bpe = Tokenizer.from_file(str(tokenizer))
    text = pathlib.Path(a.corpus).read_text(encoding="utf8")
    pieces = [text[i : i + 50_000] for i in range(0, len(text), 50_000)]
    data = np.concatenate([np.array(e.ids, np.int64) for e in bpe.encode_batch(pieces, add_special_tokens=False)])
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)
    rng = np.random.default_rng(seed)
    model = pretrain.build(types.SimpleNamespace(**{**shape, "vocab": bpe.get_vocab_size()}))
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and n != "e.weight"]
    rest = [p for n, p in model.named_parameters() if not (p.ndim == 2 and n != "e.weight")]
    muon, state = pretrain.make_muon(torch, matrices, WEIGHT_DECAY)
    adam = torch.optim.AdamW(rest, lr=shape["adam"], betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    step_tokens = shape["batch"] * CONTEXT
    steps = -(-a.tokens // step_tokens)
    start = time.perf_counter()
    for step in range(steps):
        rows = rng.integers(0, len(data) - CONTEXT, shape["batch"])
        targets = torch.from_numpy(np.stack([data[i : i + CONTEXT] for i in rows]))
        inputs = torch.cat([torch.zeros(shape["batch"], 1, dtype=torch.long), targets[:, :-1]], 1)
        factor = rate(step, step * step_tokens / a.tokens)
        loss = model(inputs, targets)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        muon(shape["muon"] * factor)
        for group in adam.param_groups:
            group["lr"] = shape["adam"] * factor
        adam.step()
    speed = steps * step_tokens / (time.perf_counter() - start)
    run, out = work / "run", work / f"theirs-{seed}"
    run.mkdir(exist_ok=True)
    about = {**shape, "vocab": bpe.get_vocab_size(), "ctx": CONTEXT}
    torch.save({"m": model.state_dict(), "args": about}, run / "state.pt")
    pretrain.export(types.SimpleNamespace(out=run, hf=out, f32=False, tokenizer=tokenizer))
    return out, speed


def held_out(a, model: pathlib.Path, work: pathlib.Path) -> float:
    """Bits per byte of the held-out file, as one document whatever its name."""
    text = work / "held-out.txt"
    text.write_bytes(pathlib.Path(a.holdout).read_bytes())
    command = [a.lmz, "bpc", "--model", model, "--corpus", text, "--protocol", "document", "--device", "cpu", "--json"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return find(json.loads(run.stdout), "bits_per_byte")


def find(value, name: str):
    """The first field of that name."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        value = list(value.values())
    for part in value if isinstance(value, list) else []:
        found = find(part, name)
        if found is not None:
            return found
    return None


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("pretrain", "lmz", "corpus", "holdout"):
        p.add_argument(f"--{name}", required=True)
    p.add_argument("--tokenizer", help="use this tokenizer.json in both arms")
    p.add_argument("--shape", choices=SHAPES, default="nano")
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32", help="of lmz's products")
    p.add_argument("--tokens", type=int, default=614_400)
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    shape = SHAPES[a.shape]
    print("seed  lmz tok/s  PyTorch tok/s  ratio   lmz bits/byte  PyTorch bits/byte  ratio")
    means = []
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        for seed in range(a.seeds):
            model, speed = ours(a, shape, seed, work)
            other, other_speed = theirs(a, shape, seed, model / "tokenizer.json", work)
            bits, other_bits = held_out(a, model, work), held_out(a, other, work)
            means.append((bits, other_bits))
            print(
                f"{seed:4}  {speed:9.0f}  {other_speed:13.0f}  {speed / other_speed:5.2f}  {bits:13.4f}  {other_bits:17.4f}  {bits / other_bits:5.3f}",
                flush=True,
            )
    bits, other_bits = (sum(column) / len(means) for column in zip(*means))
    print(f"mean of {len(means)} seeds, bits/byte: lmz {bits:.4f}, PyTorch {other_bits:.4f}, ratio {bits / other_bits:.4f}")


if __name__ == "__main__":
    sys.exit(main())
