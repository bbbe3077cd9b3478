//! NEON kernels.
//!
//! As in [`super::x86`], a tile is one panel of 16 rows against up to six rows of activations: 24 accumulators
//! of four 32-bit lanes, and weights that are widened to 16 bits once for all of them. `smlal` is exact.
//! (`sdot` multiplies 8 by 8 bits; activations have 15.) The element-wise kernels are portable code:
//! the compiler vectorises it with NEON, which every aarch64 has.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::aarch64::*;
use std::ops::Range;

use super::blocks::{BlockInput, BlockPanels, FACTOR_BYTES, OFFSET_BITS, OFFSET_PAIRS, SUM_BITS};
use super::isa::TILE;
use super::loops::{block_loops, linear_loops, panel_dots_loops, rows};
use super::pack::{Linear, Output};
use super::panel::{CHUNK, PANEL};
use super::portable::scale_sums;

/// Weights as 16-bit lanes.
trait Weight: Copy {
    /// Sixteen rows × two columns: rows 0 to 7 and 8 to 15 of the first column, then of the second.
    unsafe fn load(pointer: *const Self) -> [int16x8_t; 4];
}

impl Weight for i8 {
    #[inline(always)]
    unsafe fn load(pointer: *const Self) -> [int16x8_t; 4] {
        let int8x16x2_t(first, second) = vld2q_s8(pointer);
        [
            vmovl_s8(vget_low_s8(first)),
            vmovl_high_s8(first),
            vmovl_s8(vget_low_s8(second)),
            vmovl_high_s8(second),
        ]
    }
}

impl Weight for i16 {
    #[inline(always)]
    unsafe fn load(pointer: *const Self) -> [int16x8_t; 4] {
        let int16x8x2_t(first, second) = vld2q_s16(pointer);
        let int16x8x2_t(first_high, second_high) = vld2q_s16(pointer.add(PANEL));
        [first, first_high, second, second_high]
    }
}

/// Integers of 4 bits, times 16: two neighbouring column pairs in the halves of bytes.
#[derive(Clone, Copy)]
struct HalfBytes;

/// Integers of blocks as 16-bit lanes.
trait BlockWeight {
    /// Bytes of two column pairs of a panel.
    const TWO_PAIRS: usize;
    /// Whether they were widened before, and stand without factors.
    const WIDE: bool = false;
    /// Two neighbouring column pairs, each as [`Weight::load`] has them.
    unsafe fn two(pointer: *const u8) -> [[int16x8_t; 4]; 2];
}

impl BlockWeight for i8 {
    const TWO_PAIRS: usize = 4 * PANEL;
    #[inline(always)]
    unsafe fn two(pointer: *const u8) -> [[int16x8_t; 4]; 2] {
        let pointer = pointer.cast::<i8>();
        [
            <i8 as Weight>::load(pointer),
            <i8 as Weight>::load(pointer.add(2 * PANEL)),
        ]
    }
}

impl BlockWeight for i16 {
    const TWO_PAIRS: usize = 8 * PANEL;
    const WIDE: bool = true;
    #[inline(always)]
    unsafe fn two(pointer: *const u8) -> [[int16x8_t; 4]; 2] {
        let pointer = pointer.cast::<i16>();
        [
            <i16 as Weight>::load(pointer),
            <i16 as Weight>::load(pointer.add(2 * PANEL)),
        ]
    }
}

impl BlockWeight for HalfBytes {
    const TWO_PAIRS: usize = 2 * PANEL;
    #[inline(always)]
    unsafe fn two(pointer: *const u8) -> [[int16x8_t; 4]; 2] {
        let int8x16x2_t(first, second) = vld2q_s8(pointer.cast());
        let wide = |first: int8x16_t, second: int8x16_t| {
            [
                vmovl_s8(vget_low_s8(first)),
                vmovl_high_s8(first),
                vmovl_s8(vget_low_s8(second)),
                vmovl_high_s8(second),
            ]
        };
        let mask = vdupq_n_s8(0xf0u8.cast_signed());
        [
            wide(vshlq_n_s8::<4>(first), vshlq_n_s8::<4>(second)),
            wide(vandq_s8(first, mask), vandq_s8(second, mask)),
        ]
    }
}

/// Adds the products of a column pair with `N` rows of activations, which are at `x`.
#[inline(always)]
unsafe fn add_pair<const N: usize>(
    [a0, a1, b0, b1]: [int16x8_t; 4],
    x: [*const i16; N],
    sums: &mut [[int32x4_t; 4]; N],
) {
    for t in 0..N {
        // Both columns' values, twice.
        let x = vreinterpret_s16_s32(vdup_n_s32(x[t].cast::<i32>().read_unaligned()));
        let s = &mut sums[t];
        s[0] = vmlal_lane_s16::<0>(s[0], vget_low_s16(a0), x);
        s[1] = vmlal_high_lane_s16::<0>(s[1], a0, x);
        s[2] = vmlal_lane_s16::<0>(s[2], vget_low_s16(a1), x);
        s[3] = vmlal_high_lane_s16::<0>(s[3], a1, x);
        s[0] = vmlal_lane_s16::<1>(s[0], vget_low_s16(b0), x);
        s[1] = vmlal_high_lane_s16::<1>(s[1], b0, x);
        s[2] = vmlal_lane_s16::<1>(s[2], vget_low_s16(b1), x);
        s[3] = vmlal_high_lane_s16::<1>(s[3], b1, x);
    }
}

/// `N` rows of activations against the `pairs` column pairs of one block of a panel.
///
/// # Safety
/// NEON; `w` points to the block's integers and every `x` to `2 * pairs` values.
#[inline(always)]
unsafe fn block<const N: usize, W: BlockWeight>(
    w: *const u8,
    x: [*const i16; N],
    pairs: usize,
) -> [[int32x4_t; 4]; N] {
    let mut sums = [[vdupq_n_s32(0); 4]; N];
    for j in 0..pairs / 2 {
        for (i, weights) in W::two(w.add(j * W::TWO_PAIRS)).into_iter().enumerate() {
            add_pair(weights, x.map(|x| x.add(4 * j + 2 * i)), &mut sums);
        }
    }
    sums
}

/// The factors of 16 rows.
#[inline(always)]
unsafe fn factors(factors: *const i16) -> [int32x4_t; 4] {
    let (low, high) = (vld1q_s16(factors), vld1q_s16(factors.add(8)));
    [
        vmovl_s16(vget_low_s16(low)),
        vmovl_high_s16(low),
        vmovl_s16(vget_low_s16(high)),
        vmovl_high_s16(high),
    ]
}

/// The same factor for 16 rows.
#[inline(always)]
unsafe fn worth(worth: i32) -> [int32x4_t; 4] {
    [vdupq_n_s32(worth); 4]
}

#[inline(always)]
unsafe fn zero() -> [int64x2_t; 8] {
    [vdupq_n_s64(0); 8]
}

/// Adds sums times factors to sums of 64 bits.
#[inline(always)]
unsafe fn add(all: &mut [int64x2_t; 8], sums: [int32x4_t; 4], factors: [int32x4_t; 4]) {
    for (four, (sums, factors)) in sums.into_iter().zip(factors).enumerate() {
        let [low, high] = [2 * four, 2 * four + 1];
        all[low] = vmlal_s32(all[low], vget_low_s32(sums), vget_low_s32(factors));
        all[high] = vmlal_high_s32(all[high], sums, factors);
    }
}

#[inline(always)]
unsafe fn totals(all: [int64x2_t; 8]) -> [i64; PANEL] {
    std::mem::transmute(all)
}

/// What lies ahead is left to the processor.
#[inline(always)]
unsafe fn ahead(_: *const u8, _: usize) {}

/// `N` rows of activations against `pairs` column pairs of one panel. What lies ahead is left to the processor.
///
/// # Safety
/// NEON; `w` points to `pairs * 32` weights and every `x` to `2 * pairs` values.
#[inline(always)]
unsafe fn tile<const N: usize, W: Weight>(
    w: *const W,
    x: [*const i16; N],
    pairs: usize,
    _: isize,
) -> [[int32x4_t; 4]; N] {
    let mut sums = [[vdupq_n_s32(0); 4]; N];
    for j in 0..pairs {
        let weights = W::load(w.add(j * PANEL * 2));
        add_pair(weights, x.map(|x| x.add(2 * j)), &mut sums);
    }
    sums
}

/// `(sums * scales + 2^31) >> 32` into sixteen rows of `y`.
#[inline(always)]
unsafe fn store(sums: [int32x4_t; 4], scales: &[i32; PANEL], y: *mut i32) {
    for (at, sums) in sums.into_iter().enumerate() {
        let scales = vld1q_s32(scales.as_ptr().add(4 * at));
        // A rounding shift adds 2^31 first.
        let low = vrshrq_n_s64::<32>(vmull_s32(vget_low_s32(sums), vget_low_s32(scales)));
        let high = vrshrq_n_s64::<32>(vmull_high_s32(sums, scales));
        vst1q_s32(y.add(4 * at), vcombine_s32(vmovn_s64(low), vmovn_s64(high)));
    }
}

#[inline(always)]
unsafe fn sums(sums: [int32x4_t; 4]) -> [i32; PANEL] {
    std::mem::transmute(sums)
}

linear_loops!(linear, "neon", tile, store, sums, 6, 1 2 3 4 5 6);
block_loops!(block_linear, "neon", [int64x2_t; 8], block, factors, worth, add, zero, totals, ahead, add_offsets, tile, 4, 1 2 3 4);
panel_dots_loops!(panel_dots, i16, "neon", tile, sums);
panel_dots_loops!(plane_dots, i8, "neon", tile, sums);
