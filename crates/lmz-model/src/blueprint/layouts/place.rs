//! Where a part lies among the tensors of a checkpoint.

use crate::blueprint::LayerPart;

/// Where a part lies.
pub(in crate::blueprint) enum Place {
    /// A tensor of its own, as it is.
    Own(String),
    /// A matrix of its own, stored `[inputs, outputs]`.
    Transposed(String),
    /// One of query, key and value, which share a tensor.
    Fused {
        /// The tensor's name.
        name: String,
        /// The order of its outputs.
        order: Fused,
    },
}

/// How query, key and value share the outputs of one tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::blueprint) enum Fused {
    /// All queries, then all keys, then all values.
    Whole {
        /// Whether the matrix is stored `[inputs, outputs]`.
        transposed: bool,
    },
    /// For each key head: its query heads, its key, its value.
    Groups,
}

/// A layer's part as the name of a module, and whether it is its bias.
pub(super) fn module(part: LayerPart) -> (LayerPart, &'static str) {
    use LayerPart::*;
    let weight = match part {
        AttentionNormBias => AttentionNorm,
        QueryBias => Query,
        KeyBias => Key,
        ValueBias => Value,
        OutputBias => Output,
        AttentionPostNormBias => AttentionPostNorm,
        FeedForwardNormBias => FeedForwardNorm,
        GateBias => Gate,
        UpBias => Up,
        DownBias => Down,
        FeedForwardPostNormBias => FeedForwardPostNorm,
        weight => return (weight, "weight"),
    };
    (weight, "bias")
}
