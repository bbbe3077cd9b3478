//! What a forward pass is asked to run.

use super::cache::Cache;

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

/// Part of a run in one pass.
#[derive(Debug)]
pub(super) struct Piece {
    pub run: usize,
    pub from: usize,
    pub n: usize,
}
