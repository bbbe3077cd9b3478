//! GPT-2, GPT-BigCode and GPT-NeoX: query, key and value in one tensor.

use super::place::{Fused, Place, module};
use crate::blueprint::{LayerPart, Part};

/// GPT-2: matrices stored `[inputs, outputs]`.
pub(super) fn gpt2(part: Part) -> Option<Place> {
    transformer(part, Fused::Whole { transposed: true })
}

/// GPT-BigCode: as GPT-2, `[outputs, inputs]`. With one key head all queries come first; with as
/// many as query heads each head's three stand together.
pub(super) fn gpt_bigcode(one_key_head: bool, part: Part) -> Option<Place> {
    let order = match one_key_head {
        true => Fused::Whole { transposed: false },
        false => Fused::Groups,
    };
    transformer(part, order)
}

fn transformer(part: Part, order: Fused) -> Option<Place> {
    use LayerPart::*;
    let (layer, part) = match part {
        Part::TokenEmbedding => return own("transformer.wte.weight"),
        Part::PositionEmbedding => return own("transformer.wpe.weight"),
        Part::FinalNorm => return own("transformer.ln_f.weight"),
        Part::FinalNormBias => return own("transformer.ln_f.bias"),
        Part::Head => return own("lm_head.weight"),
        Part::HeadBias => return None,
        Part::Layer(layer, part) => (layer, part),
    };
    let (weight, kind) = module(part);
    let module = match weight {
        Query | Key | Value => "attn.c_attn",
        Output => "attn.c_proj",
        AttentionNorm => "ln_1",
        FeedForwardNorm => "ln_2",
        Up => "mlp.c_fc",
        Down => "mlp.c_proj",
        _ => return None,
    };
    let name = format!("transformer.h.{layer}.{module}.{kind}");
    let transposed = order == (Fused::Whole { transposed: true });
    Some(match part {
        Query | Key | Value | QueryBias | KeyBias | ValueBias => Place::Fused { name, order },
        Output | Up | Down if transposed => Place::Transposed(name),
        _ => Place::Own(name),
    })
}

/// GPT-NeoX (Pythia).
pub(super) fn gpt_neox(part: Part) -> Option<Place> {
    use LayerPart::*;
    let (layer, part) = match part {
        Part::TokenEmbedding => return own("gpt_neox.embed_in.weight"),
        Part::FinalNorm => return own("gpt_neox.final_layer_norm.weight"),
        Part::FinalNormBias => return own("gpt_neox.final_layer_norm.bias"),
        Part::Head => return own("embed_out.weight"),
        Part::PositionEmbedding | Part::HeadBias => return None,
        Part::Layer(layer, part) => (layer, part),
    };
    let (weight, kind) = module(part);
    let module = match weight {
        Query | Key | Value => "attention.query_key_value",
        Output => "attention.dense",
        AttentionNorm => "input_layernorm",
        FeedForwardNorm => "post_attention_layernorm",
        Up => "mlp.dense_h_to_4h",
        Down => "mlp.dense_4h_to_h",
        _ => return None,
    };
    let name = format!("gpt_neox.layers.{layer}.{module}.{kind}");
    Some(match weight {
        Query | Key | Value => Place::Fused {
            name,
            order: Fused::Groups,
        },
        _ => Place::Own(name),
    })
}

fn own(name: &str) -> Option<Place> {
    Some(Place::Own(name.into()))
}
