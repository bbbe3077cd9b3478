//! The sizes of a forward pass.

use lmz_model::Blueprint;

/// Longest context: sums of attention stay below 2^41.
pub const MAX_CONTEXT: usize = 1 << 17;

/// Rows of one pass: enough to reuse each weight, few enough for the caches of a processor.
pub(crate) const MAX_ROWS: usize = 64;
/// The same where a kernel makes something of the weights first, which takes as long for one row as for all.
pub(crate) const MANY_ROWS: usize = 256;

/// Logits that are held at once for each row of a pass, ...
const LOGITS: usize = 1 << 14;
/// ... or these rows, which read the head's weights together: as many as a decoder has at once, mostly.
const LEAST_ROWS: usize = 16;

/// Bits of a value's mantissas.
pub const VALUE_BITS: i32 = 9;

/// Rows that go through a head of so many outputs at once, of passes of so many.
pub(crate) fn head_rows(outputs: usize, pass: usize) -> usize {
    (LOGITS * pass / outputs / LEAST_ROWS * LEAST_ROWS).clamp(LEAST_ROWS, pass)
}

/// The sizes of a forward pass: widths in elements, mantissas in bits.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Width of the residual stream, d.
    pub width: usize,
    /// Width of the feed-forward half, f.
    pub inner: usize,
    /// Query heads, H.
    pub heads: usize,
    /// Key and value heads, G; H is a multiple of it.
    pub kv_heads: usize,
    /// Elements of a head, D.
    pub head_dim: usize,
    /// Bits of a query's mantissas.
    pub query_bits: i32,
    /// Bits of a key's mantissas.
    pub key_bits: i32,
}

impl Shape {
    pub(super) fn new(b: &Blueprint) -> Self {
        let products = b.head_dim.next_power_of_two().trailing_zeros() as i32;
        let bits = (31 - products).min(30);
        Self {
            width: b.hidden_size,
            inner: b.intermediate_size,
            heads: b.heads,
            kv_heads: b.kv_heads,
            head_dim: b.head_dim,
            query_bits: (bits + 1) / 2,
            key_bits: bits / 2,
        }
    }

    /// Rows of the queries' part of `qkv`.
    pub fn queries(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Rows of the keys' part of `qkv`, and of the values'.
    pub fn keys(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}
