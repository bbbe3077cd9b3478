//! Bounds on a blueprint's sizes, so that an engine may allocate from them, and the combinations
//! that mean something.

use super::description::Blueprint;
use super::parts::Part;
use super::variants::{
    FeedForwardKind, HeadNorm, Norm, NormPlacement, Position, Residual, RopeScaling,
};
use crate::error::{ModelError, Result};

const MAX_HIDDEN: usize = 1 << 16;
const MAX_INTERMEDIATE: usize = 1 << 18;
const MAX_LAYERS: usize = 1 << 10;
const MAX_HEADS: usize = 1 << 10;
const MAX_HEAD_DIM: usize = 512;
const MAX_HEADS_WIDTH: usize = 1 << 17;
const MAX_VOCAB: usize = 1 << 20;
const MAX_POSITIONS: usize = 1 << 24;
/// Of a learned table, whose rows exist.
const MAX_LEARNED_POSITIONS: usize = 1 << 20;
const MAX_EXPERTS: usize = 1 << 10;
/// Of all layers together: each has three tensors.
const MAX_ALL_EXPERTS: usize = 1 << 16;
const MAX_THETA: f64 = 1e12;
const MAX_FACTOR: f64 = 1e6;

fn refuse<T>(field: &'static str, reason: impl Into<String>) -> Result<T> {
    Err(ModelError::Blueprint {
        field,
        reason: reason.into(),
    })
}

fn within(field: &'static str, value: usize, low: usize, high: usize) -> Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        refuse(field, format!("is {value}, must lie in {low}..={high}"))
    }
}

fn within_f64(field: &'static str, value: f64, low: f64, high: f64) -> Result<()> {
    // Written so that a NaN fails.
    if value >= low && value <= high {
        Ok(())
    } else {
        refuse(field, format!("is {value}, must lie in {low}..={high}"))
    }
}

/// A factor or cap, if there is one.
fn factor(field: &'static str, value: Option<f64>) -> Result<()> {
    match value {
        None => Ok(()),
        Some(value) => within_f64(field, value, 1.0 / MAX_FACTOR, MAX_FACTOR),
    }
}

impl Blueprint {
    /// Checks every size and parameter against fixed bounds, and that the choices fit together
    /// and the layout has a name for every part.
    ///
    /// # Errors
    /// [`ModelError::Blueprint`] names the first field that breaks its bound.
    pub fn validate(&self) -> Result<()> {
        within("hidden_size", self.hidden_size, 1, MAX_HIDDEN)?;
        within(
            "intermediate_size",
            self.intermediate_size,
            1,
            MAX_INTERMEDIATE,
        )?;
        within("layers", self.layers, 1, MAX_LAYERS)?;
        within("heads", self.heads, 1, MAX_HEADS)?;
        within("kv_heads", self.kv_heads, 1, self.heads)?;
        if !self.heads.is_multiple_of(self.kv_heads) {
            return refuse(
                "kv_heads",
                format!("is {}, must divide heads = {}", self.kv_heads, self.heads),
            );
        }
        within("head_dim", self.head_dim, 2, MAX_HEAD_DIM)?;
        if !self.head_dim.is_multiple_of(2) {
            return refuse("head_dim", format!("is {}, must be even", self.head_dim));
        }
        within(
            "heads * head_dim",
            self.heads * self.head_dim,
            1,
            MAX_HEADS_WIDTH,
        )?;
        within("vocab_size", self.vocab_size, 1, MAX_VOCAB)?;
        within("max_positions", self.max_positions, 1, MAX_POSITIONS)?;
        match self.norm {
            // Zero would divide by zero on a zero vector.
            Norm::RmsNorm { eps }
            | Norm::RmsNormPlusOne { eps }
            | Norm::LayerNorm { eps }
            | Norm::BareLayerNorm { eps } => within_f64("norm.eps", eps, f64::MIN_POSITIVE, 1.0)?,
        }
        self.validate_positions()?;
        if self.start_token as usize >= self.vocab_size {
            return refuse(
                "start_token",
                format!(
                    "is {}, must be below vocab_size = {}",
                    self.start_token, self.vocab_size
                ),
            );
        }
        self.validate_attention()?;
        self.validate_block()?;
        factor("ends.embedding_scale", self.ends.embedding_scale)?;
        factor("ends.softcap", self.ends.softcap)?;
        self.validate_layout()
    }

    fn validate_positions(&self) -> Result<()> {
        match self.position {
            Position::Rope { theta, scaling } => {
                within_f64("position.theta", theta, 1.0, MAX_THETA)?;
                scaling.validate()?;
            }
            Position::Learned => {
                within(
                    "max_positions",
                    self.max_positions,
                    1,
                    MAX_LEARNED_POSITIONS,
                )?;
            }
        }
        if let Some(dim) = self.attention.rotary_dim {
            const FIELD: &str = "attention.rotary_dim";
            if self.position == Position::Learned {
                return refuse(FIELD, "is given, but positions are learned");
            }
            within(FIELD, dim, 2, self.head_dim)?;
            if !dim.is_multiple_of(2) {
                return refuse(FIELD, format!("is {dim}, must be even"));
            }
        }
        Ok(())
    }

    fn validate_attention(&self) -> Result<()> {
        factor("attention.scale", self.attention.scale)?;
        factor("attention.softcap", self.attention.softcap)?;
        let rms = matches!(
            self.norm,
            Norm::RmsNorm { .. } | Norm::RmsNormPlusOne { .. }
        );
        if self.attention.head_norm != HeadNorm::None && !rms {
            return refuse(
                "attention.head_norm",
                "is given, but the norm is no RMS norm",
            );
        }
        let Some(window) = &self.attention.window else {
            return Ok(());
        };
        within("attention.window.tokens", window.tokens, 1, MAX_POSITIONS)?;
        if !window.layers.is_empty() {
            let count = window.layers.len();
            within("attention.window.layers", count, self.layers, self.layers)?;
        }
        match (window.theta, self.position) {
            (None, _) => Ok(()),
            (Some(_), Position::Learned) => refuse(
                "attention.window.theta",
                "is given, but positions are learned",
            ),
            (Some(theta), _) => within_f64("attention.window.theta", theta, 1.0, MAX_THETA),
        }
    }

    fn validate_block(&self) -> Result<()> {
        if self.block.norms != NormPlacement::Before && self.block.residual != Residual::Sequential
        {
            return refuse("block.residual", "is parallel, with norms after the halves");
        }
        if let FeedForwardKind::Experts { count, chosen } = self.feed_forward.kind {
            within("feed_forward.kind.count", count, 1, MAX_EXPERTS)?;
            within("feed_forward.kind.chosen", chosen, 1, count)?;
            within("layers * experts", self.layers * count, 1, MAX_ALL_EXPERTS)?;
            if self.feed_forward.bias {
                return refuse("feed_forward.bias", "is given, but experts have none");
            }
        }
        Ok(())
    }

    /// Last, for it computes shapes.
    fn validate_layout(&self) -> Result<()> {
        // All layers have the same parts.
        let first = Blueprint {
            layers: 1,
            ..self.clone()
        };
        let nameless = |part: &Part| first.place(*part).is_none();
        match first.parts().into_iter().find(nameless) {
            None => Ok(()),
            Some(part) => refuse("layout", format!("has no name for {part:?}")),
        }
    }
}

impl RopeScaling {
    fn validate(&self) -> Result<()> {
        match *self {
            Self::None => Ok(()),
            Self::Linear { factor } => {
                within_f64("position.scaling.factor", factor, 1.0, MAX_FACTOR)
            }
            Self::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position_embeddings,
            } => {
                within_f64("position.scaling.factor", factor, 1.0, MAX_FACTOR)?;
                within_f64(
                    "position.scaling.low_freq_factor",
                    low_freq_factor,
                    1.0 / MAX_FACTOR,
                    MAX_FACTOR,
                )?;
                within_f64(
                    "position.scaling.high_freq_factor",
                    high_freq_factor,
                    1.0 / MAX_FACTOR,
                    MAX_FACTOR,
                )?;
                // Equal factors would leave the blend a division by zero.
                if low_freq_factor >= high_freq_factor {
                    return refuse(
                        "position.scaling.low_freq_factor",
                        format!(
                            "is {low_freq_factor}, must be below high_freq_factor = {high_freq_factor}"
                        ),
                    );
                }
                within(
                    "position.scaling.original_max_position_embeddings",
                    original_max_position_embeddings,
                    1,
                    MAX_POSITIONS,
                )
            }
        }
    }
}
