//! `model.layers.N.self_attn.q_proj` and its relatives: every part a tensor of its own.

use super::place::module;
use crate::blueprint::{LayerPart, Layout, NormPlacement, Part};

/// The name of a part's tensor.
pub(super) fn name(layout: Layout, norms: NormPlacement, part: Part) -> Option<String> {
    let final_norm = match layout {
        Layout::Phi => "model.final_layernorm",
        _ => "model.norm",
    };
    Some(match part {
        Part::TokenEmbedding => "model.embed_tokens.weight".into(),
        Part::PositionEmbedding => return None,
        Part::FinalNorm => format!("{final_norm}.weight"),
        Part::FinalNormBias => format!("{final_norm}.bias"),
        Part::Head => "lm_head.weight".into(),
        Part::HeadBias => "lm_head.bias".into(),
        Part::Layer(layer, part) => {
            let (part, kind) = module(part);
            let module = match layout {
                Layout::Mixtral => mixtral(part),
                _ => None,
            };
            let module = match module {
                Some(module) => module,
                None => layer_module(layout, norms, part)?.into(),
            };
            format!("model.layers.{layer}.{module}.{kind}")
        }
    })
}

fn layer_module(layout: Layout, norms: NormPlacement, part: LayerPart) -> Option<&'static str> {
    use LayerPart::*;
    use NormPlacement::{After, Around, Before};
    Some(match (part, layout, norms) {
        (Query, ..) => "self_attn.q_proj",
        (Key, ..) => "self_attn.k_proj",
        (Value, ..) => "self_attn.v_proj",
        (QueryNorm, ..) => "self_attn.q_norm",
        (KeyNorm, ..) => "self_attn.k_norm",
        (Output, Layout::Phi, _) => "self_attn.dense",
        (Output, ..) => "self_attn.o_proj",
        (AttentionNorm, ..) => "input_layernorm",
        // One name, two places: before the feed-forward layer, or after the attention.
        (FeedForwardNorm, _, Before) => "post_attention_layernorm",
        (AttentionPostNorm, _, After | Around) => "post_attention_layernorm",
        (FeedForwardNorm, _, Around) => "pre_feedforward_layernorm",
        (FeedForwardPostNorm, _, After | Around) => "post_feedforward_layernorm",
        (Up, Layout::Starcoder2, _) => "mlp.c_fc",
        (Down, Layout::Starcoder2, _) => "mlp.c_proj",
        (Up, Layout::Phi, _) => "mlp.fc1",
        (Down, Layout::Phi, _) => "mlp.fc2",
        (Gate, Layout::Llama, _) => "mlp.gate_proj",
        (Up, Layout::Llama, _) => "mlp.up_proj",
        (Down, Layout::Llama, _) => "mlp.down_proj",
        _ => return None,
    })
}

fn mixtral(part: LayerPart) -> Option<String> {
    use LayerPart::*;
    let expert = |e: usize, map: &str| Some(format!("block_sparse_moe.experts.{e}.{map}"));
    match part {
        Router => Some("block_sparse_moe.gate".into()),
        ExpertGate(e) => expert(e, "w1"),
        ExpertDown(e) => expert(e, "w2"),
        ExpertUp(e) => expert(e, "w3"),
        _ => None,
    }
}
