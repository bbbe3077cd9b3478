//! GPT-2 and the families with its plain feed-forward layer, LayerNorms and biases: GPT-BigCode,
//! GPT-NeoX, StarCoder2, Phi.

use super::fields::Fields;
use super::table::{LLAMA, Positions, Table};
use crate::blueprint::{Blueprint, FeedForwardKind, Layout, Norm, Residual, Window};
use crate::error::Result;

const GPT2: Table = Table {
    layout: Layout::Gpt2,
    hidden: "n_embd",
    layers: "n_layer",
    heads: "n_head",
    inner: "n_inner",
    four_times: true,
    kv_heads: (None, None),
    head_dim: (false, None),
    max_positions: ("n_positions", 1024),
    norm: |eps| Norm::LayerNorm { eps },
    eps: ("layer_norm_epsilon", 1e-5),
    activation: ("activation_function", "gelu_new"),
    positions: Positions::Learned,
    tied: true,
    bos: Some(50256),
};

/// `GPT2LMHeadModel`.
pub(super) fn gpt2(fields: &mut Fields) -> Result<Blueprint> {
    let mut blueprint = GPT2.read(fields)?;
    plain(&mut blueprint, true);
    unscaled(fields, &mut blueprint)?;
    Ok(blueprint)
}

/// `GPTBigCodeForCausalLM`.
pub(super) fn gpt_bigcode(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        layout: Layout::GptBigCode,
        activation: (GPT2.activation.0, "gelu_pytorch_tanh"),
        ..GPT2
    };
    let mut blueprint = table.read(fields)?;
    if fields.flag("multi_query")?.unwrap_or(true) {
        blueprint.kv_heads = 1;
    }
    // Written by newer releases, which derive it from the field above.
    if let Some(heads) = fields.uint("num_key_value_heads")?
        && heads != blueprint.kv_heads
    {
        return Err(fields.invalid("num_key_value_heads", "contradicts multi_query"));
    }
    plain(&mut blueprint, true);
    unscaled(fields, &mut blueprint)?;
    Ok(blueprint)
}

/// `GPTNeoXForCausalLM` (Pythia).
pub(super) fn gpt_neox(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        layout: Layout::GptNeox,
        kv_heads: (None, None),
        head_dim: (false, None),
        norm: GPT2.norm,
        eps: ("layer_norm_eps", 1e-5),
        activation: ("hidden_act", "gelu"),
        positions: Positions::Rope {
            theta: 10_000.0,
            share: Some(0.25),
        },
        bos: Some(0),
        ..LLAMA
    };
    fields.rename("rotary_emb_base", "rope_theta")?;
    fields.rename("rotary_pct", "partial_rotary_factor")?;
    let mut blueprint = table.read(fields)?;
    plain(&mut blueprint, true);
    let bias = fields.flag("attention_bias")?.unwrap_or(true);
    blueprint.attention.input_bias = bias;
    blueprint.attention.output_bias = bias;
    if fields.flag("use_parallel_residual")?.unwrap_or(true) {
        blueprint.block.residual = Residual::Parallel;
    }
    Ok(blueprint)
}

/// `Starcoder2ForCausalLM`.
pub(super) fn starcoder2(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        layout: Layout::Starcoder2,
        kv_heads: (LLAMA.kv_heads.0, Some(2)),
        max_positions: (LLAMA.max_positions.0, 4096),
        norm: GPT2.norm,
        eps: ("norm_epsilon", 1e-5),
        activation: ("hidden_act", "gelu_pytorch_tanh"),
        tied: true,
        bos: Some(50256),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    let bias = fields.flag("use_bias")?.unwrap_or(true);
    plain(&mut blueprint, bias);
    blueprint.attention.window = fields.uint("sliding_window")?.map(|tokens| Window {
        tokens,
        layers: Vec::new(),
        theta: None,
    });
    // What the published files carry over from the family before, and nothing reads.
    for name in [
        "activation_function",
        "layer_norm_epsilon",
        "scale_attn_weights",
    ] {
        fields.take(name);
    }
    for (name, only) in [("mlp_type", "default"), ("norm_type", "layer_norm")] {
        if let Some(kind) = fields.text(name)?.filter(|kind| kind != only) {
            return Err(fields.unsupported(name, kind));
        }
    }
    Ok(blueprint)
}

/// `PhiForCausalLM`.
pub(super) fn phi(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        layout: Layout::Phi,
        norm: GPT2.norm,
        eps: ("layer_norm_eps", 1e-5),
        activation: ("hidden_act", "gelu_new"),
        positions: Positions::Rope {
            theta: 10_000.0,
            share: Some(0.5),
        },
        bos: Some(1),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    plain(&mut blueprint, true);
    blueprint.block.residual = Residual::ParallelSharedNorm;
    blueprint.ends.head_bias = true;
    Ok(blueprint)
}

/// No gate, and biases everywhere or nowhere.
fn plain(blueprint: &mut Blueprint, bias: bool) {
    blueprint.feed_forward.kind = FeedForwardKind::Plain;
    blueprint.feed_forward.bias = bias;
    blueprint.attention.input_bias = bias;
    blueprint.attention.output_bias = bias;
}

/// `scale_attn_weights: false` leaves scores as they are.
fn unscaled(fields: &mut Fields, blueprint: &mut Blueprint) -> Result<()> {
    if !fields.flag("scale_attn_weights")?.unwrap_or(true) {
        blueprint.attention.scale = Some(1.0);
    }
    Ok(())
}
