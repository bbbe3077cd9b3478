//! A model that is ready to run.

use super::layer::Layer;
use super::parts::Parts;
use super::symbols::Symbols;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::prepared::Prepared;

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

    /// The model's constants.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The prepared model's identity.
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// What the model can code.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The token that every block starts with.
    pub fn start_token(&self) -> u32 {
        self.start_token
    }

    /// The kernels in use.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Multiply-adds per token outside attention.
    pub fn multiply_adds(&self) -> u64 {
        let layer = |l: &Layer| {
            [&l.qkv, &l.o, &l.up, &l.down]
                .map(|l| (l.out * l.k) as u64)
                .iter()
                .sum::<u64>()
        };
        let Parts { layers, head, .. } = &self.parts;
        layers.iter().map(layer).sum::<u64>() + (head.out * head.k) as u64
    }
}
