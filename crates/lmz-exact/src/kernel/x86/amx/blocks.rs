//! Weights in blocks (docs/numerics.md, 3.18).
//!
//! A block has 16 or 32 columns and factors of its own: tiles give its sums, and vector registers multiply these by the factors, which
//! takes longer.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::x86_64::*;
use std::ops::Range;

use lmz_tiles::{Line, load};

use super::tiles::{Planes, keep, multiply, shaped};
use crate::kernel::blocks::{BlockInput, BlockPanels, FACTOR_BYTES};
use crate::kernel::pack::{Linear, Output};
use crate::kernel::panel::PANEL;
use crate::kernel::x86::avx512::{
    add_blocks_avx512, add_offsets_avx512, ahead_avx512, factors_avx512, scale_wide,
};

/// Blocks whose sums are kept before they are added up.
const AT_ONCE: usize = 4;
/// Lines of a block's weights, at most.
const LINES: usize = 8;

/// # Safety
/// AVX-512 and AMX (see `Kernel`); `planes` are of the input, in steps of a block, and `y` has as many rows, of
/// `layer.out_padded()`, and room for these panels of them.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub unsafe fn block_linear_amx(
    layer: &Linear,
    blocks: &BlockPanels,
    panels: Range<usize>,
    input: BlockInput<'_>,
    planes: &Planes,
    y: Output,
) {
    let (width, bytes) = (layer.out_padded(), blocks.block_bytes());
    let shift = layer.sum_shift() + blocks.shift() + blocks.extra_bits();
    let registers = shaped(planes.rows, planes.step);
    let count = blocks.blocks();
    let mut weights = vec![Line::ZERO; count * LINES];
    let mut factors = vec![[_mm512_setzero_si512(); 2]; count];
    // What tiles have stored cannot be loaded at once: one half is filled while the other is added up.
    let mut sums = [[Line::ZERO; AT_ONCE * 2 * PANEL]; 2];
    let mut totals = vec![[_mm512_setzero_si512(); 2]; planes.n];
    for p in panels {
        totals.fill([_mm512_setzero_si512(); 2]);
        let all = blocks.panel(p).chunks_exact(bytes);
        for (block, (weights, factors)) in
            all.zip(weights.chunks_exact_mut(LINES).zip(&mut factors))
        {
            unpack(blocks, block.as_ptr().add(FACTOR_BYTES), weights);
            *factors = factors_avx512(block.as_ptr().cast());
        }
        let mut last: Option<(usize, Range<usize>)> = None;
        let mut half = 0;
        for first in (0..count).step_by(AT_ONCE) {
            let of = first..(first + AT_ONCE).min(count);
            // The next panel comes while this one is computed.
            let ahead = blocks
                .panel(p)
                .as_ptr()
                .wrapping_add((count + first) * bytes);
            ahead_avx512(ahead, of.len() * bytes);
            for tile in 0..planes.tiles {
                products(
                    &weights[first * LINES..],
                    planes,
                    tile,
                    of.clone(),
                    &mut sums[half],
                );
                if let Some((tile, of)) = last.replace((tile, of.clone())) {
                    add_up(
                        &sums[1 - half],
                        &factors[of],
                        &mut totals[planes.rows_of(tile)],
                    );
                }
                half = 1 - half;
            }
        }
        if let Some((tile, of)) = last {
            add_up(
                &sums[1 - half],
                &factors[of],
                &mut totals[planes.rows_of(tile)],
            );
        }
        if let Some(offsets) = blocks.offsets(p) {
            let (offsets, of_rows) = (offsets.as_ptr(), input.sums.as_ptr());
            let (fours, rest) = totals.as_chunks_mut::<4>();
            let mut row = 0;
            for totals in fours {
                add_offsets_avx512::<4>(blocks, offsets, of_rows, row, totals);
                row += 4;
            }
            for total in rest {
                add_offsets_avx512::<1>(blocks, offsets, of_rows, row, std::array::from_mut(total));
                row += 1;
            }
        }
        let scales = _mm512_loadu_si512(layer.scales(p).as_ptr().cast());
        for (row, total) in totals.iter().enumerate() {
            let y = y.first.add(row * width + p * PANEL);
            _mm512_storeu_si512(y.cast(), scale_wide(*total, scales, shift));
        }
    }
    drop(registers);
}

/// Adds the sums of some blocks, times their factors, to those of the rows.
#[inline(always)]
unsafe fn add_up(sums: &[Line], factors: &[[__m512i; 2]], totals: &mut [[__m512i; 2]]) {
    for (row, total) in totals.iter_mut().enumerate() {
        let mut all = *total;
        for (b, factors) in factors.iter().enumerate() {
            let sums = sums.as_ptr().add(b * 2 * PANEL + row);
            let high = _mm512_load_si512(sums.cast());
            let low = _mm512_load_si512(sums.add(PANEL).cast());
            let sums = _mm512_add_epi32(_mm512_slli_epi32(high, 8), low);
            add_blocks_avx512(&mut all, sums, *factors);
        }
        *total = all;
    }
}

/// The integers of a block as tiles take them: for each four columns 16 rows × 4; those of 4 bits times 16.
#[inline(always)]
unsafe fn unpack(blocks: &BlockPanels, mut from: *const u8, weights: &mut [Line]) {
    let words = |from: *const u8| _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
    for line in &mut weights[..blocks.pairs / 2] {
        let four = if blocks.half_bytes {
            // Columns 0 and 1 in the low halves of two bytes, 2 and 3 in the high ones.
            let bytes = words(from);
            let low = _mm512_and_si512(_mm512_slli_epi32(bytes, 4), _mm512_set1_epi32(0xf0f0));
            let high = _mm512_slli_epi32(_mm512_and_si512(bytes, _mm512_set1_epi32(0xf0f0)), 16);
            from = from.add(2 * PANEL);
            _mm512_or_si512(low, high)
        } else {
            let second = words(from.add(2 * PANEL));
            let first = words(from);
            from = from.add(4 * PANEL);
            _mm512_or_si512(first, _mm512_slli_epi32(second, 16))
        };
        _mm512_store_si512(line.0.as_mut_ptr().cast(), four);
    }
}

/// The sums of a tile of rows with some blocks, each the high ones and the low ones. Two blocks have registers of their own, as a tile's
/// sums take a while until they can be stored.
#[inline(always)]
unsafe fn products(
    weights: &[Line],
    planes: &Planes,
    tile: usize,
    of: Range<usize>,
    sums: &mut [Line],
) {
    let step = planes.step;
    let (mut w, mut to) = (weights.as_ptr(), sums.as_mut_ptr());
    let mut b = of.start;
    while b < of.end {
        let two = b + 1 < of.end;
        load::<6>(w.cast(), 64);
        multiply::<0, 1, 6>(planes.tile(tile, b), step);
        if two {
            load::<7>(w.add(LINES).cast(), 64);
            multiply::<2, 3, 7>(planes.tile(tile, b + 1), step);
        }
        keep::<0, 1>(to);
        if two {
            keep::<2, 3>(to.add(2 * PANEL));
        }
        b += 2;
        (w, to) = (w.wrapping_add(2 * LINES), to.wrapping_add(4 * PANEL));
    }
}
