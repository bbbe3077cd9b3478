//! What an engine is made of, for those who compute the same bits on another device.

use super::{Embedding, Engine, Layer, Norm, Rules, Shape};
use crate::kernel::Linear;

/// The constants of a model, all within the bounds of docs/numerics.md, section 2.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Sizes.
    pub shape: Shape,
    /// How the parts are put together.
    pub rules: Rules,
    /// F: fractional bits of the residual stream.
    pub residual_frac_bits: i32,
    /// d · eps · 2^(2F).
    pub eps_fixed: u64,
    /// Rows by token id.
    pub embed: &'a Embedding,
    /// Rows by position, where positions are learned.
    pub positions: Option<&'a Embedding>,
    /// In their order.
    pub layers: &'a [Layer],
    /// The last one.
    pub norm: &'a Norm,
    /// A row for each symbol.
    pub head: &'a Linear,
    /// Turns per position of ordinary layers, in units of 2^-32; none where positions are learned.
    pub frequencies: Option<&'a [u32]>,
    /// Of windowed layers ([`Layer::local`]), where they differ.
    pub local_frequencies: Option<&'a [u32]>,
}

impl Engine {
    /// The model's constants.
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            shape: self.shape,
            rules: self.rules,
            residual_frac_bits: self.residual_frac_bits,
            eps_fixed: self.eps_fixed,
            embed: &self.embed,
            positions: self.positions.as_ref(),
            layers: &self.layers,
            norm: &self.norm,
            head: &self.head,
            frequencies: self.rotary.as_ref().map(|r| r.frequencies()),
            local_frequencies: self.local_rotary.as_ref().map(|r| r.frequencies()),
        }
    }
}
