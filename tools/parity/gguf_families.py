"""What llama.cpp's converter does to each family (its `conversion/`), for the tiny checkpoints of tests/fixtures/families.

Names of tensors and keys are those of the `gguf` package. Where the converter leaves out what the fixtures have and
published models do not (a window, a scale, a base), the key that llama.cpp reads for it is written.
"""

import gguf
import numpy as np

ARCH = gguf.MODEL_ARCH
# Our fixture -> architecture. The others have a form that GGUF has no place for: Falcon with sequential halves,
# GPT-BigCode with a key head for each query head.
FAMILIES = {
    "llama": ARCH.LLAMA, "llama3": ARCH.LLAMA, "llama_linear": ARCH.LLAMA, "mistral": ARCH.LLAMA, "mixtral": ARCH.LLAMA,
    "qwen2": ARCH.QWEN2, "qwen3": ARCH.QWEN3, "gpt2": ARCH.GPT2, "gpt_neox": ARCH.GPTNEOX,
    "gpt_neox_sequential": ARCH.GPTNEOX, "gpt_bigcode": ARCH.STARCODER, "starcoder2": ARCH.STARCODER2,
    "falcon": ARCH.FALCON, "falcon40b": ARCH.FALCON, "falcon11b": ARCH.FALCON, "phi": ARCH.PHI2, "gemma": ARCH.GEMMA,
    "gemma2": ARCH.GEMMA2, "gemma3_text": ARCH.GEMMA3, "olmo": ARCH.OLMO, "olmo2": ARCH.OLMO2,
}


def heads(config):
    """Query heads and key heads."""
    count = config.get("num_attention_heads") or config["n_head"]
    if config["model_type"] == "falcon":
        newer = config["new_decoder_architecture"]
        return count, config["num_kv_heads"] if newer else 1 if config["multi_query"] else count
    if config["model_type"] == "gpt_bigcode":
        return count, 1
    return count, config.get("num_key_value_heads") or count


def permute(weights, count):
    """Rows of a head from halves to pairs."""
    shape = weights.shape
    return weights.reshape(count, 2, shape[0] // count // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def ungroup(weights, config):
    """Queries, keys and values of each group of heads -> all queries, all keys, all values."""
    count, kv = heads(config)
    size = config["hidden_size"] // count
    groups = weights.reshape(kv, count // kv + 2, size, *weights.shape[1:])
    parts = groups[:, :-2], groups[:, [-2]], groups[:, [-1]]
    return np.concatenate([part.reshape(-1, *weights.shape[1:]) for part in parts])


def tensors(arch, config, weights):
    """(name in the file, values), as the converter writes them."""
    layers = config.get("num_hidden_layers") or config["n_layer"]
    names = gguf.get_tensor_name_map(arch, layers)
    count, kv = heads(config)
    experts = {}
    for name, value in sorted(weights.items()):
        if arch in (ARCH.LLAMA, ARCH.OLMO):
            if ".q_proj." in name:
                value = permute(value, count)
            if ".k_proj." in name:
                value = permute(value, kv)
        if arch is ARCH.GPT2 and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
            value = value.T
        if arch in (ARCH.FALCON, ARCH.GPTNEOX) and "query_key_value" in name:
            value = ungroup(value, config)
        if arch in (ARCH.GEMMA, ARCH.GEMMA2, ARCH.GEMMA3) and name.endswith("norm.weight"):
            value = value + 1
        if ".experts." in name:
            layer, rest = name.split(".block_sparse_moe.experts.")
            expert, which, _ = rest.split(".")
            experts.setdefault((layer, which), {})[int(expert)] = value
            continue
        mapped = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert mapped, name
        yield mapped, np.ascontiguousarray(value)
    for (layer, which), each in sorted(experts.items()):
        stacked = np.stack([each[i] for i in range(len(each))])
        merged = f"{layer.removeprefix('model.')}.feed_forward.experts.{which}.weight"
        yield names.get_name(merged, try_suffixes=(".weight",)), stacked


def llama3_factors(config):
    """rope_freqs.weight, as the converter computes it, from the configuration's own original context."""
    rope = config["rope_parameters"]
    size = config["head_dim"]
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, size, 2, dtype=np.float32) / size)
    context, low, high = (rope[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    turns = context * frequencies / (2 * np.pi)
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


def metadata(writer, arch, config):
    """The keys of the architecture."""
    count, kv = heads(config)
    get = lambda *keys: next((config[k] for k in keys if config.get(k) is not None), None)
    hidden = get("hidden_size", "n_embd")
    writer.add_context_length(2048 if arch is ARCH.FALCON else get("max_position_embeddings", "n_positions"))
    writer.add_embedding_length(hidden)
    writer.add_block_count(get("num_hidden_layers", "n_layer"))
    inner = get("intermediate_size", "n_inner") or 4 * hidden
    writer.add_feed_forward_length(4 * hidden if arch in (ARCH.FALCON, ARCH.STARCODER, ARCH.PHI2, ARCH.GPT2) else inner)
    writer.add_head_count(count)
    if arch not in (ARCH.GPT2, ARCH.GPTNEOX):
        writer.add_head_count_kv(kv)
    if arch is ARCH.OLMO:
        writer.add_layer_norm_eps(1e-5)
    elif eps := get("rms_norm_eps"):
        writer.add_layer_norm_rms_eps(eps)
    else:
        writer.add_layer_norm_eps(get("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"))
    if size := config.get("head_dim"):
        writer.add_key_length(size)
        writer.add_value_length(size)
    rotary = size or hidden // count
    rope = config.get("rope_parameters") or {}
    full = rope.get("full_attention", rope)
    if share := full.get("partial_rotary_factor"):
        rotary = int(rotary * share)
    if arch in (ARCH.LLAMA, ARCH.GPTNEOX, ARCH.PHI2):
        writer.add_rope_dimension_count(rotary)
    if theta := full.get("rope_theta"):
        writer.add_rope_freq_base(theta)
    if full.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(full["factor"])
    if local := rope.get("sliding_attention", {}).get("rope_theta"):
        writer.add_float32(f"{writer.arch}.rope.freq_base_swa", local)
    if full.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    if arch is ARCH.GPTNEOX:
        writer.add_parallel_residual(config["use_parallel_residual"])
    if experts := config.get("num_local_experts"):
        writer.add_expert_count(experts)
        writer.add_expert_used_count(config["num_experts_per_tok"])
    if arch is ARCH.LLAMA:
        writer.add_vocab_size(config["vocab_size"])
    windows = config.get("use_sliding_window", True) and config.get("sliding_window")
    if windows:
        writer.add_sliding_window(windows)
        kinds = config.get("layer_types", [])
        if arch not in (ARCH.GEMMA2,) and len(set(kinds)) > 1:
            flags = [kind == "sliding_attention" for kind in kinds]
            writer.add_array(f"{writer.arch}.attention.sliding_window_pattern", flags)
    if cap := config.get("attn_logit_softcapping"):
        writer.add_attn_logit_softcapping(cap)
    if cap := config.get("final_logit_softcapping"):
        writer.add_final_logit_softcapping(cap)
    if scalar := config.get("query_pre_attn_scalar"):
        writer.add_attention_scale(scalar ** -0.5)
    for key, add in (("bos_token_id", writer.add_bos_token_id), ("eos_token_id", writer.add_eos_token_id)):
        if config.get(key) is not None:
            add(config[key])
