//! Linear layers (docs/numerics.md, 3.1 and 3.13).

use cubecl::prelude::*;

use super::fixed::{byte_of, half_of, max_i32, min_i32, rshift};
use super::reduce::UNITS;

/// Products that fit a 32-bit sum, in words of four weights.
pub const CHUNK_WORDS: usize = 128;

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
    rows: usize,
    words: usize,
    out: usize,
    sum_shift: i32,
    exponent: i32,
    bias_exponent: i32,
    #[comptime] biased: bool,
    #[comptime] tile: usize,
) {
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
            let sum = rshift(sums[t], sum_shift);
            let mut value = rshift(sum * i64::cast_from(m[output]), 32i32);
            let mut e = a_exponents[row] + exponent;
            if biased {
                let top = max_i32(e, bias_exponent) + 1i32;
                value = rshift(value, min_i32(top - e, 62i32))
                    + rshift(
                        i64::cast_from(bias[output]),
                        min_i32(top - bias_exponent, 62i32),
                    );
                e = top;
            }
            y[row * out + output] = i32::cast_from(value);
            if output == 0 {
                y_exponents[row] = e;
            }
        }
    }
}
