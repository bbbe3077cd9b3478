//! AVX2 and AVX-512 kernels.
//!
//! A tile is one panel of 16 rows against up to six rows of activations: twelve (AVX2) or six
//! (AVX-512) accumulators stay in registers, and each weight is widened once for all of them.
//! `vpmaddwd` is exact: two products of at most 127 · 32767 (or of the attention's bounds) fit 32 bits.
//! (`vpmaddubsw` saturates, and is not.)
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::blocks::{BlockInput, BlockPanels, FACTOR_BYTES, OFFSET_BITS, OFFSET_PAIRS, SUM_BITS};
use super::isa::TILE;
use super::loops::{block_loops, linear_loops, panel_dots_loops, rows};
use super::pack::{Linear, Output};
use super::panel::{CHUNK, PANEL};
use super::portable::scale_sums;

/// Instantiates the element-wise kernels for an instruction set.
macro_rules! instantiate {
    ($module:ident, $features:literal) => {
        pub mod $module {
            use crate::kernel::portable::{self, Nonlinearity, Softcap};

            instantiate!(@ $features
                rms_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32;
                activations(p: &mut [i64], groups: &[i32], c: &[u8], out: &mut [i16]) -> i32;
                add_residual(x: &mut [i32], y: &[i32], shift: i32) -> ();
                attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, w: &mut [i16]) -> (i32, u64);
                logits(y: &[i32], e: i32, z: &mut [i32], weights: &mut [u32]) -> i32;
                layer_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32;
                block_norm(y: &[i32], e: i32, g: &[i32], eps: (i32, i32), p: &mut [i64]) -> i32;
                add_fine(y: &mut [i32], low: &[i32], rows: &[u32]) -> ();
                add_bias(y: &mut [i32], e: i32, b: &[i32], b_exponent: i32) -> i32;
                add_bias_wide(p: &mut [i64], e: i32, b: &[i32], b_exponent: i32) -> i32;
                add_residual_wide(x: &mut [i32], p: &[i64], shift: i32) -> ();
                quantise_wide(p: &[i64], e: i32, bits: i32, out: &mut [i32]) -> i32;
                gated_by(f: Nonlinearity, gate: &[i32], up: &[i32], e: i32, p: &mut [i64]) -> i32;
                activated(f: Nonlinearity, up: &[i32], e: i32, p: &mut [i64]) -> i32;
                capped_attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, cap: Softcap, w: &mut [i16]) -> (i32, u64);
                wide_attention_weights(exact: &[i64], ek: &[i32], ev: &[i32], eq: i32, cap: Option<Softcap>, z: &mut [i32], w: &mut [i16]) -> (i32, u64);
                capped_logits(y: &[i32], e: i32, cap: Softcap, z: &mut [i32], weights: &mut [u32]) -> i32;
            );
        }
    };
    (@ $features:literal $($name:ident($($arg:ident: $type:ty),*) -> $ret:ty;)*) => {
        $(
            #[allow(clippy::too_many_arguments)]
            #[target_feature(enable = $features)]
            pub fn $name($($arg: $type),*) -> $ret {
                portable::$name($($arg),*)
            }
        )*
    };
}

instantiate!(avx2_elementwise, "avx2");
instantiate!(
    avx512_elementwise,
    "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512cd"
);

/// Weights as 16-bit lanes.
trait Weight: Copy {
    /// Eight rows × two columns.
    unsafe fn load8(pointer: *const Self) -> __m256i;
    /// Sixteen rows × two columns.
    unsafe fn load16(pointer: *const Self) -> __m512i;
}

impl Weight for i8 {
    #[inline(always)]
    unsafe fn load8(pointer: *const Self) -> __m256i {
        _mm256_cvtepi8_epi16(_mm_loadu_si128(pointer.cast()))
    }
    #[inline(always)]
    unsafe fn load16(pointer: *const Self) -> __m512i {
        _mm512_cvtepi8_epi16(_mm256_loadu_si256(pointer.cast()))
    }
}

impl Weight for i16 {
    #[inline(always)]
    unsafe fn load8(pointer: *const Self) -> __m256i {
        _mm256_loadu_si256(pointer.cast())
    }
    #[inline(always)]
    unsafe fn load16(pointer: *const Self) -> __m512i {
        _mm512_loadu_si512(pointer.cast())
    }
}

/// A pair of neighbouring 16-bit values, as one 32-bit lane.
#[inline(always)]
unsafe fn pair(pointer: *const i16) -> i32 {
    pointer.cast::<i32>().read_unaligned()
}

/// `N` rows of activations against `pairs` column pairs of one panel. What lies ahead is left to the processor.
///
/// # Safety
/// AVX2; `w` points to `pairs * 32` weights and every `x` to `2 * pairs` values.
#[inline(always)]
unsafe fn tile_avx2<const N: usize, W: Weight>(
    w: *const W,
    x: [*const i16; N],
    pairs: usize,
    _: usize,
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

/// As [`tile_avx2`], with AVX-512 VNNI, asking the memory for the weights that lie `ahead` of these, unless it is 0.
///
/// `vpdpwssd` takes five cycles, and one or two may begin in each: a few rows with a sum each would
/// mostly wait, so they have several.
#[inline(always)]
unsafe fn tile_avx512<const N: usize, W: Weight>(
    w: *const W,
    x: [*const i16; N],
    pairs: usize,
    ahead: usize,
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
    ahead: usize,
) -> [__m512i; N] {
    let mut sums = [[_mm512_setzero_si512(); N]; C];
    let mut j = 0;
    while j + C <= pairs {
        if AHEAD {
            for c in (0..C).step_by(2) {
                let weights = w.wrapping_add((j + c) * PANEL * 2 + ahead);
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

/// Integers of 4 bits, times 16: two neighbouring column pairs in the halves of bytes.
#[derive(Clone, Copy)]
struct HalfBytes;

/// Integers of blocks as 16-bit lanes.
trait BlockWeight {
    /// Bytes of two column pairs of a panel.
    const TWO_PAIRS: usize;
    /// Whether they were widened before, and stand without factors.
    const WIDE: bool = false;
    /// Eight rows × two columns of two neighbouring column pairs; the second eight rows if `high`.
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2];
    /// Sixteen rows × two columns of two neighbouring column pairs.
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2];
}

impl BlockWeight for i8 {
    const TWO_PAIRS: usize = 4 * PANEL;
    #[inline(always)]
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2] {
        let pointer = pointer.cast::<i8>().add(if high { PANEL } else { 0 });
        [
            <i8 as Weight>::load8(pointer),
            <i8 as Weight>::load8(pointer.add(2 * PANEL)),
        ]
    }
    #[inline(always)]
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2] {
        let pointer = pointer.cast::<i8>();
        [
            <i8 as Weight>::load16(pointer),
            <i8 as Weight>::load16(pointer.add(2 * PANEL)),
        ]
    }
}

impl BlockWeight for i16 {
    const TWO_PAIRS: usize = 8 * PANEL;
    const WIDE: bool = true;
    #[inline(always)]
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2] {
        let pointer = pointer.cast::<i16>().add(if high { PANEL } else { 0 });
        [
            <i16 as Weight>::load8(pointer),
            <i16 as Weight>::load8(pointer.add(2 * PANEL)),
        ]
    }
    #[inline(always)]
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2] {
        let pointer = pointer.cast::<i16>();
        [
            <i16 as Weight>::load16(pointer),
            <i16 as Weight>::load16(pointer.add(2 * PANEL)),
        ]
    }
}

impl BlockWeight for HalfBytes {
    const TWO_PAIRS: usize = 2 * PANEL;
    #[inline(always)]
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2] {
        let bytes = _mm_loadu_si128(pointer.add(if high { PANEL } else { 0 }).cast());
        let mask = _mm_set1_epi8(0xf0u8.cast_signed());
        [
            _mm256_cvtepi8_epi16(_mm_and_si128(_mm_slli_epi16(bytes, 4), mask)),
            _mm256_cvtepi8_epi16(_mm_and_si128(bytes, mask)),
        ]
    }
    #[inline(always)]
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2] {
        let bytes = _mm256_loadu_si256(pointer.cast());
        let mask = _mm256_set1_epi8(0xf0u8.cast_signed());
        [
            _mm512_cvtepi8_epi16(_mm256_and_si256(_mm256_slli_epi16(bytes, 4), mask)),
            _mm512_cvtepi8_epi16(_mm256_and_si256(bytes, mask)),
        ]
    }
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

/// As [`block_avx2`], with AVX-512 VNNI. Blocks do not wait for each other, but for their own sums: of few rows they have two for each.
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
unsafe fn factors_avx2(factors: *const i16) -> [[__m256i; 2]; 2] {
    let eight = |factors: *const i16| {
        let even = _mm256_cvtepi16_epi32(_mm_loadu_si128(factors.cast()));
        [even, _mm256_srli_epi64(even, 32)]
    };
    [eight(factors), eight(factors.add(8))]
}

/// As [`factors_avx2`], all 16 in one register.
#[inline(always)]
unsafe fn factors_avx512(factors: *const i16) -> [__m512i; 2] {
    let even = _mm512_cvtepi16_epi32(_mm256_loadu_si256(factors.cast()));
    [even, _mm512_srli_epi64(even, 32)]
}

/// The same factor for 16 rows.
#[inline(always)]
unsafe fn worth_avx2(worth: i32) -> [[__m256i; 2]; 2] {
    [[_mm256_set1_epi32(worth); 2]; 2]
}

/// As [`worth_avx2`].
#[inline(always)]
unsafe fn worth_avx512(worth: i32) -> [__m512i; 2] {
    [_mm512_set1_epi32(worth); 2]
}

#[inline(always)]
unsafe fn zero_avx2() -> [[__m256i; 2]; 2] {
    [[_mm256_setzero_si256(); 2]; 2]
}

#[inline(always)]
unsafe fn zero_avx512() -> [__m512i; 2] {
    [_mm512_setzero_si512(); 2]
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

/// As [`add_avx2`].
#[inline(always)]
unsafe fn add_blocks_avx512(all: &mut [__m512i; 2], sums: __m512i, factors: [__m512i; 2]) {
    let even = _mm512_mul_epi32(sums, factors[0]);
    let odd = _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), factors[1]);
    all[0] = _mm512_add_epi64(all[0], even);
    all[1] = _mm512_add_epi64(all[1], odd);
}

/// The sums of 64 bits, by row.
#[inline(always)]
unsafe fn totals_avx2(all: [[__m256i; 2]; 2]) -> [i64; PANEL] {
    let all: [[[i64; 4]; 2]; 2] = std::mem::transmute(all);
    std::array::from_fn(|r| all[r / 8][r % 2][r % 8 / 2])
}

/// As [`totals_avx2`].
#[inline(always)]
unsafe fn totals_avx512(all: [__m512i; 2]) -> [i64; PANEL] {
    let all: [[i64; 8]; 2] = std::mem::transmute(all);
    std::array::from_fn(|r| all[r % 2][r / 2])
}

/// What lies ahead is left to the processor.
#[inline(always)]
unsafe fn ahead_avx2(_: *const u8, _: usize) {}

/// Asks the memory for so many bytes.
#[inline(always)]
unsafe fn ahead_avx512(pointer: *const u8, bytes: usize) {
    for at in (0..bytes).step_by(64) {
        _mm_prefetch::<_MM_HINT_T1>(pointer.wrapping_add(at).cast());
    }
}

/// `(sums * scales + 2^31) >> 32` for eight rows.
#[inline(always)]
unsafe fn scale8(sums: __m256i, scales: __m256i) -> __m256i {
    let half = _mm256_set1_epi64x(1 << 31);
    let even = _mm256_add_epi64(_mm256_mul_epi32(sums, scales), half);
    let odd = _mm256_mul_epi32(_mm256_srli_epi64(sums, 32), _mm256_srli_epi64(scales, 32));
    let odd = _mm256_add_epi64(odd, half);
    _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0b1010_1010)
}

/// As [`scale8`] for sixteen rows.
#[inline(always)]
unsafe fn scale16(sums: __m512i, scales: __m512i) -> __m512i {
    let half = _mm512_set1_epi64(1 << 31);
    let even = _mm512_add_epi64(_mm512_mul_epi32(sums, scales), half);
    let odd = _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), _mm512_srli_epi64(scales, 32));
    let odd = _mm512_add_epi64(odd, half);
    _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd)
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
unsafe fn store_avx512(sums: __m512i, scales: &[i32; PANEL], y: *mut i32) {
    _mm512_storeu_si512(
        y.cast(),
        scale16(sums, _mm512_loadu_si512(scales.as_ptr().cast())),
    );
}

#[inline(always)]
unsafe fn sums_avx2(sums: [__m256i; 2]) -> [i32; PANEL] {
    std::mem::transmute(sums)
}

#[inline(always)]
unsafe fn sums_avx512(sums: __m512i) -> [i32; PANEL] {
    std::mem::transmute(sums)
}

linear_loops!(linear_avx2, "avx2", tile_avx2, store_avx2, sums_avx2, 6, 1 2 3 4 5 6);
linear_loops!(linear_avx512, "avx2,avx512f,avx512bw,avx512vl,avx512vnni", tile_avx512, store_avx512, sums_avx512, 4,
    1 2 3 4);

block_loops!(block_linear_avx2, "avx2", [[__m256i; 2]; 2], block_avx2, factors_avx2, worth_avx2, add_avx2, zero_avx2,
    totals_avx2, ahead_avx2, tile_avx2, 4, 1 2 3 4);
block_loops!(block_linear_avx512, "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", [__m512i; 2], block_avx512,
    factors_avx512, worth_avx512, add_blocks_avx512, zero_avx512, totals_avx512, ahead_avx512, tile_avx512, 4, 1 2 3 4);

panel_dots_loops!(panel_dots_avx2, i16, "avx2", tile_avx2, sums_avx2);
panel_dots_loops!(plane_dots_avx2, i8, "avx2", tile_avx2, sums_avx2);
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
