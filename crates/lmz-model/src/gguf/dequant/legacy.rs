//! Blocks of 32 with one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0. In those of 4 and 5 bits, byte `i`
//! of the low bits holds elements `i` and `i + 16`.

use super::half::half_at;

/// `d: f16`, 16 bytes of 4 bits: `d * (q - 8)`.
pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (i, q) in nibbles(&block[2..]) {
        out[i] = f32::from(i16::from(q) - 8) * d;
    }
}

/// `d, m: f16`, 16 bytes of 4 bits: `d * q + m`.
pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for (i, q) in nibbles(&block[4..]) {
        out[i] = f32::from(q) * d + m;
    }
}

/// `d: f16`, 32 fifth bits, 16 bytes of 4 bits: `d * (q - 16)`.
pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    let high = &block[2..6];
    for (i, q) in nibbles(&block[6..]) {
        out[i] = f32::from(i16::from(q | fifth(high, i)) - 16) * d;
    }
}

/// `d, m: f16`, 32 fifth bits, 16 bytes of 4 bits: `d * q + m`.
pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let high = &block[4..8];
    for (i, q) in nibbles(&block[8..]) {
        out[i] = f32::from(q | fifth(high, i)) * d + m;
    }
}

/// `d: f16`, 32 i8: `d * q`.
pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (out, &q) in out.iter_mut().zip(&block[2..]) {
        *out = f32::from(q.cast_signed()) * d;
    }
}

/// The elements of 16 bytes, with their places in the block.
pub(super) fn nibbles(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> + '_ {
    let pairs = bytes.iter().enumerate();
    pairs.flat_map(|(i, &byte)| [(i, byte & 0xf), (i + 16, byte >> 4)])
}

/// The fifth bit of an element, in its place.
fn fifth(bits: &[u8], i: usize) -> u8 {
    (bits[i / 8] >> (i % 8) & 1) << 4
}
