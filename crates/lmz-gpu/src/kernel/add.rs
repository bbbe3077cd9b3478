//! A linear layer's output added to the residual stream where no norm follows in the same launch.

use cubecl::prelude::*;

use super::fixed::{
    bitlen, clamp_i32, magnitude, max_i32, min_i32, reciprocal_root, root_shift, rshift,
    saturating_add, shift_to,
};
use super::reduce::{ROOM, UNITS, reduce_or, reduce_sum};

/// Numbers of a norm of a linear layer's output (docs/numerics.md, 3.12).
#[derive(CubeType, CubeLaunch)]
pub struct BlockNormScalars {
    /// Exponent of the gains.
    pub exponent: i32,
    /// Mantissa of the epsilon.
    pub eps: i32,
    /// Exponent of the epsilon.
    pub eps_exponent: i32,
}

/// What a norm of 3.12 multiplies by: (shift, ρ, exponent) of `n` elements from `start` on.
#[derive(CubeType)]
pub struct BlockScale {
    /// The rounding shift of mantissas.
    pub shift: i32,
    /// ρ: the reciprocal of the root.
    pub rho: i64,
    /// The exponent of mantissa · gain · ρ.
    pub exponent: i32,
}

/// Steps 1 to 3 of 3.12. All units take part.
#[cube]
pub fn block_scale(
    y: &Array<i32>,
    room: &mut SharedMemory<u64>,
    start: usize,
    n: usize,
    e: i32,
    s: &BlockNormScalars,
) -> BlockScale {
    let unit = UNIT_POS as usize;
    let mut or = 0u64;
    let mut j = unit;
    while j < n {
        or |= magnitude(i64::cast_from(y[start + j]));
        j += UNITS as usize;
    }
    let largest = reduce_or(room, or);
    let least = ((s.eps_exponent - 30i32) >> 1i32) - e;
    let wanted = max_i32(max_i32(bitlen(largest) - 24i32, least), 0i32);
    // A shift of 33 or more leaves nothing of 32 bits.
    let shift = min_i32(wanted, 62i32);
    let mut squares = 0u64;
    let mut j = unit;
    while j < n {
        let value = rshift(i64::cast_from(y[start + j]), shift);
        squares += u64::cast_from(value * value);
        j += UNITS as usize;
    }
    let squares = reduce_sum(room, squares);
    let up = s.eps_exponent - 2i32 * (e + wanted);
    let eps = u64::cast_from(i64::cast_from(s.eps));
    let left = eps << u64::cast_from(clamp_i32(up, 0i32, 31i32));
    let right = eps >> u64::cast_from(clamp_i32(0i32 - up, 0i32, 63i32));
    let sum = squares + select(up >= 0i32, left, right);
    let sum = select(sum > 0u64, sum, 1u64);
    BlockScale {
        shift,
        rho: reciprocal_root(sum),
        exponent: s.exponent + root_shift(sum) - 48i32,
    }
}

/// Adds `y` to `x` (3.4), with `normed` through a norm. One cube a row.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn add(
    x: &mut Array<i32>,
    y: &Array<i32>,
    y_exponents: &Array<i32>,
    gains: &Array<i32>,
    width: usize,
    residual_bits: i32,
    s: BlockNormScalars,
    #[comptime] normed: bool,
) {
    let row = CUBE_POS_X as usize;
    let start = row * width;
    let e = y_exponents[row];
    let mut room = SharedMemory::<u64>::new(ROOM);
    let mut shift = 0i32;
    let mut rho = 1i64;
    let mut by = e + residual_bits;
    if comptime!(normed) {
        let scale = block_scale(y, &mut room, start, width, e, &s);
        shift = scale.shift;
        rho = scale.rho;
        by = scale.exponent + residual_bits;
    }
    let mut j = UNIT_POS as usize;
    while j < width {
        let mut p = i64::cast_from(y[start + j]);
        if comptime!(normed) {
            p = rshift(p, shift) * i64::cast_from(gains[j]) * rho;
        }
        x[start + j] = saturating_add(x[start + j], shift_to(p, by));
        j += UNITS as usize;
    }
}
