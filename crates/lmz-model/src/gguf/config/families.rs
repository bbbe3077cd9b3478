//! The fields of each family.

use serde_json::{Map, Value, json};

use super::architecture::Architecture;
use super::keys::Keys;
use super::rope;
use super::sizes::Sizes;
use crate::error::Result;

/// Where StarCoder2's files say nothing, for which its models have windows.
const STARCODER2_WINDOW: usize = 4096;

/// The fields of `config.json`.
pub(super) fn fields(arch: Architecture, keys: &mut Keys<'_>) -> Result<Map<String, Value>> {
    use Architecture::*;
    let sizes = Sizes::read(arch, keys)?;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.into(), value));
    let (class, kind) = class(arch, keys)?;
    put("architectures", json!([class]));
    put("model_type", json!(kind));
    let names = match arch {
        Gpt2 | Starcoder => ["n_embd", "n_layer", "n_head", "n_inner", "n_positions"],
        Falcon => [
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "ffn_hidden_size",
            "max_position_embeddings",
        ],
        _ => [
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
        ],
    };
    let values = [
        sizes.hidden,
        sizes.layers,
        sizes.heads,
        sizes.inner,
        sizes.context,
    ];
    for (name, value) in names.into_iter().zip(values) {
        put(name, json!(value));
    }
    put("vocab_size", json!(sizes.vocabulary));
    match arch {
        Gpt2 | GptNeox => {}
        Starcoder => put("multi_query", json!(sizes.kv_heads == 1)),
        Falcon => put("num_kv_heads", json!(sizes.kv_heads)),
        _ => put("num_key_value_heads", json!(sizes.kv_heads)),
    }
    match arch {
        Gpt2 | Starcoder | GptNeox | Falcon | Olmo => {
            if sizes.hidden.checked_div(sizes.heads) != Some(sizes.head_dim) {
                return Err(keys.unsupported("attention.key_length", sizes.head_dim));
            }
        }
        _ => put("head_dim", json!(sizes.head_dim)),
    }
    if let Some((name, value)) = epsilon(arch, keys)? {
        put(name, value);
    }
    put(
        "tie_word_embeddings",
        json!(!keys.gguf.has("output.weight")),
    );
    let meta = keys.gguf.meta();
    for name in ["bos_token_id", "eos_token_id"] {
        if let Some(id) = meta.uint(&format!("tokenizer.ggml.{name}"))? {
            put(name, json!(id));
        }
    }
    if !matches!(arch, Gpt2 | Starcoder) {
        for (name, value) in rope::fields(arch, keys, &sizes)? {
            put(name, value);
        }
    }
    for (name, value) in biases(arch, keys) {
        put(name, json!(value));
    }
    for (name, value) in special(arch, keys, &sizes)? {
        put(name, value);
    }
    Ok(fields)
}

/// The entry of `architectures`, and `model_type`.
fn class(arch: Architecture, keys: &mut Keys<'_>) -> Result<(&'static str, &'static str)> {
    use Architecture::*;
    Ok(match arch {
        Llama if keys.uint("expert_count")?.unwrap_or(0) > 0 => ("MixtralForCausalLM", "mixtral"),
        Llama if keys.uint("attention.sliding_window")?.unwrap_or(0) > 0 => {
            ("MistralForCausalLM", "mistral")
        }
        Llama => ("LlamaForCausalLM", "llama"),
        Qwen2 => ("Qwen2ForCausalLM", "qwen2"),
        Qwen3 => ("Qwen3ForCausalLM", "qwen3"),
        Gpt2 => ("GPT2LMHeadModel", "gpt2"),
        GptNeox => ("GPTNeoXForCausalLM", "gpt_neox"),
        Starcoder => ("GPTBigCodeForCausalLM", "gpt_bigcode"),
        Starcoder2 => ("Starcoder2ForCausalLM", "starcoder2"),
        Falcon => ("FalconForCausalLM", "falcon"),
        Phi2 => ("PhiForCausalLM", "phi"),
        Gemma => ("GemmaForCausalLM", "gemma"),
        Gemma2 => ("Gemma2ForCausalLM", "gemma2"),
        Gemma3 => ("Gemma3ForCausalLM", "gemma3_text"),
        Olmo => ("OlmoForCausalLM", "olmo"),
        Olmo2 => ("Olmo2ForCausalLM", "olmo2"),
    })
}

/// What norms add, under the family's name.
fn epsilon(arch: Architecture, keys: &mut Keys<'_>) -> Result<Option<(&'static str, Value)>> {
    use Architecture::*;
    let (name, key) = match arch {
        Llama | Qwen2 | Qwen3 | Gemma | Gemma2 | Gemma3 | Olmo2 => {
            ("rms_norm_eps", "attention.layer_norm_rms_epsilon")
        }
        Gpt2 | Starcoder | Falcon => ("layer_norm_epsilon", "attention.layer_norm_epsilon"),
        GptNeox | Phi2 => ("layer_norm_eps", "attention.layer_norm_epsilon"),
        Starcoder2 => ("norm_epsilon", "attention.layer_norm_epsilon"),
        Olmo => {
            // No field of it: always the same.
            let key = "attention.layer_norm_epsilon";
            return match keys.float(key)? {
                None | Some(1e-5) => Ok(None),
                Some(other) => Err(keys.unsupported(key, other)),
            };
        }
    };
    match keys.float(key)? {
        Some(eps) => Ok(Some((name, json!(eps)))),
        None => Err(keys.invalid(key, "is missing")),
    }
}

/// Which biases there are, told by the tensors.
fn biases(arch: Architecture, keys: &Keys<'_>) -> Vec<(&'static str, bool)> {
    use Architecture::*;
    let has = |tensor: &str| keys.gguf.has(tensor);
    let attention = has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias");
    match arch {
        Llama => vec![
            ("attention_bias", attention),
            ("mlp_bias", has("blk.0.ffn_up.bias")),
        ],
        Qwen3 | GptNeox | Gemma | Gemma2 | Gemma3 | Olmo | Olmo2 => {
            vec![("attention_bias", attention)]
        }
        Starcoder2 => vec![("use_bias", attention)],
        Falcon => vec![("bias", attention)],
        Qwen2 | Gpt2 | Starcoder | Phi2 => Vec::new(),
    }
}

/// What a family has beyond that.
fn special(
    arch: Architecture,
    keys: &mut Keys<'_>,
    sizes: &Sizes,
) -> Result<Vec<(&'static str, Value)>> {
    use Architecture::*;
    let mut out = Vec::new();
    match arch {
        Llama => {
            if let Some(count) = keys.uint("expert_count")?.filter(|&n| n > 0) {
                let chosen = keys.required("expert_used_count")?;
                out.push(("num_local_experts", json!(count)));
                out.push(("num_experts_per_tok", json!(chosen)));
                // Mixtral has no such fields, and its maps no biases.
            } else {
                keys.uint("expert_used_count")?;
            }
            out.extend(window(keys, sizes, None)?);
        }
        Qwen2 | Qwen3 => {
            let window = window(keys, sizes, None)?;
            out.push(("use_sliding_window", json!(!window.is_empty())));
            out.extend(window);
        }
        Starcoder2 => {
            let silent = (sizes.context > STARCODER2_WINDOW).then_some(STARCODER2_WINDOW);
            out.extend(window(keys, sizes, silent)?);
        }
        GptNeox => {
            let parallel = keys.flag("use_parallel_residual")?.unwrap_or(true);
            out.push(("use_parallel_residual", json!(parallel)));
        }
        Falcon => {
            let two_norms = keys.gguf.has("blk.0.attn_norm_2.weight");
            let newer = two_norms || sizes.kv_heads > 1;
            out.push(("new_decoder_architecture", json!(newer)));
            if newer {
                let norms = if two_norms { 2 } else { 1 };
                out.push(("num_ln_in_parallel_attn", json!(norms)));
            }
        }
        Gemma2 | Gemma3 => {
            gemma(arch, keys, sizes, &mut out)?;
        }
        Gpt2 | Starcoder | Phi2 | Gemma | Olmo | Olmo2 => {}
    }
    Ok(out)
}

/// Sliding windows: of how many tokens, and in which layers.
fn window(
    keys: &mut Keys<'_>,
    sizes: &Sizes,
    silent: Option<usize>,
) -> Result<Vec<(&'static str, Value)>> {
    let tokens = match keys.uint("attention.sliding_window")? {
        None => silent,
        Some(tokens) => Some(tokens).filter(|&tokens| tokens > 0),
    };
    let layers = keys.pattern("attention.sliding_window_pattern", sizes.layers)?;
    let Some(tokens) = tokens else {
        return Ok(Vec::new());
    };
    let mut out = vec![("sliding_window", json!(tokens))];
    out.extend(layers.map(|layers| ("layer_types", layer_types(&layers))));
    Ok(out)
}

fn layer_types(windowed: &[bool]) -> Value {
    let kinds = windowed.iter().map(|windowed| match windowed {
        true => "sliding_attention",
        false => "full_attention",
    });
    kinds.collect()
}

/// Gemma 2 and 3: windows in a pattern, caps, and the scale of scores.
fn gemma(
    arch: Architecture,
    keys: &mut Keys<'_>,
    sizes: &Sizes,
    out: &mut Vec<(&'static str, Value)>,
) -> Result<()> {
    // As llama.cpp reads files that do not say: the period of the windows, the layers of the
    // 27B model, whose scale is that of its width and not of its heads, and the caps.
    let (period, layers_of_27b, caps) = match arch {
        Architecture::Gemma2 => (2, 46, (Some(50.0), Some(30.0))),
        _ => (6, 62, (None, None)),
    };
    let tokens = keys.uint("attention.sliding_window")?.unwrap_or(4096);
    let layers = keys.pattern("attention.sliding_window_pattern", sizes.layers)?;
    let layers = layers.unwrap_or_else(|| {
        let layers = 0..sizes.layers.min(1 << 16);
        layers.map(|i| !(i + 1).is_multiple_of(period)).collect()
    });
    let scalar = match keys.float("attention.scale")?.filter(|&scale| scale > 0.0) {
        // 1 / sqrt(scalar), stored as an f32.
        Some(scale) => (1e4 / (scale * scale)).round() / 1e4,
        None if sizes.layers == layers_of_27b => (sizes.hidden / sizes.heads) as f64,
        None => sizes.head_dim as f64,
    };
    let cap = |value: Option<f64>, silent: Option<f64>| value.or(silent).filter(|&cap| cap != 0.0);
    let attention = cap(keys.float("attn_logit_softcapping")?, caps.0);
    let last = cap(keys.float("final_logit_softcapping")?, caps.1);
    out.push(("sliding_window", json!(tokens)));
    out.push(("layer_types", layer_types(&layers)));
    out.push(("query_pre_attn_scalar", json!(scalar)));
    out.push(("attn_logit_softcapping", json!(attention)));
    out.push(("final_logit_softcapping", json!(last)));
    Ok(())
}
