#!/usr/bin/env python3
"""Every weight of a GGUF file, as lmz reads it, against what the `gguf` package makes of the same blocks.

    cargo build --release -p lmz-model --example inspect
    tools/parity/check_gguf.py target/release/examples/inspect FILE.gguf ...

For the families llama, qwen2, qwen3 and gemma3: the rows that the converter reorders are put back, and the one that it
adds to Gemma's norms is taken off. Needs gguf, numpy, blake3.
"""
import re, subprocess, sys

import blake3
import gguf
import numpy as np

NAMES = {
    "TokenEmbedding": "token_embd.weight", "FinalNorm": "output_norm.weight", "Head": "output.weight",
    "AttentionNorm": "attn_norm.weight", "Query": "attn_q.weight", "QueryBias": "attn_q.bias", "Key": "attn_k.weight",
    "KeyBias": "attn_k.bias", "Value": "attn_v.weight", "ValueBias": "attn_v.bias", "QueryNorm": "attn_q_norm.weight",
    "KeyNorm": "attn_k_norm.weight", "Output": "attn_output.weight", "FeedForwardNorm": "ffn_norm.weight",
    "Gate": "ffn_gate.weight", "Up": "ffn_up.weight", "Down": "ffn_down.weight",
    "AttentionPostNorm": "post_attention_norm.weight", "FeedForwardPostNorm": "post_ffw_norm.weight",
}


def check(inspect, path):
    reader = gguf.GGUFReader(path)
    key = lambda name: reader.fields[name].contents()
    arch = key("general.architecture")
    heads = {"Query": key(f"{arch}.attention.head_count"), "Key": key(f"{arch}.attention.head_count_kv")}
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    lines = subprocess.run([inspect, "parts", path], check=True, capture_output=True, text=True).stdout.splitlines()
    different, kinds = [], {}
    for line in lines:
        part, _, found = line.rsplit(" ", 2)
        match = re.fullmatch(r"Layer\((\d+), (\w+)\)", part)
        name = f"blk.{match[1]}.{NAMES[match[2]]}" if match else NAMES[part]
        module = match[2] if match else part
        tensor = tensors[name]
        value = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if arch == "llama" and module in heads:
            size = value.shape[0] // heads[module]
            value = value.reshape(heads[module], size // 2, 2, -1).swapaxes(1, 2)
        if arch.startswith("gemma") and module.endswith("Norm"):
            value = value - np.float32(1)
        kinds[tensor.tensor_type.name] = kinds.get(tensor.tensor_type.name, 0) + 1
        if blake3.blake3(np.ascontiguousarray(value).tobytes()).hexdigest() != found:
            different.append(part)
    print(f"{path}: {len(lines)} parts of {len(tensors)} tensors, {kinds}:", f"DIFFERENT: {different}" if different else "the same")
    return not different


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(not all([check(sys.argv[1], path) for path in sys.argv[2:]]))
