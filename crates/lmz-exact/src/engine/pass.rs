//! What a forward pass works on.

use super::attention::Buffers;
use super::cache::Cache;

/// Consecutive known tokens of one lane.
#[derive(Debug)]
pub struct Run<'a> {
    /// The lane's cache.
    pub cache: &'a mut Cache,
    /// Position of the first token: where the last run of this cache ended, or any before it whose
    /// keys and values the cache still has (all of them without windows).
    pub start: usize,
    /// The tokens; all below the vocabulary's size.
    pub tokens: &'a [u32],
    /// The first of them whose next symbol's scores are wanted.
    pub wanted: usize,
}

/// Buffers of a forward pass; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Residual stream [rows][width].
    pub(super) x: Vec<i32>,
    /// The residual stream before the attention, for parallel halves.
    pub(super) before: Vec<i32>,
    /// Wide mantissas of one row.
    pub(super) p: Vec<i64>,
    /// Activations [rows][stride].
    pub(super) a: Vec<i16>,
    /// Exponents of the activations or of `y`.
    pub(super) e: Vec<i32>,
    /// A linear layer's output [rows][out_padded].
    pub(super) y: Vec<i32>,
    /// Attention's output [rows][heads][dim].
    pub(super) heads: Vec<i64>,
    pub(super) head_exponents: Vec<i32>,
    pub(super) attention: Buffers,
    pub(super) logits: Vec<i32>,
    pub(super) weights: Vec<u32>,
}

impl Scratch {
    /// Empty buffers; they grow with use.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Part of a run in one pass.
pub(super) struct Piece {
    pub run: usize,
    pub from: usize,
    pub n: usize,
}
