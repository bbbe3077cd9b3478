//! Linear layers (docs/numerics.md, 3.1 and 3.13).

use cubecl::prelude::*;

use super::fixed::{byte_of, half_of, max_i32, min_i32, rshift};
use super::reduce::UNITS;

/// Products that fit a 32-bit sum, in words of four weights.
pub const CHUNK_WORDS: usize = 128;

/// Numbers of a linear layer.
#[derive(CubeType, CubeLaunch)]
pub struct LinearScalars {
    /// Rows of activations.
    pub rows: usize,
    /// Words of a row of weights, four columns in each.
    pub words: usize,
    /// Outputs, the elements of a row of `y`.
    pub out: usize,
    /// g of 3.1: the extra shift of sums of several chunks.
    pub sum_shift: i32,
    /// Added to an input row's exponent, it gives the output row's.
    pub exponent: i32,
    /// Exponent of the bias; not read where there is none.
    pub bias_exponent: i32,
}

/// The exponent of a row of outputs: 3.1, step 3, and 3.13.
#[cube]
pub fn finished_exponent(a: i32, s: &LinearScalars, #[comptime] biased: bool) -> i32 {
    let mut e = a + s.exponent;
    if comptime!(biased) {
        e = max_i32(e, s.bias_exponent) + 1i32;
    }
    e
}

/// An output from the sum of its products: 3.1, steps 2 and 3, and 3.13.
#[cube]
pub fn finished(
    sum: i64,
    m: i32,
    bias: i32,
    a_exponent: i32,
    s: &LinearScalars,
    #[comptime] biased: bool,
) -> i32 {
    let sum = rshift(sum, s.sum_shift);
    let mut value = rshift(sum * i64::cast_from(m), 32i32);
    if comptime!(biased) {
        let top = finished_exponent(a_exponent, s, biased);
        let own = min_i32(top - a_exponent - s.exponent, 62i32);
        let of_bias = min_i32(top - s.bias_exponent, 62i32);
        value = rshift(value, own) + rshift(i64::cast_from(bias), of_bias);
    }
    i32::cast_from(value)
}

/// `y` [rows, out] = `w` · `a` [rows, 2 · words], both with exponents by row.
///
/// A unit computes one output of `tile` rows, so that each word of weights is read once for all of
/// them. `w` is [words, out], four columns in each word; `a` has two columns in each word.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn linear(
    a: &Array<u32>,
    a_exponents: &Array<i32>,
    w: &Array<u32>,
    m: &Array<i32>,
    bias: &Array<i32>,
    y: &mut Array<i32>,
    y_exponents: &mut Array<i32>,
    s: LinearScalars,
    #[comptime] biased: bool,
    #[comptime] tile: usize,
) {
    let rows = s.rows;
    let words = s.words;
    let out = s.out;
    let unit = UNIT_POS as usize;
    let output = CUBE_POS_X as usize * UNITS as usize + unit;
    let first = CUBE_POS_Y as usize * tile;
    let mut x = SharedMemory::<i32>::new(tile * 4 * CHUNK_WORDS);
    let mut sums = Array::<i64>::new(tile);
    let mut chunk = Array::<i32>::new(tile);
    #[unroll]
    for t in 0..tile {
        sums[t] = 0i64;
    }
    let mut from = 0usize;
    while from < words {
        let rest = words - from;
        let count = select(rest < CHUNK_WORDS, rest, CHUNK_WORDS);
        let mut i = unit;
        while i < tile * 2 * CHUNK_WORDS {
            let row = first + i / (2 * CHUNK_WORDS);
            let column = i % (2 * CHUNK_WORDS);
            if row < rows && column < 2 * count {
                let word = a[row * 2 * words + 2 * from + column];
                x[2 * i] = half_of(word, 0u32);
                x[2 * i + 1] = half_of(word, 1u32);
            } else {
                x[2 * i] = 0i32;
                x[2 * i + 1] = 0i32;
            }
            i += UNITS as usize;
        }
        sync_cube();
        #[unroll]
        for t in 0..tile {
            chunk[t] = 0i32;
        }
        if output < out {
            for q in 0..count {
                let word = w[(from + q) * out + output];
                let w0 = byte_of(word, 0u32);
                let w1 = byte_of(word, 1u32);
                let w2 = byte_of(word, 2u32);
                let w3 = byte_of(word, 3u32);
                #[unroll]
                for t in 0..tile {
                    let at = t * 4 * CHUNK_WORDS + 4 * q;
                    chunk[t] += w0 * x[at] + w1 * x[at + 1] + w2 * x[at + 2] + w3 * x[at + 3];
                }
            }
        }
        #[unroll]
        for t in 0..tile {
            sums[t] += i64::cast_from(chunk[t]);
        }
        sync_cube();
        from += CHUNK_WORDS;
    }
    #[unroll]
    for t in 0..tile {
        let row = first + t;
        if row < rows && output < out {
            let e = a_exponents[row];
            let mut b = 0i32;
            if comptime!(biased) {
                b = bias[output];
            }
            y[row * out + output] = finished(sums[t], m[output], b, e, &s, biased);
            if output == 0 {
                y_exponents[row] = finished_exponent(e, &s, biased);
            }
        }
    }
}
