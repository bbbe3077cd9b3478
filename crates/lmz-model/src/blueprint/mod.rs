//! What a model computes, as plain data.
//!
//! A [`Blueprint`] is the only description of a model that crosses from this crate to an
//! engine. It is written into prepared models and its JSON is part of a checkpoint's content
//! hash, so its form is stable: fields keep their order, and a field that a later family needs
//! is added at the end with a default that is left out when written.

mod limits;
mod names;

use serde::{Deserialize, Serialize};

pub use names::TensorSpec;

use crate::error::{ModelError, Result};

/// A decoder-only transformer. Sizes count elements.
///
/// Per layer: `x += attention(norm(x))`, then `x += down(activation(gate(n)) * up(n))` with
/// `n = norm(x)`; after the last layer a norm and the output head. Linear maps have no bias.
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
}

/// A normalisation of the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Norm {
    /// `x / sqrt(mean(x^2) + eps) * weight`.
    RmsNorm {
        /// Added to the mean square.
        eps: f64,
    },
}

/// How positions enter the attention.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Position {
    /// Rotary: queries and keys are rotated, element `i` of a head together with element
    /// `i + head_dim / 2`, by `position * theta^(-2i / head_dim)` radians before scaling.
    Rope {
        /// The base of the frequencies.
        theta: f64,
        /// How the frequencies are stretched for longer contexts.
        scaling: RopeScaling,
    },
}

/// A published rule that stretches rotary frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RopeScaling {
    /// Frequencies as they are.
    None,
    /// Every frequency divided by `factor`.
    Linear {
        /// At least 1.
        factor: f64,
    },
    /// Llama 3.1: long wavelengths divided by `factor`, short ones kept, a linear blend between.
    Llama3 {
        /// At least 1.
        factor: f64,
        /// Wavelengths above `original_max_position_embeddings / low_freq_factor` are divided.
        low_freq_factor: f64,
        /// Wavelengths below `original_max_position_embeddings / high_freq_factor` are kept.
        high_freq_factor: f64,
        /// The context before stretching, in tokens.
        original_max_position_embeddings: usize,
    },
}

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// `x / (1 + exp(-x))`.
    Silu,
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
