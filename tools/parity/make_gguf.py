#!/usr/bin/env python3
"""GGUF fixtures, made by the `gguf` package: blocks of every type, the tiny families, and made-up tokenizers.

    make_gguf.py --out tests/fixtures/gguf [--families tests/fixtures/families] [--corpus LICENSE-APACHE]
    make_gguf.py --seeds tests/fuzz/seeds/gguf         # small files for the fuzz target, whole and damaged

Writes
* OUT/blocks.gguf, OUT/blocks.safetensors: random blocks of each quantised type, and what the package makes of them;
* OUT/families/NAME.gguf: the checkpoints of tests/fixtures/families with what llama.cpp's converter does to them,
  most matrices in f16, vectors in f32;
* OUT/bytes.gguf, OUT/pieces.gguf and OUT/tokens.json: byte-level and SentencePiece vocabularies trained on a text, with
  the tokens that the libraries `tokenizers` and `sentencepiece` give to some texts. Their models are tiny and random.

Needs gguf, numpy, safetensors, tokenizers, sentencepiece. Made with gguf 0.19.0, tokenizers 0.23.3, sentencepiece 0.2.3.
"""
import argparse, io, json, os, zlib

import gguf
import numpy as np
import sentencepiece
import tokenizers
from safetensors.numpy import load_file, save_file

from gguf_families import FAMILIES, metadata, tensors

TYPES = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]
# Where the half-precision scales of a block are.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}
ROWS = 3
# Matrices that the converter keeps in f32.
KEPT = ("ffn_gate_inp.weight", "position_embd.weight")


def blocks(out):
    """Random bits with finite scales of all sizes, subnormal and negative ones included."""
    writer = gguf.GGUFWriter(f"{out}/blocks.gguf", "llama")
    expected = {}
    for name in TYPES:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        if name in ("F16", "BF16"):
            values = (rng.standard_normal((ROWS, 64)) * 2.0 ** rng.integers(-20, 10, (ROWS, 64))).astype(np.float32)
            data = gguf.quants.quantize(values, kind)
        else:
            count = 512 // elements
            data = rng.integers(0, 256, (ROWS, count, size), dtype=np.uint8)
            for at in SCALES[name]:
                scale = (rng.standard_normal((ROWS, count)) * 2.0 ** rng.integers(-22, 4, (ROWS, count))).astype(np.float16)
                data[:, :, at:at + 2] = scale[..., None].view(np.uint8)
            data = data.reshape(ROWS, count * size)
        expected[name] = gguf.quants.dequantize(data, kind).astype(np.float32).reshape(ROWS, -1)
        assert np.isfinite(expected[name]).all()
        writer.add_tensor(name, data, raw_dtype=kind)
    write(writer)
    save_file(expected, f"{out}/blocks.safetensors")


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def families(out, source):
    os.makedirs(f"{out}/families", exist_ok=True)
    for name, arch in FAMILIES.items():
        config = json.load(open(f"{source}/{name}/config.json"))
        writer = gguf.GGUFWriter(f"{out}/families/{name}.gguf", gguf.MODEL_ARCH_NAMES[arch])
        writer.add_type(gguf.GGUFType.MODEL)
        writer.add_name(f"Tiny {name}")
        metadata(writer, arch, config)
        for mapped, value in tensors(arch, config, load_file(f"{source}/{name}/model.safetensors")):
            half = value.ndim > 1 and not mapped.endswith(KEPT)
            writer.add_tensor(mapped, value.astype(np.float16) if half else value)
        write(writer)


def tiny(path, vocabulary, tokenizer, arch="llama"):
    """A Llama of one layer with a tokenizer, every weight random."""
    hidden, heads, inner = 32, 2, 32
    rng = np.random.default_rng(zlib.crc32(os.path.basename(path).encode()))
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name(os.path.basename(path).removesuffix(".gguf") + " fixture")
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_block_count(1)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    tokenizer(writer)
    shapes = {"token_embd": (vocabulary, hidden), "blk.0.attn_norm": (hidden,), "blk.0.ffn_norm": (hidden,),
              "output_norm": (hidden,), "blk.0.ffn_gate": (inner, hidden), "blk.0.ffn_up": (inner, hidden),
              "blk.0.ffn_down": (hidden, inner)}
    shapes |= {f"blk.0.attn_{part}": (hidden, hidden) for part in ("q", "k", "v", "output")}
    for name, shape in shapes.items():
        value = (rng.standard_normal(shape) / 6 + (len(shape) == 1)).astype(np.float32)
        kind = gguf.GGMLQuantizationType.F32 if len(shape) == 1 else gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(value, kind), raw_dtype=kind)
    write(writer)


TEXTS = [
    "Alice was beginning to get very tired of sitting by her sister on the bank, 1865.",
    "  two,  three,   and      many spaces\n\n\n\ttabs\t\tand lines\r\n\r\nend ",
    "It's 'twas they'll I'M we'Ve don't 12345 3.14159 x_1=y[0]; // comment",
    "Ünïcödé: Αθήνα, Москва, 東京, नमस्ते, 🙂👩‍🚀, e\u0301",
    "    def f(x):\n        return x  # indented\n" + " " * 70 + "x",
    "",
    "\n", " ", "<s>not special</s> <unk> <0x41>",
]


def byte_level(out, corpus):
    """A byte-level vocabulary with Qwen2's way of splitting."""
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
               r"\s+(?!\S)|\s+")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"),
        tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=600, show_progress=False,
                                             initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([corpus], trainer)
    size = tokenizer.get_vocab_size()
    special, plain = "<|end|>", "[multi]"
    tokenizer.add_special_tokens([special])
    tokenizer.add_tokens([plain])
    model = json.loads(tokenizer.to_str())["model"]
    texts = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    types = [gguf.TokenType.NORMAL] * size + [gguf.TokenType.CONTROL, gguf.TokenType.USER_DEFINED, gguf.TokenType.UNUSED]
    texts.append(f"[PAD{len(texts)}]")

    def add(writer):
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_list(texts)
        writer.add_token_types(types)
        writer.add_token_merges([" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]])
        writer.add_bos_token_id(size)
        writer.add_eos_token_id(size)
        writer.add_add_bos_token(False)
        writer.add_chat_template("{{ messages }}")

    tiny(f"{out}/bytes.gguf", len(texts), add)
    plain_text = tokenizers.Tokenizer.from_str(json.dumps({**json.loads(tokenizer.to_str()), "added_tokens": []}))
    return [plain_text.encode(text).ids for text in TEXTS]


def sentencepiece_like(out, corpus):
    """A SentencePiece vocabulary with runs of spaces and line ends of its own, stored as Gemma's are."""
    runs = ["▁" * n for n in range(2, 12)] + ["\n" * n for n in range(1, 5)] + ["\t", "[multi]"]
    model = io.BytesIO()
    # Ordinary pieces first see no run, as in the trainer's own pre-splitting.
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus.split("\n")), model_writer=model, vocab_size=900, model_type="bpe",
        byte_fallback=True, user_defined_symbols=runs, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True, character_coverage=1.0,
        num_threads=1, minloglevel=2)
    sp = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    texts, scores, types = [], [], []
    for i in range(sp.get_piece_size()):
        piece, score, kind = sp.id_to_piece(i), sp.get_score(i), gguf.TokenType.NORMAL
        if sp.is_unknown(i):
            kind = gguf.TokenType.UNKNOWN
        elif sp.is_control(i):
            kind = gguf.TokenType.CONTROL
        elif sp.is_byte(i):
            kind = gguf.TokenType.BYTE
        elif piece in runs:
            piece, score, kind = piece.replace("▁", " "), -1000.0, gguf.TokenType.USER_DEFINED
        texts.append(piece)
        scores.append(score)
        types.append(kind)

    def add(writer):
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(texts)
        writer.add_token_scores(scores)
        writer.add_token_types(types)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        writer.add_add_bos_token(True)
        writer.add_add_space_prefix(False)

    tiny(f"{out}/pieces.gguf", len(texts), add)
    return [sp.encode(text) for text in TEXTS]


def seeds(out):
    """Small whole models, and damaged ones."""
    characters = list(tokenizers.pre_tokenizers.ByteLevel.alphabet())

    def byte_level_of(pre):
        def add(writer):
            writer.add_tokenizer_model("gpt2")
            writer.add_tokenizer_pre(pre)
            writer.add_token_list(sorted(characters) + ["th", "the", "<|end|>"])
            writer.add_token_types([gguf.TokenType.NORMAL] * 258 + [gguf.TokenType.CONTROL])
            writer.add_token_merges(["t h", "th e"])
            writer.add_bos_token_id(258)
        return add

    def pieces(writer):
        texts = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
        words = ["▁", "t", "h", "e", "th", "the", "▁the", "  ", "   ", "\n"]
        types = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.BYTE] * 256
        types += [gguf.TokenType.NORMAL] * 7 + [gguf.TokenType.USER_DEFINED] * 3
        writer.add_tokenizer_model("llama")
        writer.add_token_list(texts + words)
        writer.add_token_scores([0.0] * len(texts) + [-float(i) for i in range(len(words))])
        writer.add_token_types(types)
        writer.add_unk_token_id(0)

    tiny(f"{out}/bytes", 259, byte_level_of("gpt-2"))
    tiny(f"{out}/split", 259, byte_level_of("llama-bpe"))
    tiny(f"{out}/pieces", 269, pieces)
    whole = open(f"{out}/bytes", "rb").read()
    for name, data in [("cut", whole[:len(whole) * 3 // 4]), ("cut-header", whole[:2000]),
                       ("version-1", whole[:4] + b"\1" + whole[5:])]:
        with open(f"{out}/{name}", "wb") as file:
            file.write(data)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", help="write the fixtures here")
    p.add_argument("--seeds", help="write seeds for the fuzz target here")
    p.add_argument("--families", default="tests/fixtures/families")
    p.add_argument("--corpus", default="LICENSE-APACHE")
    a = p.parse_args()
    if a.seeds:
        os.makedirs(a.seeds, exist_ok=True)
        seeds(a.seeds)
    if not a.out:
        return
    os.makedirs(a.out, exist_ok=True)
    corpus = open(a.corpus, encoding="utf-8").read()
    blocks(a.out)
    families(a.out, a.families)
    tokens = {"texts": TEXTS, "bytes": byte_level(a.out, corpus), "pieces": sentencepiece_like(a.out, corpus)}
    with open(f"{a.out}/tokens.json", "w") as file:
        json.dump(tokens, file)
        file.write("\n")


if __name__ == "__main__":
    main()
