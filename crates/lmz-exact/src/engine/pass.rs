//! What a forward pass works on.

use super::attention::Buffers;
use super::cache::Cache;
use super::model::Engine;
use super::shape::MAX_ROWS;
use crate::kernel::Linear;

/// Consecutive known tokens of one lane.
#[derive(Debug)]
pub struct Run<'a> {
    /// The lane's keys and values: read, and those of the tokens added.
    pub cache: &'a mut Cache,
    /// Position of the first token: where the last run of this cache ended, or any before it whose
    /// keys and values the cache still has (all of them without windows).
    pub start: usize,
    /// The tokens; all below the vocabulary's size.
    pub tokens: &'a [u32],
    /// Index into `tokens` of the first whose next symbol's scores are wanted; their number if none are.
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
    /// What the low planes of fine rows give [rows][out_padded].
    pub(super) low: Vec<i32>,
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

    /// Bytes that they grow to, about.
    pub fn size(engine: &Engine) -> usize {
        let shape = &engine.parts.shape;
        let layers = engine.parts.layers.iter();
        let linears = layers.flat_map(|layer| [&layer.qkv, &layer.o, &layer.up, &layer.down]);
        let low = |linear: &Linear| linear.fine.as_ref().map_or(0, |fine| fine.low.out_padded());
        let widest =
            linears.map(|linear| 4 * (linear.out_padded() + low(linear)) + 4 * linear.pairs());
        let row = 8 * shape.width + widest.max().unwrap_or(0) + 8 * shape.queries();
        MAX_ROWS * row + 8 * engine.symbols().len()
    }
}

/// Part of a run in one pass.
pub(super) struct Piece {
    pub run: usize,
    pub from: usize,
    pub n: usize,
}
