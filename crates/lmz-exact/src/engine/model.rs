//! A model that is ready to run.

use super::layer::Layer;
use super::parts::Parts;
use super::shape::{MANY_ROWS, MAX_ROWS, head_rows};
use super::symbols::Symbols;
use crate::error::Result;
use crate::kernel::{Kernel, Linear};
use crate::prepared::Prepared;

/// Bytes of weights that no processor's own cache has room for.
const MANY: usize = 16 << 20;

/// A model, ready to run. Immutable: threads share it.
#[derive(Debug)]
pub struct Engine {
    pub(super) kernel: Kernel,
    identity: [u8; 32],
    start_token: u32,
    pub(super) parts: Parts,
    pub(super) symbols: Symbols,
}

impl AsRef<Engine> for Engine {
    fn as_ref(&self) -> &Engine {
        self
    }
}

impl Engine {
    /// Loads a prepared model for the given kernels.
    ///
    /// # Errors
    /// A damaged model, or one that breaks the bounds of docs/numerics.md, section 2.
    pub fn new(prepared: &Prepared, kernel: Kernel) -> Result<Self> {
        let symbols = Symbols::new(prepared.vocabulary()?)?;
        Ok(Self {
            kernel,
            identity: prepared.identity(),
            start_token: prepared.blueprint.start_token,
            parts: Parts::read(prepared, &symbols)?,
            symbols,
        })
    }

    /// Sizes, rules and quantised weights: what the forward pass reads.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The prepared model's identity, a BLAKE3 hash (docs/lmzm.md, "Identity").
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// The tokens that the model can code, numbered.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The token that every block starts with.
    pub fn start_token(&self) -> u32 {
        self.start_token
    }

    /// The kernels that it runs, all of one instruction set.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Whether a pass of a few rows waits for the weights more than it computes, since they are larger than a processor's
    /// own cache. Threads are to share passes then, so that each reads a part of them.
    pub fn waits_for_memory(&self) -> bool {
        self.weights_size() >= MANY
    }

    /// Rows that a pass has at most. Where a window bounds caches, what they hold depends on it.
    pub(crate) fn rows(&self) -> usize {
        let mut layers = self.parts.layers.iter();
        let whole = self.kernel.makes_weights_whole() && layers.any(|l| l.up.blocks.is_some());
        match whole && !self.parts.windowed() {
            true => MANY_ROWS,
            false => MAX_ROWS,
        }
    }

    /// Of these, how many go through the head at once.
    pub(super) fn head_rows(&self) -> usize {
        head_rows(self.parts.head.out_padded(), self.rows())
    }

    /// Bytes of the weights that each pass reads.
    fn weights_size(&self) -> usize {
        let layer = |l: &Layer| {
            [&l.qkv, &l.o, &l.up, &l.down]
                .map(Linear::size)
                .iter()
                .sum::<usize>()
        };
        let Parts { layers, head, .. } = &self.parts;
        layers.iter().map(layer).sum::<usize>() + head.size()
    }

    /// Multiply-adds per token outside attention.
    pub fn multiply_adds(&self) -> u64 {
        let layer = |l: &Layer| {
            let linears = [&l.qkv, &l.o, &l.up, &l.down];
            linears.map(Linear::products).iter().sum::<u64>()
        };
        let Parts { layers, head, .. } = &self.parts;
        layers.iter().map(layer).sum::<u64>() + head.products()
    }
}
