//! Weights in blocks for many rows of activations (docs/numerics.md, 3.18).
//!
//! A weight times its block's factor, plus the offset, is a whole number of at most 22 bits: here in three planes of bytes, whose products with
//! the two of activations tiles add up over all blocks. That takes three times as many products as the integers of the blocks, and
//! nothing between two blocks.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::asm;
use std::arch::x86_64::*;
use std::ops::Range;

use lmz_tiles::{Line, load, zero};

use super::tiles::{COLUMNS, Planes, keep, shaped};
use crate::kernel::blocks::{BlockPanels, FACTOR_BYTES};
use crate::kernel::pack::{Linear, Output};
use crate::kernel::panel::PANEL;
use crate::kernel::x86::avx512::scale_wide;

/// Planes of a weight: w = 2^16 · p0 + 2^8 · p1 + p2, of which the first is signed.
const PLANES: usize = 3;
/// Lines of a step's weights in one plane.
const LINES: usize = COLUMNS / 4;
/// Steps whose products fit a tile's sums: (255 + 128) · 255 · 64 · 256 < 2^31.
const STEPS: usize = 256;

/// # Safety
/// AVX-512 and AMX (see `Kernel`); `planes` are of the layer's columns in steps of [`COLUMNS`], and `y` has as many rows, of
/// `layer.out_padded()`, and room for these panels of them.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub unsafe fn whole_linear_amx(
    layer: &Linear,
    blocks: &BlockPanels,
    panels: Range<usize>,
    planes: &Planes,
    y: Output,
) {
    let (width, shift) = (layer.out_padded(), layer.sum_shift() + blocks.shift());
    let registers = shaped(planes.rows, COLUMNS);
    // For each step its planes. Columns that the last step has beyond the layer's stay zero. Of the next panel they are made
    // while this one is multiplied, in another unit.
    let mut weights = [(); 2].map(|()| vec![Line::ZERO; planes.steps * PLANES * LINES]);
    let mut sums = [Line::ZERO; 4 * PANEL];
    // Each step is gone through twice.
    let products = planes.tiles * planes.steps * 2;
    if let Some(p) = panels.clone().next() {
        Unpacking::new(blocks, p).some(usize::MAX, &mut weights[0]);
    }
    for p in panels.clone() {
        let [weights, next] = &mut weights;
        let mut unpacking = (p + 1 < panels.end).then(|| Unpacking::new(blocks, p + 1));
        let scales = _mm512_loadu_si512(layer.scales(p).as_ptr().cast());
        for tile in 0..planes.tiles {
            let mut wide = [[_mm512_setzero_si512(); 2]; PANEL];
            for from in (0..planes.steps).step_by(STEPS) {
                let steps = from..(from + STEPS).min(planes.steps);
                let of = |s: usize| {
                    let w = weights.as_ptr().wrapping_add(s * PLANES * LINES);
                    (w, planes.tile(tile, s))
                };
                for s in steps.clone() {
                    let (w, x) = of(s);
                    higher(w, x);
                    if let Some(unpacking) = &mut unpacking {
                        unpacking.some(groups(blocks).div_ceil(products), next);
                    }
                }
                keep::<0, 1>(sums.as_mut_ptr());
                for s in steps {
                    let (w, x) = of(s);
                    lower(w, x);
                    if let Some(unpacking) = &mut unpacking {
                        unpacking.some(groups(blocks).div_ceil(products), next);
                    }
                }
                keep::<0, 1>(sums.as_mut_ptr().add(2 * PANEL));
                for (row, wide) in wide.iter_mut().enumerate().take(planes.rows) {
                    add(wide, sums.as_ptr().add(row));
                }
            }
            for (row, wide) in planes.rows_of(tile).zip(wide) {
                let y = y.first.add(row * width + p * PANEL);
                _mm512_storeu_si512(y.cast(), scale_wide(wide, scales, shift));
            }
        }
        std::mem::swap(weights, next);
    }
    drop(registers);
}

/// Adds the products of a step's weights with a tile of activations to sums by what they count, of those that count most: 2^24 in
/// register 0, 2^16 in 1.
#[inline(always)]
unsafe fn higher(w: *const Line, [high, low]: [*const u8; 2]) {
    // High bytes of activations are signed, as are those of weights; the others are not.
    load::<4>(high, COLUMNS);
    load::<6>(w.add(LINES).cast(), 64);
    asm!(
        "tdpbsud tmm1, tmm4, tmm6",
        options(nostack, preserves_flags)
    );
    zero::<6>();
    load::<6>(w.cast(), 64);
    asm!(
        "tdpbssd tmm0, tmm4, tmm6",
        options(nostack, preserves_flags)
    );
    zero::<4>();
    load::<4>(low, COLUMNS);
    asm!(
        "tdpbusd tmm1, tmm4, tmm6",
        options(nostack, preserves_flags)
    );
    zero::<4>();
    zero::<6>();
}

/// The same of the others: 2^8 in register 0, 1 in 1.
#[inline(always)]
unsafe fn lower(w: *const Line, [high, low]: [*const u8; 2]) {
    load::<4>(low, COLUMNS);
    load::<6>(w.add(LINES).cast(), 64);
    asm!(
        "tdpbuud tmm0, tmm4, tmm6",
        options(nostack, preserves_flags)
    );
    zero::<6>();
    load::<6>(w.add(2 * LINES).cast(), 64);
    asm!(
        "tdpbuud tmm1, tmm4, tmm6",
        options(nostack, preserves_flags)
    );
    zero::<4>();
    load::<4>(high, COLUMNS);
    asm!(
        "tdpbsud tmm0, tmm4, tmm6",
        options(nostack, preserves_flags)
    );
    zero::<4>();
    zero::<6>();
}

/// Adds a row's sums to 64 bits: those of even rows of weights, then of odd ones.
#[inline(always)]
unsafe fn add(wide: &mut [__m512i; 2], sums: *const Line) {
    for (class, shift) in [24, 16, 8, 0].into_iter().enumerate() {
        let even = _mm512_load_si512(sums.add(class * PANEL).cast());
        let odd = _mm512_srli_epi64(even, 32);
        let worth = _mm512_set1_epi64(1 << shift);
        wide[0] = _mm512_add_epi64(wide[0], _mm512_mul_epi32(even, worth));
        wide[1] = _mm512_add_epi64(wide[1], _mm512_mul_epi32(odd, worth));
    }
}

/// Groups of four columns of a row.
fn groups(blocks: &BlockPanels) -> usize {
    blocks.blocks() * blocks.pairs / 2
}

/// A panel's weights on their way to planes: for each four columns 16 rows × 4.
struct Unpacking<'a> {
    blocks: &'a BlockPanels,
    panel: &'a [u8],
    offsets: Option<&'a [i16]>,
    /// The next four columns.
    group: usize,
    /// Of their block.
    factors: __m512i,
}

impl<'a> Unpacking<'a> {
    #[inline(always)]
    unsafe fn new(blocks: &'a BlockPanels, p: usize) -> Self {
        Self {
            blocks,
            panel: blocks.panel(p),
            offsets: blocks.offsets(p),
            group: 0,
            factors: _mm512_setzero_si512(),
        }
    }

    /// So many groups of four columns more, as far as there are any.
    #[inline(always)]
    unsafe fn some(&mut self, count: usize, weights: &mut [Line]) {
        let of_block = self.blocks.pairs / 2;
        let end = self.group.saturating_add(count).min(groups(self.blocks));
        while self.group < end {
            let (b, within) = (self.group / of_block, self.group % of_block);
            let block = self.panel.as_ptr().add(b * self.blocks.block_bytes());
            if within == 0 {
                let offsets = self.offsets.map(<[i16]>::as_ptr);
                self.factors = pairs_of(block.cast(), offsets, b);
            }
            let from = block.add(FACTOR_BYTES);
            let four = match self.blocks.half_bytes {
                true => half_bytes(from.add(within * 2 * PANEL), self.factors),
                false => whole_bytes(from.add(within * 4 * PANEL), self.factors),
            };
            let (step, line) = (self.group / LINES, self.group % LINES);
            let to = weights.as_mut_ptr().add(step * PLANES * LINES + line);
            split(four, to);
            self.group += 1;
        }
    }
}

/// Of 16 rows, the factor of block `b`, and in the high half the offset times -1.
#[inline(always)]
unsafe fn pairs_of(factors: *const i16, offsets: Option<*const i16>, b: usize) -> __m512i {
    let factors = _mm512_cvtepu16_epi32(_mm256_loadu_si256(factors.cast()));
    let Some(offsets) = offsets else {
        return factors;
    };
    let two = _mm512_loadu_si512(offsets.add(b / 2 * PANEL * 2).cast());
    let offsets = match b % 2 {
        0 => _mm512_slli_epi32(two, 16),
        _ => _mm512_and_si512(two, _mm512_set1_epi32(!0xffff)),
    };
    _mm512_or_si512(factors, _mm512_sub_epi32(_mm512_setzero_si512(), offsets))
}

/// Four columns of 16 rows, from halves of bytes. Beside each integer stands -8, which its block's offset is multiplied by.
#[inline(always)]
unsafe fn half_bytes(from: *const u8, factors: __m512i) -> [__m512i; 4] {
    // By bits: columns 0, 2, 1, 3.
    let words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
    let words = _mm512_or_si512(words, _mm512_set1_epi32(0x8888_0000_u32.cast_signed()));
    let integers = [
        _mm512_srai_epi16(_mm512_slli_epi16(words, 12), 12),
        _mm512_srai_epi16(_mm512_slli_epi16(words, 4), 12),
        _mm512_srai_epi16(_mm512_slli_epi16(words, 8), 12),
        _mm512_srai_epi16(words, 12),
    ];
    integers.map(|integers| _mm512_madd_epi16(integers, factors))
}

/// As [`half_bytes`], from whole ones.
#[inline(always)]
unsafe fn whole_bytes(from: *const u8, factors: __m512i) -> [__m512i; 4] {
    let words = |from: *const u8| {
        let words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
        _mm512_or_si512(words, _mm512_set1_epi32(0xf8f8_0000_u32.cast_signed()))
    };
    let (first, second) = (words(from), words(from.add(2 * PANEL)));
    let integers = [
        _mm512_srai_epi16(_mm512_slli_epi16(first, 8), 8),
        _mm512_srai_epi16(first, 8),
        _mm512_srai_epi16(_mm512_slli_epi16(second, 8), 8),
        _mm512_srai_epi16(second, 8),
    ];
    integers.map(|integers| _mm512_madd_epi16(integers, factors))
}

/// Four columns to a line of each plane.
#[inline(always)]
unsafe fn split(four: [__m512i; 4], to: *mut Line) {
    const HIGH: __mmask32 = 0xaaaa_aaaa;
    let apart = _mm512_set4_epi32(0x0f0d_0e0c, 0x0b09_0a08, 0x0705_0604, 0x0301_0200);
    // Of two columns, in the order of bytes: the low ones of both, then the next.
    let low = |a, b| {
        let both = _mm512_mask_blend_epi16(HIGH, a, _mm512_slli_epi32(b, 16));
        _mm512_shuffle_epi8(both, apart)
    };
    let high = |a, b| {
        let both = _mm512_mask_blend_epi16(HIGH, _mm512_srli_epi32(a, 16), b);
        _mm512_shuffle_epi8(both, apart)
    };
    let [a, b, c, d] = four;
    let (first, second) = (low(a, b), low(c, d));
    let lines = [
        _mm512_mask_blend_epi16(HIGH, high(a, b), _mm512_slli_epi32(high(c, d), 16)),
        _mm512_mask_blend_epi16(HIGH, _mm512_srli_epi32(first, 16), second),
        _mm512_mask_blend_epi16(HIGH, first, _mm512_slli_epi32(second, 16)),
    ];
    for (plane, line) in lines.into_iter().enumerate() {
        _mm512_store_si512(to.add(plane * LINES).cast(), line);
    }
}
