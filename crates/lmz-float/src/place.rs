//! A device and what is known of it.

use burn::tensor::backend::Backend;

/// A device of one backend.
pub(crate) struct Place<B: Backend> {
    pub device: B::Device,
    pub name: String,
    /// Free memory in bytes.
    pub free: Option<u64>,
    /// How many tokens of a batch make full use of it.
    pub most_tokens: u64,
}
