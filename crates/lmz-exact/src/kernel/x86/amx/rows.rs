//! Rows of int8.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::x86_64::*;
use std::ops::Range;

use lmz_tiles::{Line, load};

use super::tiles::{COLUMNS, Planes, keep, multiply, shaped};
use crate::kernel::pack::{Linear, Output};
use crate::kernel::panel::PANEL;
use crate::kernel::x86::avx512::scale_wide;

/// Steps whose products fit a tile's sums: 255 · 127 · 64 · 512 < 2^31.
const STEPS: usize = 512;

/// # Safety
/// AVX-512 and AMX (see `Kernel`); `planes` are of the layer's columns in steps of [`COLUMNS`], and `y` has as many rows, of
/// `layer.out_padded()`, and room for these panels of them.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub unsafe fn linear_amx(layer: &Linear, panels: Range<usize>, planes: &Planes, y: Output) {
    let (width, shift) = (layer.out_padded(), layer.sum_shift());
    let registers = shaped(planes.rows, COLUMNS);
    let mut weights = vec![Line::ZERO; planes.steps * COLUMNS / 4];
    let mut sums = [Line::ZERO; 2 * PANEL];
    for p in panels {
        interleave(layer.panel(p), &mut weights);
        let scales = _mm512_loadu_si512(layer.scales(p).as_ptr().cast());
        for tile in 0..planes.tiles {
            let mut wide = [[_mm512_setzero_si512(); 2]; PANEL];
            for from in (0..planes.steps).step_by(STEPS) {
                for s in from..(from + STEPS).min(planes.steps) {
                    load::<6>(weights.as_ptr().add(s * COLUMNS / 4).cast(), 64);
                    multiply::<0, 1, 6>(planes.tile(tile, s), COLUMNS);
                }
                keep::<0, 1>(sums.as_mut_ptr());
                for (row, wide) in wide.iter_mut().enumerate().take(planes.rows) {
                    let at = sums.as_ptr().add(row);
                    add(wide, at, at.add(PANEL));
                }
            }
            for (row, wide) in planes.rows_of(tile).zip(wide) {
                let y = y.first.add(row * width + p * PANEL);
                _mm512_storeu_si512(y.cast(), scale_wide(wide, scales, shift));
            }
        }
    }
    drop(registers);
}

/// The weights of a panel in the order of tiles: for each four columns 16 rows × 4.
#[inline(always)]
unsafe fn interleave(panel: &[i8], weights: &mut [Line]) {
    let pairs = panel.chunks_exact(2 * PANEL);
    let mut line = weights.iter_mut();
    let mut pairs =
        pairs.map(|pair| _mm512_cvtepu16_epi32(_mm256_loadu_si256(pair.as_ptr().cast())));
    while let (Some(first), Some(line)) = (pairs.next(), line.next()) {
        let second = pairs.next().unwrap_or(_mm512_setzero_si512());
        let four = _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
        _mm512_store_si512(line.0.as_mut_ptr().cast(), four);
    }
}

/// Adds 256 times the high sums and the low ones to 64 bits: those of even rows of weights, then of odd ones.
#[inline(always)]
unsafe fn add(wide: &mut [__m512i; 2], high: *const Line, low: *const Line) {
    let [high, low] = [high, low].map(|line| _mm512_load_si512(line.cast()));
    for (sums, worth) in [(high, 256), (low, 1)] {
        let (odd, worth) = (_mm512_srli_epi64(sums, 32), _mm512_set1_epi64(worth));
        wide[0] = _mm512_add_epi64(wide[0], _mm512_mul_epi32(sums, worth));
        wide[1] = _mm512_add_epi64(wide[1], _mm512_mul_epi32(odd, worth));
    }
}
