//! Linear layers (docs/numerics.md, 3.1) by the integer matrix instruction of a card.
//!
//! An activation of 15 bits and a sign is two planes of eight bits, x = 256·h + l with h signed and l not, and
//! a product of the weights with each is a sum that 32 bits hold. So the result is the one of
//! [`linear`](super::linear).

use cubecl::prelude::*;

use super::linear::{LinearScalars, finished, finished_exponent};
use super::mma::{Instruction, MATRIX_UNITS, exchange_words, multiply_accumulate};

/// Outputs of a cube.
pub const OUTPUTS: usize = 128;
/// Rows of activations of a cube.
pub const ROWS: usize = 64;
/// Columns whose sums of products with either plane fit 32 bits: 127 · 255 · 65,536 < 2^31.
pub const MAX_COLUMNS: usize = 1 << 16;

/// Words of four columns in a step, which two instructions take.
const STEP: usize = 16;
/// Outputs between the words of a staged column, and words between staged rows: units of a plane that read a
/// fragment meet different banks.
const OUTPUT_STRIDE: usize = OUTPUTS + 8;
const ROW_STRIDE: usize = STEP + 4;
/// Tiles of a plane: 32 outputs by 32 rows, of 16 by 8.
const OUTPUT_TILES: usize = 2;
const ROW_TILES: usize = 4;
/// Accumulators of a unit for one plane of the activations.
const SUMS: usize = OUTPUT_TILES * ROW_TILES * 4;

/// The low bytes of four activations in two words.
#[cube]
fn low_bytes(first: u32, second: u32) -> u32 {
    (first & 255u32)
        | (((first >> 16u32) & 255u32) << 8u32)
        | ((second & 255u32) << 16u32)
        | (((second >> 16u32) & 255u32) << 24u32)
}

/// Their high bytes.
#[cube]
fn high_bytes(first: u32, second: u32) -> u32 {
    low_bytes(first >> 8u32, second >> 8u32)
}

/// As [`linear`](super::linear::linear), for up to [`MAX_COLUMNS`] columns: a cube computes [`OUTPUTS`] outputs of [`ROWS`] rows.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn matrix(
    a: &Array<u32>,
    a_exponents: &Array<i32>,
    w: &Array<u32>,
    m: &Array<i32>,
    bias: &Array<i32>,
    y: &mut Array<i32>,
    y_exponents: &mut Array<i32>,
    s: LinearScalars,
    #[comptime] biased: bool,
    #[comptime] instruction: Instruction,
) {
    let unit = UNIT_POS as usize;
    let lane = unit % 32;
    let plane = unit / 32;
    let group = lane / 4;
    let member = lane % 4;
    let first_output = CUBE_POS_X as usize * OUTPUTS;
    let first_row = CUBE_POS_Y as usize * ROWS;
    // Of the plane, within the cube's.
    let own_output = plane % 4 * 32;
    let own_row = plane / 4 * 32;

    let mut weights = SharedMemory::<u32>::new(STEP * OUTPUT_STRIDE);
    let mut high = SharedMemory::<u32>::new(ROWS * ROW_STRIDE);
    let mut low = SharedMemory::<u32>::new(ROWS * ROW_STRIDE);
    let mut exchange = SharedMemory::<u32>::new(comptime!(exchange_words(instruction)));
    let mut high_sums = Array::<i32>::new(SUMS);
    let mut low_sums = Array::<i32>::new(SUMS);
    #[unroll]
    for i in 0..SUMS {
        high_sums[i] = 0i32;
        low_sums[i] = 0i32;
    }

    let mut from = 0usize;
    while from < s.words {
        #[unroll]
        for i in 0..STEP * OUTPUTS / MATRIX_UNITS as usize {
            let at = i * MATRIX_UNITS as usize + unit;
            let word = at / OUTPUTS;
            let output = at % OUTPUTS;
            let mut four = 0u32;
            if from + word < s.words && first_output + output < s.out {
                four = w[(from + word) * s.out + first_output + output];
            }
            weights[word * OUTPUT_STRIDE + output] = four;
        }
        #[unroll]
        for i in 0..STEP * ROWS / MATRIX_UNITS as usize {
            let at = i * MATRIX_UNITS as usize + unit;
            let word = at % STEP;
            let row = at / STEP;
            let mut first = 0u32;
            let mut second = 0u32;
            if from + word < s.words && first_row + row < s.rows {
                let start = (first_row + row) * 2 * s.words + 2 * (from + word);
                first = a[start];
                second = a[start + 1];
            }
            high[row * ROW_STRIDE + word] = high_bytes(first, second);
            low[row * ROW_STRIDE + word] = low_bytes(first, second);
        }
        sync_cube();
        #[unroll]
        for half in 0..STEP / 8 {
            let word = half * 8 + member;
            #[unroll]
            for i in 0..OUTPUT_TILES {
                let output = own_output + 16 * i + group;
                let mut four = Array::<u32>::new(4usize);
                four[0] = weights[word * OUTPUT_STRIDE + output];
                four[1] = weights[word * OUTPUT_STRIDE + output + 8];
                four[2] = weights[(word + 4) * OUTPUT_STRIDE + output];
                four[3] = weights[(word + 4) * OUTPUT_STRIDE + output + 8];
                #[unroll]
                for j in 0..ROW_TILES {
                    let start = (own_row + 8 * j + group) * ROW_STRIDE + word;
                    let sums = comptime!(4 * (i * ROW_TILES + j));
                    let mut two = Array::<u32>::new(2usize);
                    two[0] = high[start];
                    two[1] = high[start + 4];
                    multiply_accumulate(
                        &four,
                        &two,
                        &mut high_sums,
                        &mut exchange,
                        sums,
                        true,
                        instruction,
                    );
                    two[0] = low[start];
                    two[1] = low[start + 4];
                    multiply_accumulate(
                        &four,
                        &two,
                        &mut low_sums,
                        &mut exchange,
                        sums,
                        false,
                        instruction,
                    );
                }
            }
        }
        sync_cube();
        from += STEP;
    }

    #[unroll]
    for i in 0..SUMS {
        // Of a tile, a unit has two neighbouring rows of two outputs that are eight apart.
        let tile = comptime!(i / 4);
        let output = first_output
            + own_output
            + comptime!(16 * (tile / ROW_TILES) + 8 * (i % 4 / 2))
            + group;
        let row = first_row + own_row + comptime!(8 * (tile % ROW_TILES) + i % 2) + 2 * member;
        if row < s.rows && output < s.out {
            let sum = 256i64 * i64::cast_from(high_sums[i]) + i64::cast_from(low_sums[i]);
            let e = a_exponents[row];
            let mut b = 0i32;
            if comptime!(biased) {
                b = bias[output];
            }
            y[row * s.out + output] = finished(sum, m[output], b, e, &s, biased);
            if output == 0 {
                y_exponents[row] = finished_exponent(e, &s, biased);
            }
        }
    }
}
