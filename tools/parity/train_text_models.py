#!/usr/bin/env python3
"""Tiny models of several families, trained for a minute on the sample corpora: distributions as sharp as real ones.

    train_text_models.py --out tests/fixtures/text [--only NAME ...] [--steps 400]

Writes OUT/NAME/{config.json, model.safetensors} in f16; OUT/tokenizer.json, 91 byte-level tokens, must be there. What comes
out depends on the machine in its last bits: the files are kept, not made again, and tests compare engines on them.
"""
import argparse, json, os, zlib

import torch
import transformers
from tokenizers import Tokenizer

from families import classes

HIDDEN, LAYERS, CONTEXT, VOCABULARY, WINDOW = 48, 2, 128, 96, 32
COMMON = dict(hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=4, vocab_size=VOCABULARY,
              max_position_embeddings=CONTEXT, bos_token_id=1, eos_token_id=2, pad_token_id=None)
LLAMA = dict(COMMON, intermediate_size=96, num_key_value_heads=2, rms_norm_eps=1e-5)
MODELS = {
    "mistral": ("Mistral", dict(LLAMA, sliding_window=WINDOW)),
    "qwen2": ("Qwen2", dict(LLAMA, tie_word_embeddings=True)),
    "qwen3": ("Qwen3", dict(LLAMA, head_dim=16, tie_word_embeddings=True)),
    "gpt2": ("GPT2LMHead", dict(n_embd=HIDDEN, n_layer=LAYERS, n_head=4, n_positions=CONTEXT, vocab_size=VOCABULARY,
                                n_inner=128, bos_token_id=1, eos_token_id=2, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)),
    "gpt_neox": ("GPTNeoX", dict(COMMON, intermediate_size=128, rope_parameters=dict(
        rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5))),
    "gemma2": ("Gemma2", dict(LLAMA, head_dim=12, sliding_window=WINDOW, query_pre_attn_scalar=12,
                              attn_logit_softcapping=50.0, final_logit_softcapping=30.0)),
    "gemma3_text": ("Gemma3", dict(LLAMA, head_dim=12, sliding_window=WINDOW, query_pre_attn_scalar=12,
                                   layer_types=["sliding_attention", "full_attention"])),
    "olmo2": ("Olmo2", LLAMA),
}


def corpus(root, tokenizer):
    """Tokens of the first documents of the samples, the end of alice29 left out for tests."""
    text = [open(f"{root}/alice29.txt", encoding="latin-1").read()[:110_000]]
    for name in ("web", "python", "math"):
        with open(f"{root}/{name}.jsonl", encoding="utf-8") as file:
            text.append("\n".join(json.loads(line)["content"] for line in file)[:40_000])
    return torch.tensor(tokenizer.encode("\n".join(text)).ids)


def train(name, tokens, steps, directory):
    prefix, fields = MODELS[name]
    config_class, model_class = (getattr(transformers, c) for c in classes(prefix))
    torch.manual_seed(zlib.crc32(name.encode()))
    model = model_class(config_class(**fields, attn_implementation="eager")).float().train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.1)
    loss = None
    for _ in range(steps):
        starts = torch.randint(len(tokens) - CONTEXT, (12,))
        batch = torch.stack([tokens[s:s + CONTEXT] for s in starts])
        batch[:, 0] = 1
        loss = model(input_ids=batch, labels=batch, use_cache=False).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.half().save_pretrained(directory)
    for leftover in set(os.listdir(directory)) - {"config.json", "model.safetensors"}:
        os.remove(f"{directory}/{leftover}")
    return loss.item() / 0.6931


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", required=True)
    p.add_argument("--corpora", default="corpora")
    p.add_argument("--only", nargs="*", default=list(MODELS))
    p.add_argument("--steps", type=int, default=400)
    a = p.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    tokens = corpus(a.corpora, Tokenizer.from_file(f"{a.out}/tokenizer.json"))
    for name in a.only:
        directory = f"{a.out}/{name}"
        os.makedirs(directory, exist_ok=True)
        bits = train(name, tokens, a.steps, directory)
        print(f"{name:12} {bits:.2f} bits/token in the last step, {os.path.getsize(directory + '/model.safetensors')} bytes",
              flush=True)


if __name__ == "__main__":
    main()
