//! What a traced group is made of.

use lmz_coder::Cost;

/// What a group is made of, and what that cost beside the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedTrace {
    /// Blocks in lock step.
    pub lanes: usize,
    /// The parts of its raw bytes, in order.
    pub parts: Vec<TracedPart>,
    /// What all symbols cost: the sum of what mixing made of each.
    pub text: Cost,
    /// What was coded by contexts alone, the list of parts included.
    pub contexts: Cost,
    /// Bytes before the coded ones.
    pub head: usize,
    /// Bytes that are stored.
    pub stored: usize,
}

/// A part of a group's raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedPart {
    /// `text` (by model and contexts), `bytes` (by contexts alone), `stored`, `copy` (of earlier bytes) or
    /// `padding` (of an archive's member).
    pub kind: &'static str,
    /// Raw bytes.
    pub len: usize,
}

impl MixedTrace {
    /// What its record says of the ideal length.
    pub fn ideal(&self) -> Cost {
        self.text + self.contexts
    }
}
