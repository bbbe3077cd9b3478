//! Wide numbers in planes of eight bits, so that products with a plane fit 32 bits (docs/numerics.md, 3.16).

use crate::kernel::{self, Kernel};

/// Bits of a wide query or key.
const WIDE_BITS: i32 = 22;

/// Bits of a value in version 2.
pub(super) const WIDE_VALUE_BITS: i32 = 15;
/// Bits that sums of such values lose, so that they fit 41 as those of version 1 do.
pub(super) const VALUE_SUM_SHIFT: i32 = 6;

/// What all planes but the highest are lowered by, so that they fit signed bytes.
pub(super) const LOWERED: i32 = 128;
/// Planes of a wide key: k = 2^16 · p0 + 2^8 · (p1 + 128) + (p2 + 128).
pub(super) const KEY_PLANES: usize = 3;
/// Planes of a value: v = 2^8 · p0 + (p1 + 128).
pub(super) const VALUE_PLANES: usize = 2;

/// Plane number `plane` of a number in planes of which `last` is the lowest.
#[inline(always)]
pub(super) fn plane_of(x: i32, plane: usize, last: usize) -> i8 {
    let shifted = x >> (8 * (last - plane));
    match plane {
        0 => shifted as i8,
        _ => ((shifted & 255) - LOWERED) as i8,
    }
}

/// What is missing from the product of `row` with values in planes because the low one was lowered.
pub(super) fn missing_of_values(row: &[i16]) -> i64 {
    i64::from(LOWERED) * sum(row)
}

/// The sum of a row.
pub(super) fn sum(row: &[i16]) -> i64 {
    row.iter().map(|&x| i64::from(x)).sum()
}

/// Mantissas of at most [`WIDE_BITS`] bits in the place of `x`; returns the exponent. `wide` is a buffer.
pub(super) fn quantise(kernel: Kernel, x: &mut [i32], e: i32, wide: &mut Vec<i64>) -> i32 {
    wide.clear();
    wide.extend(x.iter().map(|&x| i64::from(x)));
    kernel::quantise_wide(kernel, wide, e, WIDE_BITS, x)
}

/// A wide query as rows that multiply planes: q = 2^8 · high + low.
pub(super) fn split_query(q: &[i32], high: &mut [i16], low: &mut [i16]) {
    for ((&q, high), low) in q.iter().zip(high).zip(low) {
        (*high, *low) = ((q >> 8) as i16, (q & 255) as i16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_and_rows_stand_for_what_they_were_made_from() {
        let limit = (1 << WIDE_BITS) - 1;
        let all = [
            0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 65536, -65537,
        ];
        for x in all
            .into_iter()
            .chain([limit, -limit, limit - 77, 1234 - limit])
        {
            let [a, b, c] = [0, 1, 2].map(|plane| i32::from(plane_of(x, plane, KEY_PLANES - 1)));
            assert_eq!(65536 * a + 256 * (b + LOWERED) + c + LOWERED, x);
            let v = x >> (WIDE_BITS - WIDE_VALUE_BITS);
            let [a, b] = [0, 1].map(|plane| i32::from(plane_of(v, plane, VALUE_PLANES - 1)));
            assert_eq!(256 * a + b + LOWERED, v);
            let (mut high, mut low) = ([0i16], [0i16]);
            split_query(&[x], &mut high, &mut low);
            assert_eq!(256 * i32::from(high[0]) + i32::from(low[0]), x);
            assert!((0..256).contains(&low[0]));
        }
    }
}
