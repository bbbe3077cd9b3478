//! What all weights have in common, in rows or in blocks.

/// Rows of a panel: what one pass of a kernel produces.
pub const PANEL: usize = 16;
/// Products that fit a 32-bit sum: 127 · 32767 · 512 < 2^31 (docs/numerics.md, 3.1).
pub const CHUNK: usize = 512;

/// Factors and offsets of integers that stand in blocks (docs/numerics.md, 3.18): a weight is
/// `factor · q + 8 · offset`.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// Columns of a block: 16 or 32.
    pub size: usize,
    /// Whether the integers have 4 bits, -8 to 7.
    pub half_bytes: bool,
    /// `[rows][columns / size]`, magnitudes of at most 8191.
    pub factors: &'a [i16],
    /// Likewise; empty where all are 0.
    pub offsets: &'a [i16],
}
