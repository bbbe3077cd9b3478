//! Llama and the families that differ from it in a few fields: Mistral, Mixtral, Qwen2, Qwen3,
//! OLMo, OLMo 2.

use super::fields::Fields;
use super::table::{LLAMA, Positions, Table, window, windowed_layers};
use crate::blueprint::{Blueprint, FeedForwardKind, HeadNorm, Layout, Norm, NormPlacement, Window};
use crate::error::Result;

/// `LlamaForCausalLM`.
pub(super) fn llama(fields: &mut Fields) -> Result<Blueprint> {
    let mut blueprint = LLAMA.read(fields)?;
    attention_bias(fields, &mut blueprint)?;
    blueprint.feed_forward.bias = fields.flag("mlp_bias")?.unwrap_or(false);
    Ok(blueprint)
}

/// `MistralForCausalLM`.
pub(super) fn mistral(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        kv_heads: (LLAMA.kv_heads.0, Some(8)),
        max_positions: (LLAMA.max_positions.0, 4096 * 32),
        bos: Some(1),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    // null says that there is none.
    let tokens = fields.nullable("sliding_window", Some(4096), Fields::uint)?;
    blueprint.attention.window = tokens.map(everywhere);
    Ok(blueprint)
}

/// `MixtralForCausalLM`.
pub(super) fn mixtral(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        layout: Layout::Mixtral,
        kv_heads: (LLAMA.kv_heads.0, Some(8)),
        max_positions: (LLAMA.max_positions.0, 4096 * 32),
        eps: (LLAMA.eps.0, 1e-5),
        positions: Positions::Rope {
            theta: 1e6,
            share: None,
        },
        bos: Some(1),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    blueprint.attention.window = fields.uint("sliding_window")?.map(everywhere);
    blueprint.feed_forward.kind = FeedForwardKind::Experts {
        count: fields.uint("num_local_experts")?.unwrap_or(8),
        chosen: fields.uint("num_experts_per_tok")?.unwrap_or(2),
    };
    Ok(blueprint)
}

/// `Qwen2ForCausalLM`.
pub(super) fn qwen2(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        kv_heads: (LLAMA.kv_heads.0, Some(32)),
        max_positions: (LLAMA.max_positions.0, 32768),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    blueprint.attention.input_bias = true;
    blueprint.attention.window = qwen_window(fields, blueprint.layers)?;
    Ok(blueprint)
}

/// `Qwen3ForCausalLM`.
pub(super) fn qwen3(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        kv_heads: (LLAMA.kv_heads.0, Some(32)),
        head_dim: (true, Some(128)),
        max_positions: (LLAMA.max_positions.0, 32768),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    attention_bias(fields, &mut blueprint)?;
    blueprint.attention.head_norm = HeadNorm::PerHead;
    blueprint.attention.window = qwen_window(fields, blueprint.layers)?;
    Ok(blueprint)
}

/// `OlmoForCausalLM`, whose norms have no weights and a fixed epsilon.
pub(super) fn olmo(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        norm: |eps| Norm::BareLayerNorm { eps },
        eps: ("", 1e-5),
        head_dim: (false, None),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    attention_bias(fields, &mut blueprint)?;
    Ok(blueprint)
}

/// `Olmo2ForCausalLM`.
pub(super) fn olmo2(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        eps: (LLAMA.eps.0, 1e-5),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    attention_bias(fields, &mut blueprint)?;
    blueprint.block.norms = NormPlacement::After;
    blueprint.attention.head_norm = HeadNorm::Whole;
    Ok(blueprint)
}

/// One flag for all four maps.
pub(super) fn attention_bias(fields: &mut Fields, blueprint: &mut Blueprint) -> Result<()> {
    let bias = fields.flag("attention_bias")?.unwrap_or(false);
    blueprint.attention.input_bias = bias;
    blueprint.attention.output_bias = bias;
    Ok(())
}

fn everywhere(tokens: usize) -> Window {
    Window {
        tokens,
        layers: Vec::new(),
        theta: None,
    }
}

/// Layers from `max_window_layers` on have the window, if `use_sliding_window`; a list of
/// `layer_types` says it for each.
fn qwen_window(fields: &mut Fields, layers: usize) -> Result<Option<Window>> {
    let used = fields.flag("use_sliding_window")?.unwrap_or(false);
    let tokens = fields.nullable("sliding_window", Some(4096), Fields::uint)?;
    let tokens = tokens.filter(|_| used);
    let first = fields.uint("max_window_layers")?.unwrap_or(28);
    let layers = windowed_layers(fields, layers, |layer| tokens.is_some() && layer >= first)?;
    window(fields, tokens, layers)
}
