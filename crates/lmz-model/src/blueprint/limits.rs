//! Bounds on a blueprint's sizes, so that an engine may allocate from them.

use super::{Blueprint, Norm, Position, RopeScaling};
use crate::error::{ModelError, Result};

const MAX_HIDDEN: usize = 1 << 16;
const MAX_INTERMEDIATE: usize = 1 << 18;
const MAX_LAYERS: usize = 1 << 10;
const MAX_HEADS: usize = 1 << 10;
const MAX_HEAD_DIM: usize = 512;
const MAX_HEADS_WIDTH: usize = 1 << 17;
const MAX_VOCAB: usize = 1 << 20;
const MAX_POSITIONS: usize = 1 << 24;
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

impl Blueprint {
    /// Checks every size and parameter against fixed bounds.
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
        match self.position {
            Position::Rope { theta, scaling } => {
                within_f64("position.theta", theta, 1.0, MAX_THETA)?;
                scaling.validate()?;
            }
            Position::Learned => {}
        }
        if self.start_token as usize >= self.vocab_size {
            return refuse(
                "start_token",
                format!(
                    "is {}, must be below vocab_size = {}",
                    self.start_token, self.vocab_size
                ),
            );
        }
        Ok(())
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
