//! Blocks whose 4 bits choose one of 16 unevenly spaced levels: IQ4_NL, IQ4_XS.

use super::half::half_at;
use super::legacy::nibbles;

/// ggml's `kvalues_iq4nl`.
const LEVELS: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// `d: f16`, 16 bytes of 4 bits: `d * level`.
pub(super) fn iq4_nl(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (i, q) in nibbles(&block[2..]) {
        out[i] = d * f32::from(LEVELS[usize::from(q)]);
    }
}

/// `d: f16`, the high 2 bits of 8 scales in a u16, their low 4 in 4 bytes, 128 bytes of 4 bits:
/// `d * (scale - 32) * level` in groups of 32.
pub(super) fn iq4_xs(block: &[u8; 136], out: &mut [f32; 256]) {
    let d = half_at(block, 0);
    for (group, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let dl = d * f32::from(scale(block, group));
        let at = 8 + 16 * group;
        for (i, q) in nibbles(&block[at..at + 16]) {
            out[i] = dl * f32::from(LEVELS[usize::from(q)]);
        }
    }
}

/// The scale of one of 8 groups of IQ4_XS.
pub(super) fn scale(block: &[u8; 136], group: usize) -> i16 {
    let high = u16::from_le_bytes([block[2], block[3]]);
    let low = block[4 + group / 2] >> (4 * (group % 2)) & 0xf;
    let two = (high >> (2 * group) & 3) as u8;
    i16::from(low | two << 4) - 32
}
