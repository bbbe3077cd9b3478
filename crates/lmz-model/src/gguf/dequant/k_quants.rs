//! Blocks of 256 in groups of 16 or 32 with scales of their own: Q2_K to Q6_K.

use super::half::half_at;

/// 16 bytes of a 4-bit scale and a 4-bit minimum, 64 bytes of 2 bits, `d, dmin: f16`:
/// `d * scale * q - dmin * minimum` in groups of 16.
pub(super) fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scales, rest) = block.split_at(16);
    let (d, dmin) = (half_at(rest, 64), half_at(rest, 66));
    for (group, (out, &scale)) in out
        .as_chunks_mut::<16>()
        .0
        .iter_mut()
        .zip(scales)
        .enumerate()
    {
        let (dl, ml) = (d * f32::from(scale & 0xf), dmin * f32::from(scale >> 4));
        let (at, shift) = two_bits(group);
        for (out, &byte) in out.iter_mut().zip(&rest[at..at + 16]) {
            *out = dl * f32::from(byte >> shift & 3) - ml;
        }
    }
}

/// 32 bytes of third bits, 64 bytes of 2 bits, 12 bytes of 6-bit scales, `d: f16`:
/// `d * (scale - 32) * (q - 4)` in groups of 16.
pub(super) fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let (high, rest) = block.split_at(32);
    let (low, rest) = rest.split_at(64);
    let d = half_at(rest, 12);
    for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let dl = d * f32::from(six_bits(rest, group));
        let (at, shift) = two_bits(group);
        let (third, bit) = (16 * (group % 2), group / 2);
        for (i, out) in out.iter_mut().enumerate() {
            let missing = if high[third + i] >> bit & 1 == 0 {
                4
            } else {
                0
            };
            *out = dl * f32::from(i16::from(low[at + i] >> shift & 3) - missing);
        }
    }
}

/// One of 16 scales of 6 bits, less 32: their low 4 bits in 8 bytes, then their high 2 bits in 4.
pub(super) fn six_bits(scales: &[u8], group: usize) -> i16 {
    let four = scales[group % 8] >> (4 * (group / 8)) & 0xf;
    let two = scales[8 + group % 4] >> (2 * (group / 4)) & 3;
    i16::from(four | two << 4) - 32
}

/// `d, dmin: f16`, 12 bytes of 6-bit scales and minima, 128 bytes of 4 bits:
/// `d * scale * q - dmin * minimum` in groups of 32.
pub(super) fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    for (group, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (dl, ml) = scale_and_minimum(&block[..16], group);
        for (out, q) in out.iter_mut().zip(four_bits(&block[16..], group)) {
            *out = dl * f32::from(q) - ml;
        }
    }
}

/// As Q4_K, with 32 bytes of fifth bits before the low ones.
pub(super) fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let high = &block[16..48];
    for (group, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (dl, ml) = scale_and_minimum(&block[..16], group);
        let low = four_bits(&block[48..], group);
        for ((out, q), high) in out.iter_mut().zip(low).zip(high) {
            *out = dl * f32::from(q | (high >> group & 1) << 4) - ml;
        }
    }
}

/// 128 bytes of 4 bits, 64 bytes of their high 2 bits, 16 i8 scales, `d: f16`:
/// `d * scale * (q - 32)` in groups of 16.
pub(super) fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let (low, rest) = block.split_at(128);
    let (high, rest) = rest.split_at(64);
    let d = half_at(rest, 16);
    for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let dl = d * f32::from(rest[group].cast_signed());
        // Halves of 128 elements; 64 bytes hold the low bits of a half, first those of its
        // first 64 elements.
        let (half, within) = (group / 8, group % 8);
        let at = 64 * half + 16 * (within % 4);
        let (low_shift, high_at) = (4 * (within / 4), 32 * half + 16 * (within % 2));
        for (i, out) in out.iter_mut().enumerate() {
            let four = low[at + i] >> low_shift & 0xf;
            let two = high[high_at + i] >> (2 * (within / 2)) & 3;
            *out = dl * f32::from(i16::from(four | two << 4) - 32);
        }
    }
}

/// Where the 2-bit elements of a group of 16 are: the first byte, and the shift. 32 bytes hold
/// 128 elements, each byte one of each quarter.
fn two_bits(group: usize) -> (usize, usize) {
    let (half, within) = (group / 8, group % 8);
    (32 * half + 16 * (within % 2), 2 * (within / 2))
}

/// The low bits of a group of 32: 32 bytes hold two groups.
fn four_bits(bytes: &[u8], group: usize) -> impl Iterator<Item = u8> + '_ {
    let at = 32 * (group / 2);
    bytes[at..at + 32]
        .iter()
        .map(move |byte| byte >> (4 * (group % 2)) & 0xf)
}

/// `d * scale` and `dmin * minimum` of one of 8 groups, from the first 16 bytes of a block.
pub(super) fn scale_and_minimum(head: &[u8], group: usize) -> (f32, f32) {
    let packed = &head[4..];
    let (scale, minimum) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        // Low 4 bits together; the high 2 above the first four groups' 6.
        let low = packed[group + 4];
        (
            low & 0xf | packed[group - 4] >> 6 << 4,
            low >> 4 | packed[group] >> 6 << 4,
        )
    };
    (
        half_at(head, 0) * f32::from(scale),
        half_at(head, 2) * f32::from(minimum),
    )
}
