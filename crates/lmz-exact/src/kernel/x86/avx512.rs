//! AVX-512 with VNNI: what avx2.rs has, sixteen rows in a register.
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

/// `N` rows of activations against `pairs` column pairs of one panel, asking the memory for the weights that lie `ahead` of these,
/// unless it is 0.
///
/// `vpdpwssd` takes five cycles, and one or two may begin in each: a few rows with a sum each would
/// mostly wait, so they have several.
#[inline(always)]
unsafe fn tile_avx512<const N: usize, W: Weight>(
    w: *const W,
    x: [*const i16; N],
    pairs: usize,
    ahead: isize,
) -> [__m512i; N] {
    match (N, ahead) {
        (1, 0) => chains_avx512::<N, 8, false, W>(w, x, pairs, 0),
        (1, _) => chains_avx512::<N, 8, true, W>(w, x, pairs, ahead),
        (2, 0) => chains_avx512::<N, 4, false, W>(w, x, pairs, 0),
        (2, _) => chains_avx512::<N, 4, true, W>(w, x, pairs, ahead),
        (_, 0) => chains_avx512::<N, 2, false, W>(w, x, pairs, 0),
        (..) => chains_avx512::<N, 2, true, W>(w, x, pairs, ahead),
    }
}

/// [`tile_avx512`] with `C` sums for each row, added up at the end. The order of sums modulo 2^32 does
/// not matter, and the total fits.
#[inline(always)]
unsafe fn chains_avx512<const N: usize, const C: usize, const AHEAD: bool, W: Weight>(
    w: *const W,
    x: [*const i16; N],
    pairs: usize,
    ahead: isize,
) -> [__m512i; N] {
    let mut sums = [[_mm512_setzero_si512(); N]; C];
    let mut j = 0;
    while j + C <= pairs {
        if AHEAD {
            // A line of the cache holds one pair of 16 bits, and two of 8.
            for c in (0..C).step_by(2 / size_of::<W>()) {
                let weights = w.wrapping_add((j + c) * PANEL * 2).wrapping_offset(ahead);
                _mm_prefetch::<_MM_HINT_T1>(weights.cast());
            }
        }
        for (c, sums) in sums.iter_mut().enumerate() {
            add_avx512(w, &x, j + c, sums);
        }
        j += C;
    }
    while j < pairs {
        add_avx512(w, &x, j, &mut sums[0]);
        j += 1;
    }
    let mut all = sums[0];
    for sums in &sums[1..] {
        for t in 0..N {
            all[t] = _mm512_add_epi32(all[t], sums[t]);
        }
    }
    all
}

/// Column pair `j` of [`tile_avx512`].
#[inline(always)]
unsafe fn add_avx512<const N: usize, W: Weight>(
    w: *const W,
    x: &[*const i16; N],
    j: usize,
    sums: &mut [__m512i; N],
) {
    let weights = W::load16(w.add(j * PANEL * 2));
    for t in 0..N {
        let x = _mm512_set1_epi32(pair(x[t].add(2 * j)));
        sums[t] = _mm512_dpwssd_epi32(sums[t], weights, x);
    }
}

/// `N` rows of activations against the `pairs` column pairs of one block of a panel. Blocks do not wait for each other, but for their own sums: of few rows they have two for each.
///
/// Of a number of pairs that the compiler knew, it would make products and sums of their own in the place of `vpdpwssd`.
#[inline(always)]
unsafe fn block_avx512<const N: usize, W: BlockWeight>(
    w: *const u8,
    x: [*const i16; N],
    pairs: usize,
) -> [__m512i; N] {
    let mut sums = [[_mm512_setzero_si512(); 2]; N];
    for j in 0..pairs / 2 {
        let weights = W::two16(w.add(j * W::TWO_PAIRS));
        for i in 0..2 {
            for t in 0..N {
                let x = _mm512_set1_epi32(pair(x[t].add(4 * j + 2 * i)));
                sums[t][i] = _mm512_dpwssd_epi32(sums[t][i], weights[i], x);
            }
        }
    }
    sums.map(|sums| _mm512_add_epi32(sums[0], sums[1]))
}

/// The factors of 16 rows: those of even rows in the low halves of 64 bits, then those of odd rows.
#[inline(always)]
pub unsafe fn factors_avx512(factors: *const i16) -> [__m512i; 2] {
    let even = _mm512_cvtepi16_epi32(_mm256_loadu_si256(factors.cast()));
    [even, _mm512_srli_epi64(even, 32)]
}

/// The same factor for 16 rows.
#[inline(always)]
unsafe fn worth_avx512(worth: i32) -> [__m512i; 2] {
    [_mm512_set1_epi32(worth); 2]
}

#[inline(always)]
unsafe fn zero_avx512() -> [__m512i; 2] {
    [_mm512_setzero_si512(); 2]
}

/// Adds sums times factors to sums of 64 bits.
#[inline(always)]
pub unsafe fn add_blocks_avx512(all: &mut [__m512i; 2], sums: __m512i, factors: [__m512i; 2]) {
    let even = _mm512_mul_epi32(sums, factors[0]);
    let odd = _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), factors[1]);
    all[0] = _mm512_add_epi64(all[0], even);
    all[1] = _mm512_add_epi64(all[1], odd);
}

/// The sums of 64 bits, by row.
#[inline(always)]
unsafe fn totals_avx512(all: [__m512i; 2]) -> [i64; PANEL] {
    let all: [[i64; 8]; 2] = std::mem::transmute(all);
    std::array::from_fn(|r| all[r % 2][r / 2])
}

/// Asks the memory for so many bytes.
#[inline(always)]
pub unsafe fn ahead_avx512(pointer: *const u8, bytes: usize) {
    for at in (0..bytes).step_by(64) {
        _mm_prefetch::<_MM_HINT_T1>(pointer.wrapping_add(at).cast());
    }
}

/// `(sums * scales + 2^31) >> 32`.
#[inline(always)]
unsafe fn scale16(sums: __m512i, scales: __m512i) -> __m512i {
    let half = _mm512_set1_epi64(1 << 31);
    let even = _mm512_add_epi64(_mm512_mul_epi32(sums, scales), half);
    let odd = _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), _mm512_srli_epi64(scales, 32));
    let odd = _mm512_add_epi64(odd, half);
    _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd)
}

/// Sums of 64 bits, those of even rows and those of odd ones, shifted by `shift` and then as [`scale16`].
#[inline(always)]
pub unsafe fn scale_wide(sums: [__m512i; 2], scales: __m512i, shift: i32) -> __m512i {
    let half = _mm512_set1_epi64(1 << shift >> 1);
    let count = _mm_cvtsi32_si128(shift);
    let [even, odd] = sums.map(|sums| _mm512_sra_epi64(_mm512_add_epi64(sums, half), count));
    let one = _mm512_set1_epi64(1 << 31);
    let even = _mm512_add_epi64(_mm512_mul_epi32(even, scales), one);
    let odd = _mm512_add_epi64(_mm512_mul_epi32(odd, _mm512_srli_epi64(scales, 32)), one);
    _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd)
}

#[inline(always)]
unsafe fn store_avx512(sums: __m512i, scales: &[i32; PANEL], y: *mut i32) {
    _mm512_storeu_si512(
        y.cast(),
        scale16(sums, _mm512_loadu_si512(scales.as_ptr().cast())),
    );
}

#[inline(always)]
unsafe fn sums_avx512(sums: __m512i) -> [i32; PANEL] {
    std::mem::transmute(sums)
}

linear_loops!(linear_avx512, "avx2,avx512f,avx512bw,avx512vl,avx512vnni", tile_avx512, store_avx512, sums_avx512, 4,
    1 2 3 4);

block_loops!(block_linear_avx512, "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", [__m512i; 2], block_avx512,
    factors_avx512, worth_avx512, add_blocks_avx512, zero_avx512, totals_avx512, ahead_avx512, add_offsets_avx512, tile_avx512, 4,
    1 2 3 4);

panel_dots_loops!(
    panel_dots_avx512,
    i16,
    "avx2,avx512f,avx512bw,avx512vl,avx512vnni",
    tile_avx512,
    sums_avx512
);
panel_dots_loops!(
    plane_dots_avx512,
    i8,
    "avx2,avx512f,avx512bw,avx512vl,avx512vnni",
    tile_avx512,
    sums_avx512
);
