//! Rows of int8.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::x86_64::*;
use std::ops::Range;

use lmz_tiles::{Line, load};

use super::tiles::{COLUMNS, Planes, clear, keep, multiply, shaped};
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
    let mut sums = [Line::ZERO; 4 * PANEL];
    for p in panels {
        interleave(layer.panel(p), &mut weights);
        let scales = _mm512_loadu_si512(layer.scales(p).as_ptr().cast());
        for tile in (0..planes.tiles).step_by(2) {
            let two = tile + 1 < planes.tiles;
            let mut wide = [[_mm512_setzero_si512(); 2]; 2 * PANEL];
            for from in (0..planes.steps).step_by(STEPS) {
                let steps = from..(from + STEPS).min(planes.steps);
                match two {
                    true => two_tiles(&weights, planes, tile, steps, &mut sums),
                    false => one_tile(&weights, planes, tile, steps, &mut sums),
                }
                for row in 0..planes.rows {
                    for set in 0..2 {
                        let to = if two { set * planes.rows + row } else { row };
                        let at = sums.as_ptr().add(set * 2 * PANEL + row);
                        add(&mut wide[to], at, at.add(PANEL));
                    }
                }
            }
            let rows = planes.rows_of(tile).start..planes.rows_of(tile + usize::from(two)).end;
            for (row, wide) in rows.zip(wide) {
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

/// The sums of one tile of rows over some steps: of every other step in its own registers, as each waits for what it adds to. High
/// ones, low ones, and the same of the other steps.
#[inline(always)]
unsafe fn one_tile(
    weights: &[Line],
    planes: &Planes,
    tile: usize,
    steps: Range<usize>,
    sums: &mut [Line; 4 * PANEL],
) {
    clear();
    let mut s = steps.start;
    while s < steps.end {
        load::<6>(weights.as_ptr().add(s * COLUMNS / 4).cast(), 64);
        multiply::<0, 1, 6>(planes.tile(tile, s), COLUMNS);
        s += 1;
        if s < steps.end {
            load::<7>(weights.as_ptr().add(s * COLUMNS / 4).cast(), 64);
            multiply::<2, 3, 7>(planes.tile(tile, s), COLUMNS);
            s += 1;
        }
    }
    keep(sums);
}

/// The sums of two tiles of rows: high ones, low ones, and those of the second.
#[inline(always)]
unsafe fn two_tiles(
    weights: &[Line],
    planes: &Planes,
    tile: usize,
    steps: Range<usize>,
    sums: &mut [Line; 4 * PANEL],
) {
    clear();
    for s in steps {
        load::<6>(weights.as_ptr().add(s * COLUMNS / 4).cast(), 64);
        multiply::<0, 1, 6>(planes.tile(tile, s), COLUMNS);
        multiply::<2, 3, 6>(planes.tile(tile + 1, s), COLUMNS);
    }
    keep(sums);
}

/// Adds 256 times the high sums and the low ones to 64 bits: those of even rows of weights, then of odd ones.
#[inline(always)]
unsafe fn add(wide: &mut [__m512i; 2], high: *const Line, low: *const Line) {
    let [high, low] = [high, low].map(|line| _mm512_load_si512(line.cast()));
    let even = |sums| _mm512_srai_epi64(_mm512_slli_epi64(sums, 32), 32);
    let odd = |sums| _mm512_srai_epi64(sums, 32);
    wide[0] = _mm512_add_epi64(wide[0], _mm512_slli_epi64(even(high), 8));
    wide[0] = _mm512_add_epi64(wide[0], even(low));
    wide[1] = _mm512_add_epi64(wide[1], _mm512_slli_epi64(odd(high), 8));
    wide[1] = _mm512_add_epi64(wide[1], odd(low));
}
