//! Falcon: query, key and value in one tensor, group by group; the 7B has a single group.

use super::place::{Fused, Place, module};
use crate::blueprint::{LayerPart, Part, Residual};

/// Where Falcon keeps a part.
pub(super) fn falcon(residual: Residual, part: Part) -> Option<Place> {
    use LayerPart::*;
    let own = |name: &str| Some(Place::Own(name.into()));
    let (layer, part) = match part {
        Part::TokenEmbedding => return own("transformer.word_embeddings.weight"),
        Part::FinalNorm => return own("transformer.ln_f.weight"),
        Part::FinalNormBias => return own("transformer.ln_f.bias"),
        Part::Head => return own("lm_head.weight"),
        Part::PositionEmbedding | Part::HeadBias => return None,
        Part::Layer(layer, part) => (layer, part),
    };
    let (weight, kind) = module(part);
    let module = match (weight, residual) {
        (Query | Key | Value, _) => "self_attention.query_key_value",
        (Output, _) => "self_attention.dense",
        (AttentionNorm, Residual::Parallel) => "ln_attn",
        (AttentionNorm, _) => "input_layernorm",
        (FeedForwardNorm, Residual::Parallel) => "ln_mlp",
        (FeedForwardNorm, Residual::Sequential) => "post_attention_layernorm",
        (Up, _) => "mlp.dense_h_to_4h",
        (Down, _) => "mlp.dense_4h_to_h",
        _ => return None,
    };
    let name = format!("transformer.h.{layer}.{module}.{kind}");
    Some(match weight {
        Query | Key | Value => Place::Fused {
            name,
            order: Fused::Groups,
        },
        _ => Place::Own(name),
    })
}
