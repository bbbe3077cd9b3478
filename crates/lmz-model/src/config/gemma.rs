//! Gemma, Gemma 2 and Gemma 3: norms that multiply by one plus the weight, scaled embeddings,
//! GELU gates.

use serde_json::Value;

use super::fields::Fields;
use super::llama::attention_bias;
use super::rope;
use super::table::{LLAMA, Positions, Table, window, windowed_layers};
use crate::blueprint::{Blueprint, HeadNorm, Norm, NormPlacement, RopeScaling};
use crate::error::Result;

const TABLE: Table = Table {
    head_dim: (true, Some(256)),
    max_positions: (LLAMA.max_positions.0, 8192),
    norm: |eps| Norm::RmsNormPlusOne { eps },
    activation: ("hidden_activation", "gelu_pytorch_tanh"),
    tied: true,
    bos: Some(2),
    ..LLAMA
};

/// `GemmaForCausalLM`.
pub(super) fn gemma(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        kv_heads: (LLAMA.kv_heads.0, Some(16)),
        ..TABLE
    };
    // The first releases wrote `hidden_act: gelu` and meant the tanh form, as everyone reads it.
    let older = fields.take("hidden_act").filter(|name| name != "gelu");
    if let Some(name) = fields.take("hidden_activation").or(older) {
        fields.put("hidden_activation", name);
    }
    let mut blueprint = table.read(fields)?;
    finish(fields, &mut blueprint)?;
    Ok(blueprint)
}

/// `Gemma2ForCausalLM`.
pub(super) fn gemma2(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        kv_heads: (LLAMA.kv_heads.0, Some(4)),
        ..TABLE
    };
    let mut blueprint = table.read(fields)?;
    around(fields, &mut blueprint, Some(30.0))?;
    blueprint.attention.softcap =
        fields.nullable("attn_logit_softcapping", Some(50.0), Fields::float)?;
    let tokens = fields.nullable("sliding_window", Some(4096), Fields::uint)?;
    let layers = windowed_layers(fields, blueprint.layers, |layer| layer % 2 == 0)?;
    blueprint.attention.window = window(fields, tokens, layers)?;
    Ok(blueprint)
}

/// `Gemma3ForCausalLM`, and the text half of `Gemma3ForConditionalGeneration`.
pub(super) fn gemma3(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        kv_heads: (LLAMA.kv_heads.0, Some(4)),
        max_positions: (LLAMA.max_positions.0, 131_072),
        positions: Positions::Rope {
            theta: 1e6,
            share: None,
        },
        ..TABLE
    };
    // The text half of a larger model leaves out what its class has as a default.
    for (name, absent) in [("num_attention_heads", 8), ("vocab_size", 262_208)] {
        if !fields.has(name) {
            fields.put(name, absent.into());
        }
    }
    let local = local_theta(fields)?;
    let mut blueprint = table.read(fields)?;
    // A cap on attention scores is refused as unknown: releases differ in whether it counts.
    around(fields, &mut blueprint, None)?;
    blueprint.attention.head_norm = HeadNorm::PerHead;
    let tokens = fields.nullable("sliding_window", Some(4096), Fields::uint)?;
    fields.rename("_sliding_window_pattern", "sliding_window_pattern")?;
    let every = fields.uint("sliding_window_pattern")?.unwrap_or(6);
    if every == 0 {
        return Err(fields.invalid("sliding_window_pattern", "is 0"));
    }
    let layers = windowed_layers(fields, blueprint.layers, |layer| {
        !(layer + 1).is_multiple_of(every)
    })?;
    blueprint.attention.window = window(fields, tokens, layers)?;
    if let Some(window) = &mut blueprint.attention.window {
        window.theta = Some(local);
    }
    Ok(blueprint)
}

/// The text half's fields of a model that also sees: its own table, some of it left outside.
pub(super) fn text_half(fields: &mut Fields) -> Result<Fields> {
    let Some(mut text) = fields.object("text_config")? else {
        return Err(fields.missing("text_config"));
    };
    match text.take("model_type") {
        None => {}
        Some(Value::String(kind)) if kind == "gemma3_text" => {}
        Some(other) => return Err(text.unsupported("model_type", other)),
    }
    for name in ["bos_token_id", "eos_token_id", "tie_word_embeddings"] {
        if let Some(value) = fields.take(name).filter(|_| !text.has(name)) {
            text.put(name, value);
        }
    }
    Ok(text)
}

/// Norms around both halves, and the scale and final cap of Gemma 2 and 3.
fn around(fields: &mut Fields, blueprint: &mut Blueprint, final_cap: Option<f64>) -> Result<()> {
    // Only `hidden_activation` counts; the files repeat it under the older name.
    fields.take("hidden_act");
    finish(fields, blueprint)?;
    blueprint.block.norms = NormPlacement::Around;
    let scalar = fields.float("query_pre_attn_scalar")?.unwrap_or(256.0);
    if scalar != blueprint.head_dim as f64 {
        blueprint.attention.scale = Some(scalar.powf(-0.5));
    }
    blueprint.ends.softcap =
        fields.nullable("final_logit_softcapping", final_cap, Fields::float)?;
    Ok(())
}

fn finish(fields: &mut Fields, blueprint: &mut Blueprint) -> Result<()> {
    attention_bias(fields, blueprint)?;
    blueprint.ends.embedding_scale = Some((blueprint.hidden_size as f64).sqrt());
    Ok(())
}

/// Takes the base of windowed layers out of either form and leaves the other layers' parameters
/// where the common reader looks for them.
fn local_theta(fields: &mut Fields) -> Result<f64> {
    const DEFAULT: f64 = 10_000.0;
    let outer = fields.float("rope_local_base_freq")?;
    let Some(mut table) = fields.object("rope_parameters")? else {
        return Ok(outer.unwrap_or(DEFAULT));
    };
    let nested = table.has("full_attention") || table.has("sliding_attention");
    if !nested {
        let (rest, _) = table.into_rest();
        let map = rest.into_iter().map(|(_, name, value)| (name, value));
        fields.put("rope_parameters", Value::Object(map.collect()));
        return Ok(outer.unwrap_or(DEFAULT));
    }
    if let Some(full) = table.take("full_attention") {
        fields.put("rope_parameters", full);
    }
    let mut theta = outer;
    if let Some(mut sliding) = table.object("sliding_attention")? {
        if !sliding.has("rope_type") && !sliding.has("type") {
            sliding.put("rope_type", "default".into());
        }
        let read = rope::read_table(&mut sliding, &Default::default(), outer.unwrap_or(DEFAULT))?;
        if read.scaling != RopeScaling::None || read.share.is_some_and(|(share, _)| share != 1.0) {
            return Err(table.unsupported("sliding_attention", "a scaled base"));
        }
        theta = Some(read.theta);
        fields.ignore_rest(sliding);
    }
    fields.ignore_rest(table);
    Ok(theta.unwrap_or(DEFAULT))
}
