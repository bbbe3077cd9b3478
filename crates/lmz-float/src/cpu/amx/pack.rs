//! Factors in f32 to tiles of bf16.

use std::arch::x86_64::*;

use super::unit::{DEPTH, EDGE, WORDS, available};
use crate::cpu::gemm::Matrix;

/// Tiles `[row][pair of terms]`.
pub fn pack_left(to: &mut Vec<u32>, rows: usize, inner: usize, from: Matrix<'_>) {
    let outer = Outer {
        count: rows,
        stride: from.row,
        along: from.column,
    };
    panels(to, outer, inner, from.values, true);
}

/// Tiles `[pair of terms][column]`.
pub fn pack_right(to: &mut Vec<u32>, inner: usize, columns: usize, from: Matrix<'_>) {
    let outer = Outer {
        count: columns,
        stride: from.column,
        along: from.row,
    };
    panels(to, outer, inner, from.values, false);
}

/// What is not summed over: how many, their distance, and the distance of the terms of a sum.
#[derive(Clone, Copy)]
struct Outer {
    count: usize,
    stride: usize,
    along: usize,
}

/// Panels of tiles; `outer_first` says whether a tile's rows are of the outer index.
fn panels(to: &mut Vec<u32>, outer: Outer, inner: usize, from: &[f32], outer_first: bool) {
    let depth = inner.div_ceil(DEPTH);
    let panels = outer.count.div_ceil(EDGE).next_multiple_of(2);
    to.resize(panels * depth * WORDS, 0);
    assert!(available(), "this processor has no tiles");
    for (number, to) in to.as_chunks_mut::<WORDS>().0.iter_mut().enumerate() {
        let (panel, k) = (number / depth, number % depth * DEPTH);
        let first = panel * EDGE;
        let count = outer.count.saturating_sub(first).min(EDGE);
        let terms = (inner - k).min(DEPTH);
        if count == 0 {
            to.fill(0);
            continue;
        }
        let from = &from[first * outer.stride + k * outer.along..];
        let whole = count == EDGE && terms == DEPTH;
        if whole && outer.along == 1 {
            let rows: [&[f32; DEPTH]; EDGE] =
                std::array::from_fn(|i| lines(from, i * outer.stride));
            // SAFETY: `available` has found what it needs.
            unsafe { neighbours(to, rows, !outer_first) };
        } else if whole && outer.stride == 1 {
            let terms: [&[f32; EDGE]; DEPTH] =
                std::array::from_fn(|t| lines(from, t * outer.along));
            // SAFETY: as above.
            unsafe { interleaved(to, terms, outer_first) };
        } else {
            let at = |i: usize, term: usize| match i < count && term < terms {
                true => from[i * outer.stride + term * outer.along],
                false => 0.0,
            };
            for i in 0..EDGE {
                for p in 0..EDGE {
                    let place = if outer_first {
                        i * EDGE + p
                    } else {
                        p * EDGE + i
                    };
                    to[place] = join(at(i, 2 * p), at(i, 2 * p + 1));
                }
            }
        }
    }
}

/// `N` numbers from `at` on.
fn lines<const N: usize>(from: &[f32], at: usize) -> &[f32; N] {
    match from[at..].first_chunk() {
        Some(chunk) => chunk,
        None => unreachable!("a whole tile lies inside its matrix"),
    }
}

/// A tile from rows whose terms are neighbours.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn neighbours(to: &mut [u32; WORDS], rows: [&[f32; DEPTH]; EDGE], turn: bool) {
    let mut words = [_mm512_setzero_si512(); EDGE];
    // No closures: they would not be compiled for the same instructions.
    for i in 0..EDGE {
        words[i] = pair(&rows[i][..EDGE], &rows[i][EDGE..]);
    }
    store(to, if turn { transpose(words) } else { words });
}

/// A tile from terms whose rows are neighbours.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn interleaved(to: &mut [u32; WORDS], terms: [&[f32; EDGE]; DEPTH], turn: bool) {
    const ORDER: [u16; 32] = {
        let mut order = [0; 32];
        let mut i = 0;
        while i < 16 {
            order[2 * i] = i as u16;
            order[2 * i + 1] = i as u16 + 16;
            i += 1;
        }
        order
    };
    // SAFETY: the array has 64 bytes.
    let order = unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) };
    let mut words = [_mm512_setzero_si512(); EDGE];
    for p in 0..EDGE {
        let both = pair(terms[2 * p], terms[2 * p + 1]);
        words[p] = _mm512_permutexvar_epi16(order, both);
    }
    store(to, if turn { transpose(words) } else { words });
}

/// 32 numbers rounded to bf16, ties to even, one after the other.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pair(low: &[f32], high: &[f32]) -> __m512i {
    assert!(low.len() == EDGE && high.len() == EDGE);
    // SAFETY: both slices have 16 numbers; the conversion is one of bits.
    unsafe {
        let (low, high) = (
            _mm512_loadu_ps(low.as_ptr()),
            _mm512_loadu_ps(high.as_ptr()),
        );
        std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn store(to: &mut [u32; WORDS], words: [__m512i; EDGE]) {
    for (to, word) in to.as_chunks_mut::<EDGE>().0.iter_mut().zip(words) {
        // SAFETY: each chunk has 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), word) };
    }
}

/// 16 rows of 16 words turned into columns: by words, pairs, and quarters of a register.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn transpose(x: [__m512i; EDGE]) -> [__m512i; EDGE] {
    let mut y = x;
    for i in 0..8 {
        y[2 * i] = _mm512_unpacklo_epi32(x[2 * i], x[2 * i + 1]);
        y[2 * i + 1] = _mm512_unpackhi_epi32(x[2 * i], x[2 * i + 1]);
    }
    let mut z = y;
    for i in 0..4 {
        z[4 * i] = _mm512_unpacklo_epi64(y[4 * i], y[4 * i + 2]);
        z[4 * i + 1] = _mm512_unpackhi_epi64(y[4 * i], y[4 * i + 2]);
        z[4 * i + 2] = _mm512_unpacklo_epi64(y[4 * i + 1], y[4 * i + 3]);
        z[4 * i + 3] = _mm512_unpackhi_epi64(y[4 * i + 1], y[4 * i + 3]);
    }
    // z[4 i + c] now holds columns c, c + 4, c + 8, c + 12 of rows 4 i .. 4 i + 4.
    for c in 0..4 {
        let low = [
            _mm512_shuffle_i32x4::<0x88>(z[c], z[4 + c]),
            _mm512_shuffle_i32x4::<0xdd>(z[c], z[4 + c]),
        ];
        let high = [
            _mm512_shuffle_i32x4::<0x88>(z[8 + c], z[12 + c]),
            _mm512_shuffle_i32x4::<0xdd>(z[8 + c], z[12 + c]),
        ];
        y[c] = _mm512_shuffle_i32x4::<0x88>(low[0], high[0]);
        y[c + 8] = _mm512_shuffle_i32x4::<0xdd>(low[0], high[0]);
        y[c + 4] = _mm512_shuffle_i32x4::<0x88>(low[1], high[1]);
        y[c + 12] = _mm512_shuffle_i32x4::<0xdd>(low[1], high[1]);
    }
    y
}

/// Two numbers rounded to bf16, ties to even, the first one low.
fn join(low: f32, high: f32) -> u32 {
    let round = |x: f32| {
        let bits = x.to_bits();
        bits.wrapping_add(0x7fff + (bits >> 16 & 1))
    };
    round(low) >> 16 | round(high) & 0xffff_0000
}
