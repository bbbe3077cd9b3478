//! The matrix instruction on eight-bit integers: `mma.sync.m16n8k32` of the PTX ISA.
//!
//! 32 units, a plane, hold the fragments of a 16 x 32 matrix, of a 32 x 8 matrix and of their product. With g = lane / 4
//! and t = lane mod 4, a word of a holds columns 4t.. of row g (words 0 and 2) or g + 8 (1 and 3), words 2 and 3 those 16
//! columns further; a word of b rows 4t.. of column g, the second 16 rows further; a sum is that of row g (0 and
//! 1) or g + 8 (2 and 3) and column 2t or 2t + 1.

use cubecl::cmma::MmaDefinition;
use cubecl::prelude::*;

use super::fixed::byte_of;

/// Units of a cube: eight planes of 32.
pub const MATRIX_UNITS: u32 = 256;

/// Who multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// The card's instruction.
    Native,
    /// Units that show each other their fragments: for devices without the instruction, to test what is
    /// around it.
    #[cfg_attr(not(test), allow(dead_code))]
    Emulated,
}

/// Words of shared memory through which units show each other their fragments.
pub fn exchange_words(instruction: Instruction) -> usize {
    match instruction {
        Instruction::Native => 1,
        Instruction::Emulated => 6 * MATRIX_UNITS as usize,
    }
}

/// Adds the product of the plane's `a`, signed, and `b`, which is signed or not, to the four `sums` from `at` on.
#[cube]
pub fn multiply_accumulate(
    a: &Array<u32>,
    b: &Array<u32>,
    sums: &mut Array<i32>,
    exchange: &mut SharedMemory<u32>,
    #[comptime] at: usize,
    #[comptime] signed: bool,
    #[comptime] instruction: Instruction,
) {
    if comptime!(instruction == Instruction::Emulated) {
        emulated(a, b, sums, exchange, at, signed);
    } else if comptime!(signed) {
        native::<i8>(a, b, sums, at);
    } else {
        native::<u8>(a, b, sums, at);
    }
}

#[cube]
fn native<B: Int>(a: &Array<u32>, b: &Array<u32>, sums: &mut Array<i32>, #[comptime] at: usize) {
    let definition = MmaDefinition::<i8, B, i32>::new(16usize, 8usize, 32usize);
    let mut of_a = Array::<Vector<i8, Const<4>>>::new(4usize);
    #[unroll]
    for i in 0..4usize {
        of_a[i] = Vector::<i8, Const<4>>::reinterpret(a[i]);
    }
    let mut of_b = Array::<Vector<B, Const<4>>>::new(2usize);
    #[unroll]
    for i in 0..2usize {
        of_b[i] = Vector::<B, Const<4>>::reinterpret(b[i]);
    }
    let mut of_sums = Array::<Vector<i32, Const<2>>>::new(2usize);
    #[unroll]
    for i in 0..2usize {
        let mut pair = Vector::<i32, Const<2>>::empty();
        pair[0] = sums[at + 2 * i];
        pair[1] = sums[at + 2 * i + 1];
        of_sums[i] = pair;
    }
    let products = definition.execute(&of_a, &of_b, &of_sums);
    #[unroll]
    for i in 0..2usize {
        let pair = products[i];
        sums[at + 2 * i] = pair[0];
        sums[at + 2 * i + 1] = pair[1];
    }
}

#[cube]
fn emulated(
    a: &Array<u32>,
    b: &Array<u32>,
    sums: &mut Array<i32>,
    exchange: &mut SharedMemory<u32>,
    #[comptime] at: usize,
    #[comptime] signed: bool,
) {
    let unit = UNIT_POS as usize;
    let lane = unit % 32;
    let first = unit - lane;
    #[unroll]
    for i in 0..4usize {
        exchange[6 * unit + i] = a[i];
    }
    #[unroll]
    for i in 0..2usize {
        exchange[6 * unit + 4 + i] = b[i];
    }
    sync_cube();
    #[unroll]
    for i in 0..4usize {
        let row = lane / 4 + comptime!(8 * (i / 2));
        let column = 2 * (lane % 4) + comptime!(i % 2);
        let mut sum = sums[at + i];
        for word in 0..8usize {
            let of_row = first + row % 8 * 4 + word % 4;
            let of_column = first + column * 4 + word % 4;
            let four = exchange[6 * of_row + word / 4 * 2 + row / 8];
            let other = exchange[6 * of_column + 4 + word / 4];
            #[unroll]
            for byte in 0..4u32 {
                let mut value = byte_of(other, byte);
                if comptime!(!signed) {
                    value &= 255i32;
                }
                sum += byte_of(four, byte) * value;
            }
        }
        sums[at + i] = sum;
    }
    sync_cube();
}
