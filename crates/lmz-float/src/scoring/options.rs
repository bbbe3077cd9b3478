//! What is scored, and by which means.

use std::path::PathBuf;

use lmz_device::Device;

use crate::dtype::Dtype;
use crate::kernels::Products;

/// Some tokens in a row, of which the last few are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// Token ids; the first is context only.
    pub tokens: &'a [u32],
    /// How many tokens at the end are scored: fewer than there are tokens.
    pub scored: usize,
}

/// The device that a model runs on, and the memory and disk that it may take.
#[derive(Clone, Debug, Default)]
pub struct ScoringOptions {
    /// Where the model runs; the CPU takes over from a device that is missing.
    pub device: Device,
    /// What matrices and states are stored in.
    pub dtype: Dtype,
    /// How products are computed.
    pub products: Products,
    /// Bytes of memory for weights, states and buffers; a share of what is free if `None`. A
    /// model that does not fit is read layer by layer, each time anew.
    pub memory_budget: Option<u64>,
    /// Bytes of disk for the hidden states of windows that wait for the next layer; none if
    /// `None`.
    pub spill_budget: Option<u64>,
    /// Where to put them; the system's directory for temporary files if `None`.
    pub spill_dir: Option<PathBuf>,
    /// How many windows go through a layer together; chosen from the budget if `None`.
    pub batch: Option<usize>,
}
