#!/usr/bin/env python3
"""Trains a small Llama in PyTorch, on two CPU cores or one GPU, in runs that can be stopped and resumed. See README.md.

    pretrain.py tokenizer --shards CLEAN --tokenizer BPE.json --vocab-size 6144
    pretrain.py tokenize  --shards CLEAN --tokenizer BPE.json --out DATA
    pretrain.py train     --data DATA --tokenizer BPE.json --out RUN --total-tokens 36e6 [--dim 256 ...]
    pretrain.py train ... (again: resumes from RUN/state.pt; rate and context follow tokens seen / budget)
    pretrain.py train ... --constant [--init HF]  # no budget: the rate stays up; without a state, from a directory's weights
    pretrain.py train ... --decay-from RUN --total-tokens 2e6   # a copy of RUN's state, let down to zero over so many tokens more
    pretrain.py export    --out RUN --tokenizer BPE.json --hf DIR        # Hugging Face directory, f16 safetensors

Reads .jsonl, .jsonl.zst through the zstandard package or the zstd program, .jsonl.xz with lzma.
"""
import argparse, glob, io, json, lzma, math, os, random, re, signal, subprocess, time
import numpy as np

DOMAINS = {"books": .21, "web": .21, "docs": .12, "python": .17, "code": .10, "math": .14, "multi": .05}
SHARES = "the shares of DOMAINS, or of those that are named: books=.3,web=.3; what is not named gets none"
KEEP = {"multi": .4}  # the share of a domain's pieces that is tokenised at all
PIECE = 50_000  # characters which share one choice of line habits


def lines(path):
    if path.endswith(".xz"):
        yield from lzma.open(path, "rt", encoding="utf8")
    elif path.endswith(".zst"):
        try:
            import zstandard
            with open(path, "rb") as f:
                yield from io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=1 << 28).stream_reader(f), "utf8")
        except ImportError:
            p = subprocess.Popen(["zstd", "-dc", "--long=28", path], stdout=subprocess.PIPE)
            yield from io.TextIOWrapper(p.stdout, "utf8")
    else:
        yield from open(path, encoding="utf8")


def reflow(t, rng):
    """Prose wrapped at one width, as e-texts are: blank lines between paragraphs, now and then an indented first line."""
    rows = t.split("\n")
    long = sum(len(r) for r in rows if len(r) > 120) > len(t) / 2
    paras = rows if long else t.split("\n\n")  # one line a paragraph, or wrapped already
    indent = " " * (0 if rng.random() < .55 else rng.randint(2, 5))
    cut = re.compile(r"(.{1,%d})(?:\s+|\Z)" % rng.randint(58, 78))
    return "\n\n".join(cut.sub(r"\1\n", indent + " ".join(p.split())).rstrip("\n") for p in paras if p.strip())


def plain_type(t, rng):
    """Typewriter habits: straight or `leaning' quotes, -- for dashes, two spaces after a sentence."""
    style = rng.random()
    if "\u201c" in t or "\u2018" in t:
        marks = "\"\"''" if style < .5 else "`'`'" if style < .75 else "''\"'"
        t = t.translate(dict(zip(map(ord, "\u201c\u201d\u2018\u2019"), marks)))
    elif style > .6:
        t = re.sub(r'"([^"\n]{1,400})"', r"`\1'", t)
    t = re.sub(" ?\u2014 ?", "--" if rng.random() < .7 else " -- ", t).replace("\u2026", "...")
    if rng.random() < .3:
        t = re.sub(r"([.!?]['\"]?) (?=[A-Z`'\"])", r"\1  ", t)
    return t


def vary(t, rng, domain):
    """Line and type habits of real files. Without it a model meets few of them (alice29.txt: CRLF, wrapped, `quotes')."""
    if domain in ("books", "multi"):
        t = t.replace("\r\n", "\n").lstrip("\ufeff")
        if domain == "books" and rng.random() < .5:
            t = plain_type(t, rng)
        if rng.random() < .6:
            t = reflow(t, rng)
    if rng.random() < (.35 if domain == "books" else .06):
        t = t.replace("\r\n", "\n").replace("\n", "\r\n")
    return t


def pieces(shards, domain, seed):
    """The varied pieces of one domain, in the order of the shard; a document's last piece ends with a line end."""
    rng = random.Random(f"{seed}/{domain}")
    for path in sorted(glob.glob(f"{shards}/{domain}.jsonl*")):
        for line in lines(path):
            t = json.loads(line)["text"]
            for i in range(0, len(t), PIECE):
                if rng.random() < KEEP.get(domain, 1.):
                    yield vary(t[i:i + PIECE], rng, domain) + ("\n" if i + PIECE >= len(t) else "")


# GPT-2's split with one more alternative: white space that ends in line ends, directly before text, stays whole. Without it
# every CRLF, and every blank line before an unindented paragraph, costs two tokens.
SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+(?=\S)|\s+(?!\S)|\s+"


def tokenizer(a):
    """A byte-level BPE of --vocab entries, from a sample of every shard in the proportions of DOMAINS."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLIT), "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()

    def sample():
        rng = random.Random(a.seed)
        for d, share in DOMAINS.items():
            left, size = a.sample_mb * 1e6 * share, sum(os.path.getsize(p) for p in glob.glob(f"{a.shards}/{d}.jsonl*"))
            for x in pieces(a.shards, d, a.seed):
                if rng.random() < 1.3 * a.sample_mb * 1e6 * share / size and left > 0:
                    left -= len(x)
                    yield x
    t.train_from_iterator(sample(), trainers.BpeTrainer(vocab_size=a.vocab_size, special_tokens=["<|bos|>"], show_progress=False, max_token_length=24,
                                                        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.save(a.tokenizer)
    print("vocabulary", t.get_vocab_size(), flush=True)


def tokenize(a):
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(a.tokenizer)
    os.makedirs(a.out, exist_ok=True)
    for d in (a.domains.split(",") if a.domains else DOMAINS):
        ids, nbytes, buf = [], 0, []

        def flush():
            ids.extend(np.array(e.ids, np.uint16) for e in tok.encode_batch_fast(buf, add_special_tokens=False))
            buf.clear()
        for x in pieces(a.shards, d, a.seed):
            nbytes += len(x.encode())
            buf.append(x)
            if len(buf) >= 256:
                flush()
        flush()
        x = np.concatenate(ids)
        x.tofile(f"{a.out}/{d}.u16")
        print(d, len(x), "tokens,", round(nbytes / len(x), 3), "bytes/token", flush=True)
        with open(f"{a.out}/{d}.json", "w") as f:  # bytes per token turn a loss into bits per byte
            json.dump({"tokens": len(x), "bytes": nbytes}, f)


def build(a):
    import torch, torch.nn as nn, torch.nn.functional as F
    D, L, H, KV, FF, V = a.dim, a.layers, a.heads, a.kv_heads, a.ffn, a.vocab
    hd = D // H

    def attention(q, k, v, C=128):
        """Causal attention by strips of C queries, each against the keys up to its own end: plain products that run on the
        matrix units, and a softmax that the compiler fuses. On a CPU twice as fast as the library's, forward and back."""
        T, out = q.shape[2], []
        for i in range(0, T, C):
            j = min(i + C, T)
            s = (q[:, :, i:j] @ k[:, :, :j].transpose(-1, -2)).float() * hd ** -.5
            later = torch.arange(j, device=q.device)[None, :] > torch.arange(i, j, device=q.device)[:, None]
            out.append(torch.softmax(s.masked_fill(later, -1e30), -1).to(q.dtype) @ v[:, :, :j])
        return torch.cat(out, 2)

    class Block(nn.Module):
        def __init__(s):
            super().__init__()
            s.n1, s.n2 = nn.RMSNorm(D, eps=1e-5), nn.RMSNorm(D, eps=1e-5)
            lin = lambda i, o: nn.Linear(i, o, bias=False)
            s.q, s.k, s.v, s.o = lin(D, D), lin(D, KV * hd), lin(D, KV * hd), lin(D, D)
            s.g, s.u, s.d = lin(D, FF), lin(D, FF), lin(FF, D)

        def forward(s, x, cos, sin):
            b, t, _ = x.shape
            h = s.n1(x)
            w = torch.cat([s.q.weight, s.k.weight, s.v.weight])  # one product in place of three
            q, k, v = (z.view(b, t, -1, hd).transpose(1, 2) for z in F.linear(h, w).split([D, KV * hd, KV * hd], -1))

            def rot(z):
                z1, z2 = z.chunk(2, -1)
                return torch.cat([z1 * cos - z2 * sin, z2 * cos + z1 * sin], -1).to(z.dtype)
            q, k = rot(q), rot(k)
            if KV != H:
                k, v = k.repeat_interleave(H // KV, 1), v.repeat_interleave(H // KV, 1)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True) if x.is_cuda else attention(q, k, v)
            x = x + s.o(y.transpose(1, 2).reshape(b, t, D))
            g, u = F.linear(s.n2(x), torch.cat([s.g.weight, s.u.weight])).split([FF, FF], -1)
            return x + s.d(F.silu(g) * u)

    class LM(nn.Module):
        def __init__(s):
            super().__init__()
            s.e, s.b, s.n = nn.Embedding(V, D), nn.ModuleList(Block() for _ in range(L)), nn.RMSNorm(D, eps=1e-5)
            nn.init.normal_(s.e.weight, std=.02)
            for b in s.b:
                for m in (b.q, b.k, b.v, b.g, b.u):
                    nn.init.normal_(m.weight, std=.7 * D ** -.5)
                for m in (b.o, b.d):
                    nn.init.normal_(m.weight, std=.02 / math.sqrt(2 * L))
            ang = torch.outer(torch.arange(4096).float(), 10000 ** (-torch.arange(0, hd, 2) / hd))
            s.register_buffer("cos", ang.cos(), False)
            s.register_buffer("sin", ang.sin(), False)

        def forward(s, i):
            x, t = s.e(i), i.shape[1]
            for b in s.b:
                x = b(x, s.cos[:t], s.sin[:t])
            return s.n(x)
    return LM()


def head_loss(torch, compile_it):
    """Mean cross-entropy of the tied head, in strips of rows, gradients made on the way: the logits never leave the cache."""
    import torch.nn.functional as F

    def strip(z, y, scale):
        z = z.float()
        m = z.amax(-1, keepdim=True)
        e = (z - m).exp()
        total = e.sum(-1, keepdim=True)
        loss = (total.log() + m).sum() - z.gather(1, y[:, None]).sum()
        return loss, (e * (scale / total)).bfloat16()
    strip = torch.compile(strip, dynamic=False) if compile_it else strip

    class Head(torch.autograd.Function):
        @staticmethod
        def forward(ctx, h, w, y, rows):
            h, w, n, loss = h.bfloat16(), w.bfloat16(), h.shape[0], 0.
            dh, dw = torch.empty_like(h), torch.zeros(w.shape, dtype=torch.float32, device=h.device)
            for i in range(0, n, rows):
                hi, yi = h[i:i + rows], y[i:i + rows]
                l, p = strip(hi @ w.t(), yi, 1 / n)
                p[torch.arange(len(yi), device=h.device), yi] -= 1 / n
                loss = loss + l
                dh[i:i + rows] = p @ w
                dw += p.t() @ hi
            ctx.save_for_backward(dh, dw)
            return loss / n

        @staticmethod
        def backward(ctx, g):
            dh, dw = ctx.saved_tensors
            return dh.float() * g, dw * g, None, None
    return Head.apply


def make_muon(torch, params, weight_decay, lowp):
    groups = {}
    for p in params:
        groups.setdefault(tuple(p.shape), []).append(p)
    state = {k: [torch.zeros_like(p) for p in v] for k, v in groups.items()}
    coef = ((4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037), (2.8769, -3.1427, 1.2046),
            (2.8366, -3.0525, 1.2012))

    @torch.no_grad()
    def step(lr):
        for shape, ps in groups.items():
            for p, m in zip(ps, state[shape]):
                m.lerp_(p.grad, .05)
            x = torch.stack([p.grad.lerp(m, .95) for p, m in zip(ps, state[shape])])
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            x = x.bfloat16() if lowp else x
            flip = shape[0] > shape[1]
            x = x.transpose(1, 2).contiguous() if flip else x
            for a, b, c in coef:
                g = x @ x.transpose(1, 2)
                x = a * x + (b * g + c * (g @ g)) @ x
            x = (x.transpose(1, 2) if flip else x).float()
            for p, u in zip(ps, x):
                p.mul_(1 - lr * weight_decay).add_(u, alpha=-lr * max(1, shape[0] / shape[1]) ** .5)
    return step, state


def train(a):
    import torch
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(a.tokenizer)
    a.vocab, bos = tok.get_vocab_size(), tok.token_to_id("<|bos|>")
    dev = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)  # denormal gradients make a CPU run ten times slower
    if dev == "cpu":
        torch.set_num_threads(a.threads)
    os.makedirs(a.out, exist_ok=True)
    open(f"{a.out}/pid", "w").write(str(os.getpid()))
    m = build(a).to(dev)
    mats = [p for n, p in m.named_parameters() if p.ndim == 2 and n != "e.weight"]
    rest = [p for n, p in m.named_parameters() if not (p.ndim == 2 and n != "e.weight")]
    print("parameters", sum(p.numel() for p in m.parameters()), dev, flush=True)
    muon, mstate = make_muon(torch, mats, a.weight_decay, not a.f32)
    adam = torch.optim.AdamW(rest, lr=a.adam_lr, betas=(.9, .95), weight_decay=0., fused=True)
    data, tail, per_token = {}, {}, {}
    shares = {k: float(v) for k, v in (x.split("=") for x in a.shares.split(","))} if a.shares else DOMAINS
    for k in shares:
        if os.path.exists(f"{a.data}/{k}.u16"):
            x, z = np.memmap(f"{a.data}/{k}.u16", np.uint16, "r"), json.load(open(f"{a.data}/{k}.json"))
            n = max(a.ctx + 2, min(250_000, len(x) // 20))  # the end of each domain is never trained on
            data[k], tail[k], per_token[k] = x[:-n], x[-n:], z["bytes"] / z["tokens"]
    names = list(data)
    prob = np.array([shares[k] for k in names]) / sum(shares[k] for k in names)
    spent, step, seen, start = 0., 0, 0, 0
    own = os.path.exists(f"{a.out}/state.pt")
    state = f"{a.out}/state.pt" if own else f"{a.decay_from}/state.pt" if a.decay_from else ""
    if not state and a.init:
        from safetensors.torch import load_file
        m.load_state_dict(ours(load_file(f"{a.init}/model.safetensors"), a.layers))
        print("weights of", a.init, flush=True)
    if state:
        z = torch.load(state, map_location=dev, weights_only=False)
        m.load_state_dict(z["m"])
        adam.load_state_dict(z["adam"])
        for k, v in z["muon"].items():
            for x, y in zip(mstate[k], v):
                x.copy_(y)
        spent, step, seen = z["spent"], z["step"], z["seen"]
        start = (z["start"] if own else seen) if a.decay_from else 0
        print(f"resumed at step {step}, {spent:.1f} min, {seen / 1e6:.1f} M tokens", flush=True)
    if not a.no_compile:
        torch._dynamo.config.recompile_limit = 64  # every context, with and without gradients
        for b in m.b:
            b.compile(dynamic=False)
    loss_of, amp = head_loss(torch, not a.no_compile), (lambda: torch.autocast(dev, torch.bfloat16, enabled=not a.f32))

    def crops(d, n, ctx, starts):
        """n rows of [bos, text from anywhere]: what the codec feeds at the start of a block."""
        x = np.empty((n, ctx + 1), np.int64)
        x[:, 0] = bos
        for r, i in enumerate(starts):
            x[r, 1:] = d[r][i:i + ctx]
        x = torch.from_numpy(x)
        return (x.pin_memory().to(dev, non_blocking=True) if dev == "cuda" else x)

    def batch(ctx):
        rng = np.random.default_rng([a.seed, step])  # by step: a resumed run sees what an unbroken one would
        n = a.batch // ctx
        d = [data[names[c]] for c in rng.choice(len(names), n, p=prob)]
        x = crops(d, n, ctx, [rng.integers(0, len(z) - ctx) for z in d])
        return x[:, :-1], x[:, 1:]

    def nats(x, y):
        with amp():
            h = m(x)
        return loss_of(h.reshape(-1, a.dim), m.e.weight, y.reshape(-1), a.rows)

    def validation(ctx):
        """Bits per byte on the ends of the domains (of the training sources), one batch of rows spread over each."""
        out, n = {}, a.batch // ctx
        for k in names:
            starts = np.linspace(0, len(tail[k]) - ctx - 1, n).astype(int)
            x = crops([tail[k]] * n, n, ctx, starts)
            with torch.no_grad():
                out[k] = round(nats(x[:, :-1], x[:, 1:]).item() / math.log(2) / per_token[k], 4)
        out["mean"] = round(sum(out.values()) / len(out), 4)
        return out
    last, log = time.time(), open(f"{a.out}/log.jsonl", "a")

    def save():
        torch.save({"m": m.state_dict(), "adam": adam.state_dict(), "muon": mstate, "spent": spent, "step": step, "seen": seen,
                    "start": start, "args": vars(a)}, f"{a.out}/state.tmp")
        os.replace(f"{a.out}/state.tmp", f"{a.out}/state.pt")

    def note(row):
        log.write(json.dumps(row) + "\n")
        log.flush()
        print(row, flush=True)
    stop = []  # a signal ends the run after the step, with its state saved
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: stop.append(1))
    total, run0, seen0, ring, t0, c0, ctx = a.total_tokens, spent, seen, [], time.time(), time.process_time(), 0
    while True:
        if a.total_file and os.path.exists(a.total_file):  # the budget may be moved while the run is under way
            try:
                total = float(open(a.total_file).read())
            except ValueError:
                pass
        frac = 0. if a.constant else (seen - start) / total
        if frac >= 1 or spent - run0 >= a.minutes or step == a.stop_step or stop:
            break
        lr = 1. if a.constant else 1 - frac if a.decay_from else 1. if frac < 1 - a.decay else max(.01, (1 - frac) / a.decay)
        lr *= min(1, (step + 1) / 100)
        stages = [0.] if a.constant or a.decay_from else [float(v) for v in a.ctx_at.split(",")]  # the context doubles at these shares of the budget
        want = a.ctx >> (len(stages) - sum(frac >= v for v in stages))
        if want != ctx:
            ctx = want
            note({"step": step, "context": ctx, "Mtok": round(seen / 1e6, 2)})
        x, y = batch(ctx)
        loss = nats(x, y)
        for p in m.parameters():
            p.grad = None
        loss.backward()
        muon(a.muon_lr * lr)
        for g in adam.param_groups:
            g["lr"] = a.adam_lr * lr
        adam.step()
        step += 1
        seen += x.numel()
        ring.append(loss.item())
        now = time.time()
        spent += min(now - t0, 5 if step - 1 else 60) / 60  # a stopped process (SIGSTOP) is not charged
        t0 = now
        if step % 25 == 0:
            l, ring = sum(ring) / len(ring), []
            if not math.isfinite(l):
                raise SystemExit("loss is not finite")
            note({"step": step, "min": round(spent, 2), "cpu_min": round((time.process_time() - c0) / 60, 2), "loss": round(l, 4), "lr": round(lr, 4),
                  "tok_s": round((seen - seen0) / max(1e-9, spent - run0) / 60), "Mtok": round(seen / 1e6, 2)})
        if step % a.val_every == 0:
            note({"step": step, "Mtok": round(seen / 1e6, 2), "min": round(spent, 2), "context": ctx, "validation": validation(ctx)})
        if now - last > 180:
            save()
            last = now
    save()
    if not stop:
        note({"step": step, "Mtok": round(seen / 1e6, 2), "min": round(spent, 2), "context": ctx, "validation": validation(ctx)})


# Names in a checkpoint and in the model above.
PARTS = (("n1", "input_layernorm"), ("n2", "post_attention_layernorm"), ("q", "self_attn.q_proj"), ("k", "self_attn.k_proj"), ("v", "self_attn.v_proj"),
         ("o", "self_attn.o_proj"), ("g", "mlp.gate_proj"), ("u", "mlp.up_proj"), ("d", "mlp.down_proj"))


def ours(tensors, layers):
    """A checkpoint's tensors under the model's names."""
    t = {"e.weight": tensors["model.embed_tokens.weight"].float(), "n.weight": tensors["model.norm.weight"].float()}
    for i in range(layers):
        for mine, theirs in PARTS:
            t[f"b.{i}.{mine}.weight"] = tensors[f"model.layers.{i}.{theirs}.weight"].float()
    return t


def export(a):
    import torch
    from safetensors.torch import save_file
    z = torch.load(f"{a.out}/state.pt", map_location="cpu", weights_only=False)
    g, sd, t = z["args"], z["m"], {}
    t["model.embed_tokens.weight"], t["model.norm.weight"] = sd["e.weight"], sd["n.weight"]
    for i in range(g["layers"]):
        p, q = f"model.layers.{i}.", f"b.{i}."
        for mine, theirs in PARTS:
            t[p + theirs + ".weight"] = sd[q + mine + ".weight"]
    os.makedirs(a.hf, exist_ok=True)
    save_file({k: v.to(torch.float32 if a.f32 else torch.float16).contiguous() for k, v in t.items()}, f"{a.hf}/model.safetensors", metadata={"format": "pt"})
    json.dump({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": g["dim"], "intermediate_size": g["ffn"],
               "num_hidden_layers": g["layers"], "num_attention_heads": g["heads"], "num_key_value_heads": g["kv_heads"],
               "head_dim": g["dim"] // g["heads"], "vocab_size": g["vocab"], "max_position_embeddings": max(1024, g["ctx"]), "rms_norm_eps": 1e-5,
               "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0,
               "attention_bias": False, "mlp_bias": False, "torch_dtype": "float16"}, open(f"{a.hf}/config.json", "w"), indent=1)
    open(f"{a.hf}/tokenizer.json", "wb").write(open(a.tokenizer, "rb").read())


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("verb", choices=["tokenizer", "tokenize", "train", "export"])
    for k, v in {"shards": "clean", "tokenizer": "bpe.json", "data": "data", "out": "run", "hf": "hf", "domains": "", "total_file": "", "init": "", "decay_from": "", "ctx_at": "0.4,0.8"}.items():
        p.add_argument("--" + k.replace("_", "-"), default=v)
    for k, v in {"dim": 256, "layers": 6, "heads": 4, "kv_heads": 2, "ffn": 704, "ctx": 1024, "batch": 8192, "rows": 1024, "threads": 2, "val_every": 250, "stop_step": -1, "seed": 0, "vocab_size": 6144}.items():
        p.add_argument("--" + k.replace("_", "-"), type=int, default=v)
    for k, v in {"sample_mb": 40., "minutes": 1e9, "total_tokens": 30e6, "decay": .45, "muon_lr": .02, "adam_lr": .003, "weight_decay": .05}.items():
        p.add_argument("--" + k.replace("_", "-"), type=float, default=v)
    p.add_argument("--shares", default="", help=SHARES)
    p.add_argument("--constant", action="store_true")
    p.add_argument("--f32", action="store_true", help="train (or export) in f32")
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    {"tokenizer": tokenizer, "tokenize": tokenize, "train": train, "export": export}[a.verb](a)
