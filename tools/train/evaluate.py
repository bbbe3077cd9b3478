#!/usr/bin/env python3
"""Held-out bits per byte of a Hugging Face directory, on the files' real bytes, in blocks as the codec cuts them.

    evaluate.py --hf DIR [--hf DIR ...] --test DIR --out figures.json [--blocks 512:256,1024:512] [--limit BYTES]

A block C:K holds C positions: <|bos|>, the last K tokens of the block before, then C - 1 - K new tokens, which alone are
counted (the first block has no overlap: C - 1 new tokens). Each file stands alone; .jsonl: the documents joined by newlines,
the first 1,000,000 bytes. The model is run by transformers in f32; nothing of the exact engine, coder or container is in it.
"""
import argparse, json, math, os, time

FILES = ("alice29.txt", "asyoulik.txt", "lcet10.txt", "plrabn12.txt", "web.jsonl", "python.jsonl", "math.jsonl", "eips.jsonl",
         "python_algorithms.jsonl", "rust_book.jsonl", "logs/Linux_2k.log", "logs/Zookeeper_2k.log")


def content(path, limit):
    if path.endswith(".jsonl"):
        b = "\n".join(json.loads(x)["content"] for x in open(path, encoding="utf8")).encode()[:1_000_000]
    else:
        b = open(path, "rb").read()
    return b[:limit] if limit else b


def blocks(ids, bos, C, K):
    """(tokens fed, how many of the last targets are new): row = [bos, overlap, new], C positions at most."""
    at = 0
    while at < len(ids):
        over = min(K, at)
        new = ids[at:at + C - 1 - over]
        yield [bos] + ids[at - over:at] + new, len(new)
        at += len(new)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--hf", action="append", required=True)
    p.add_argument("--test", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--blocks", default="512:256,512:128,1024:512,1024:256")
    p.add_argument("--files", default=",".join(FILES))
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("--rows", type=int, default=8)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--bf16", action="store_true", help="autocast: quicker, about 0.1 % off; the figures are then marked as such")
    a = p.parse_args()
    import torch
    import torch.nn.functional as F
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM
    torch.set_num_threads(a.threads)
    figures = json.load(open(a.out)) if os.path.exists(a.out) else {}
    for hf in a.hf:
        m = AutoModelForCausalLM.from_pretrained(hf, dtype=torch.float32).eval()
        tok = Tokenizer.from_file(f"{hf}/tokenizer.json")
        name = os.path.basename(os.path.normpath(hf))
        mine = figures.setdefault(name, {})
        for f in a.files.split(","):
            b = content(f"{a.test}/{f}", a.limit)
            text = b.decode("utf8", "ignore")  # a character cut at 1 MB is left out, and its bytes not counted
            ids, size = tok.encode(text, add_special_tokens=False).ids, len(text.encode())
            assert tok.decode(ids, skip_special_tokens=False) == text, f
            row = mine.setdefault(f, {"bytes": size, "tokens": len(ids)})
            for spec in a.blocks.split(","):
                C, K = map(int, spec.split(":"))
                t0, nats, rows = time.time(), 0., list(blocks(ids, m.config.bos_token_id, C, K))
                for i in range(0, len(rows), a.rows):
                    part = rows[i:i + a.rows]
                    x = torch.zeros(len(part), C, dtype=torch.long)
                    y = torch.full((len(part), C), -100)
                    for r, (z, new) in enumerate(part):
                        x[r, :len(z)] = torch.tensor(z)
                        y[r, len(z) - 1 - new:len(z) - 1] = torch.tensor(z[-new:])
                    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
                        h = m(x).logits.float()
                    nats += F.cross_entropy(h.view(-1, h.shape[-1]), y.view(-1), reduction="sum").item()
                row[spec + (" bf16" if a.bf16 else "")] = round(nats / math.log(2) / size, 4)
            mine[f] = row
            print(name, f, row, round(time.time() - t0), "s", flush=True)
            json.dump(figures, open(a.out, "w"), indent=1)


if __name__ == "__main__":
    main()
