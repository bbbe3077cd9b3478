//! Scales.

use ::half::f16;

/// The half-precision number at a byte of a block.
pub(super) fn half_at(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}
