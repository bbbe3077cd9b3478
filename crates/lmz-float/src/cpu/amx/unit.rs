//! The unit for tiles: whether it may be used, and how large a tile is.

/// Rows of a tile of the left factor, columns of one of the right.
pub(super) const EDGE: usize = 16;
/// Terms of a sum in one tile.
pub(super) const DEPTH: usize = 32;
/// 32-bit words of a tile: each a pair of terms.
pub(super) const WORDS: usize = EDGE * DEPTH / 2;

/// Whether this processor has it, and the operating system lets us use it.
pub(in crate::cpu) fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16")
        && lmz_tiles::multiply_bf16()
}
