//! A linear layer's tensors, in the form that the checkpoint asks for.

use super::blocks::BlockMatrix;
use super::matrix::{Group, Quantised, mantissas};
use crate::prepared::Builder;

/// The tensors of a linear layer: in blocks where the checkpoint has blocks, int8 rows otherwise.
pub enum Stored {
    Rows(Quantised),
    Blocks(BlockMatrix),
}

impl Stored {
    /// Of matrices that read the same activations; blocks with units as recipe 4 has them, or else as recipe 3.
    pub fn of(group: &Group, powers: bool) -> Self {
        match BlockMatrix::of(group, powers) {
            Some(blocks) => Self::Blocks(blocks),
            None => Self::Rows(group.quantise()),
        }
    }

    /// The scales of the same integers times a factor: a tied head's.
    pub fn rescaled(&self, factor: f64) -> (Vec<i32>, i32) {
        let scales = match self {
            Self::Rows(rows) => &rows.scales,
            Self::Blocks(blocks) => &blocks.scales,
        };
        let scales: Vec<f64> = scales.iter().map(|s| s * factor).collect();
        mantissas(&scales)
    }

    /// Writes the tensors of the linear layer `name`; whether int8 rows have low planes is decided when all are written.
    pub fn write(self, out: &mut Builder, name: &str) {
        match self {
            Self::Rows(rows) => rows.write(out, name),
            Self::Blocks(blocks) => blocks.write(out, name),
        }
    }
}
