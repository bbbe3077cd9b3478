//! What each layout calls its tensors, and how it fuses and transposes them.

mod falcon;
mod gpt;
mod llama;
mod place;

use super::description::Blueprint;
use super::parts::Part;
use super::variants::Layout;
pub(super) use place::{Fused, Place};

/// A model saved without the head, whose names start with `model.` otherwise.
const HEADLESS: &[(&str, &str)] = &[
    ("layers.", "model.layers."),
    ("embed_tokens.", "model.embed_tokens."),
    ("norm.", "model.norm."),
    ("final_layernorm.", "model.final_layernorm."),
];

/// Where the blueprint's layout keeps a part; `None` if it has no name for it.
pub(super) fn place(blueprint: &Blueprint, part: Part) -> Option<Place> {
    let (layout, block) = (blueprint.layout, blueprint.block);
    match layout {
        Layout::Llama | Layout::Starcoder2 | Layout::Phi | Layout::Mixtral => {
            llama::name(layout, block.norms, part).map(Place::Own)
        }
        Layout::Gpt2 => gpt::gpt2(part),
        Layout::GptBigCode => gpt::gpt_bigcode(blueprint.kv_heads == 1, part),
        Layout::GptNeox => gpt::gpt_neox(part),
        Layout::Falcon => falcon::falcon(block.residual, part),
    }
}

impl Layout {
    /// The same tensors under other names: pairs of prefixes, as in the file and as here. A name
    /// that starts with none of the first ones is left alone.
    pub(crate) fn aliases(self) -> &'static [&'static [(&'static str, &'static str)]] {
        match self {
            // The text half of a model that also sees: older and newer releases; a model
            // saved without the head.
            Self::Llama => &[
                &[("language_model.", "")],
                &[("model.language_model.", "model.")],
                HEADLESS,
            ],
            // Saved without the head.
            Self::Gpt2 | Self::GptBigCode | Self::Falcon => &[&[
                ("h.", "transformer.h."),
                ("ln_f.", "transformer.ln_f."),
                ("wte.", "transformer.wte."),
                ("wpe.", "transformer.wpe."),
                ("word_embeddings.", "transformer.word_embeddings."),
            ]],
            Self::GptNeox => &[&[
                ("layers.", "gpt_neox.layers."),
                ("embed_in.", "gpt_neox.embed_in."),
                ("final_layer_norm.", "gpt_neox.final_layer_norm."),
            ]],
            Self::Starcoder2 | Self::Phi | Self::Mixtral => &[HEADLESS],
        }
    }
}

/// Whether a tensor is a table that older releases stored beside the weights and that follows
/// from the configuration: masks, rotary frequencies.
pub(crate) fn is_buffer(name: &str) -> bool {
    const BUFFERS: [&str; 6] = [
        ".attn.bias",
        ".attn.masked_bias",
        ".attention.bias",
        ".attention.masked_bias",
        ".rotary_emb.inv_freq",
        ".self_attention.rotary.inv_freq",
    ];
    BUFFERS.iter().any(|buffer| name.ends_with(buffer))
}
