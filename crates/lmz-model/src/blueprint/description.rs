//! The description itself, and its canonical form.

use serde::{Deserialize, Serialize};

use super::variants::{
    Activation, Attention, Block, Ends, FeedForward, Layout, Norm, Position, is_default,
};
use crate::error::{ModelError, Result};

/// A decoder-only transformer. Sizes count elements.
///
/// The first thirteen fields describe a Llama. Per layer: `x += attention(norm(x))`, then
/// `x += down(activation(gate(n)) * up(n))` with `n = norm(x)`; after the last layer a norm and
/// the output head. Linear maps have no bias. What other families do differently stands in the
/// remaining fields, whose defaults are a Llama's and are left out of the canonical form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key and value heads; divides `heads`. Query head `h` reads key head
    /// `h / (heads / kv_heads)`.
    pub kv_heads: usize,
    /// Width of one head; even, and not always `hidden_size / heads`.
    pub head_dim: usize,
    /// Number of token ids, padding rows included.
    pub vocab_size: usize,
    /// The longest context that the model was trained for, in tokens.
    pub max_positions: usize,
    /// The norm before each block and before the head.
    pub norm: Norm,
    /// How positions enter the attention.
    pub position: Position,
    /// The non-linearity of the feed-forward layer's gate.
    pub activation: Activation,
    /// Whether the output head is the embedding table.
    pub tied_head: bool,
    /// The token that a context starts with.
    pub start_token: u32,
    /// How the checkpoint names and stores its tensors.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layout: Layout,
    /// Where a layer's norms stand and how its two halves join the residual stream.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block: Block,
    /// What the attention does beyond a Llama's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attention: Attention,
    /// The shape of the feed-forward layer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub feed_forward: FeedForward,
    /// What the embedding and the output head do beyond a Llama's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ends: Ends,
}

impl Blueprint {
    /// The blueprint as JSON without white space, fields in the order of declaration: the form
    /// that is hashed and stored. Reading it back gives an equal blueprint.
    pub fn canonical_json(&self) -> String {
        // A struct of numbers, strings and booleans has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the [canonical form](Self::canonical_json) back, from a source that is not trusted.
    ///
    /// # Errors
    /// [`ModelError::Json`] if it is any other text, even one that means the same;
    /// [`ModelError::Blueprint`] if it does not [validate](Self::validate).
    pub fn from_canonical_json(json: &[u8]) -> Result<Self> {
        let malformed = |reason: String| ModelError::Json {
            file: "blueprint".into(),
            reason,
        };
        let read: Self = serde_json::from_slice(json).map_err(|e| malformed(e.to_string()))?;
        read.validate()?;
        if read.canonical_json().as_bytes() != json {
            return Err(malformed("not in the canonical form".into()));
        }
        Ok(read)
    }
}
