//! AVX2: up to six rows of activations, twelve sums in registers.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::weights::{BlockWeight, HalfBytes, Weight, pair};
use crate::kernel::blocks::{
    BlockInput, BlockPanels, FACTOR_BYTES, OFFSET_BITS, OFFSET_PAIRS, SUM_BITS,
};
use crate::kernel::isa::TILE;
use crate::kernel::loops::{block_loops, linear_loops, panel_dots_loops, rows};
use crate::kernel::pack::{Linear, Output};
use crate::kernel::panel::{CHUNK, PANEL};
use crate::kernel::portable::scale_sums;

/// `N` rows of activations against `pairs` column pairs of one panel. What lies ahead is left to the processor.
///
/// # Safety
/// AVX2; `w` points to `pairs * 32` weights and every `x` to `2 * pairs` values.
#[inline(always)]
unsafe fn tile_avx2<const N: usize, W: Weight>(
    w: *const W,
    x: [*const i16; N],
    pairs: usize,
    _: isize,
) -> [[__m256i; 2]; N] {
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    for j in 0..pairs {
        let low = W::load8(w.add(j * PANEL * 2));
        let high = W::load8(w.add(j * PANEL * 2 + PANEL));
        for t in 0..N {
            let x = _mm256_set1_epi32(pair(x[t].add(2 * j)));
            sums[t][0] = _mm256_add_epi32(sums[t][0], _mm256_madd_epi16(low, x));
            sums[t][1] = _mm256_add_epi32(sums[t][1], _mm256_madd_epi16(high, x));
        }
    }
    sums
}

/// `N` rows of activations against the `pairs` column pairs of one block of a panel.
///
/// # Safety
/// AVX2; `w` points to the block's integers and every `x` to `2 * pairs` values.
#[inline(always)]
unsafe fn block_avx2<const N: usize, W: BlockWeight>(
    w: *const u8,
    x: [*const i16; N],
    pairs: usize,
) -> [[__m256i; 2]; N] {
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    for j in 0..pairs / 2 {
        let low = W::two8(w.add(j * W::TWO_PAIRS), false);
        let high = W::two8(w.add(j * W::TWO_PAIRS), true);
        for t in 0..N {
            for i in 0..2 {
                let x = _mm256_set1_epi32(pair(x[t].add(4 * j + 2 * i)));
                sums[t][0] = _mm256_add_epi32(sums[t][0], _mm256_madd_epi16(low[i], x));
                sums[t][1] = _mm256_add_epi32(sums[t][1], _mm256_madd_epi16(high[i], x));
            }
        }
    }
    sums
}

/// The factors of 16 rows: those of even rows in the low halves of 64 bits, then those of odd rows.
#[inline(always)]
unsafe fn factors_avx2(factors: *const i16) -> [[__m256i; 2]; 2] {
    let eight = |factors: *const i16| {
        let even = _mm256_cvtepi16_epi32(_mm_loadu_si128(factors.cast()));
        [even, _mm256_srli_epi64(even, 32)]
    };
    [eight(factors), eight(factors.add(8))]
}

/// The same factor for 16 rows.
#[inline(always)]
unsafe fn worth_avx2(worth: i32) -> [[__m256i; 2]; 2] {
    [[_mm256_set1_epi32(worth); 2]; 2]
}

#[inline(always)]
unsafe fn zero_avx2() -> [[__m256i; 2]; 2] {
    [[_mm256_setzero_si256(); 2]; 2]
}

/// Adds sums times factors to sums of 64 bits.
#[inline(always)]
unsafe fn add_avx2(all: &mut [[__m256i; 2]; 2], sums: [__m256i; 2], factors: [[__m256i; 2]; 2]) {
    for half in 0..2 {
        let even = _mm256_mul_epi32(sums[half], factors[half][0]);
        let odd = _mm256_mul_epi32(_mm256_srli_epi64(sums[half], 32), factors[half][1]);
        all[half][0] = _mm256_add_epi64(all[half][0], even);
        all[half][1] = _mm256_add_epi64(all[half][1], odd);
    }
}

/// The sums of 64 bits, by row.
#[inline(always)]
unsafe fn totals_avx2(all: [[__m256i; 2]; 2]) -> [i64; PANEL] {
    let all: [[[i64; 4]; 2]; 2] = std::mem::transmute(all);
    std::array::from_fn(|r| all[r / 8][r % 2][r % 8 / 2])
}

/// What lies ahead is left to the processor.
#[inline(always)]
unsafe fn ahead_avx2(_: *const u8, _: usize) {}

/// `(sums * scales + 2^31) >> 32` for eight rows.
#[inline(always)]
unsafe fn scale8(sums: __m256i, scales: __m256i) -> __m256i {
    let half = _mm256_set1_epi64x(1 << 31);
    let even = _mm256_add_epi64(_mm256_mul_epi32(sums, scales), half);
    let odd = _mm256_mul_epi32(_mm256_srli_epi64(sums, 32), _mm256_srli_epi64(scales, 32));
    let odd = _mm256_add_epi64(odd, half);
    _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0b1010_1010)
}

#[inline(always)]
unsafe fn store_avx2(sums: [__m256i; 2], scales: &[i32; PANEL], y: *mut i32) {
    let scales: *const __m256i = scales.as_ptr().cast();
    _mm256_storeu_si256(y.cast(), scale8(sums[0], _mm256_loadu_si256(scales)));
    _mm256_storeu_si256(
        y.add(8).cast(),
        scale8(sums[1], _mm256_loadu_si256(scales.add(1))),
    );
}

#[inline(always)]
unsafe fn sums_avx2(sums: [__m256i; 2]) -> [i32; PANEL] {
    std::mem::transmute(sums)
}

linear_loops!(linear_avx2, "avx2", tile_avx2, store_avx2, sums_avx2, 6, 1 2 3 4 5 6);

block_loops!(block_linear_avx2, "avx2", [[__m256i; 2]; 2], block_avx2, factors_avx2, worth_avx2, add_avx2, zero_avx2,
    totals_avx2, ahead_avx2, add_offsets_avx2, tile_avx2, 4, 1 2 3 4);

panel_dots_loops!(panel_dots_avx2, i16, "avx2", tile_avx2, sums_avx2);
panel_dots_loops!(plane_dots_avx2, i8, "avx2", tile_avx2, sums_avx2);
