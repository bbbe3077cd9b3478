//! Products of tiles, and activations in the order in which they are loaded.
//!
//! A register is cleared as soon as what it holds was used. The processor has more registers than have names, so that the next tile is
//! loaded while products still read the last one; where another thread shares the core these are few, and one that is zero takes none of them
//! (docs/performance.md).
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::asm;
use std::arch::x86_64::*;
use std::cell::Cell;

use lmz_tiles::{Line, Tiles, load, store, zero};

use crate::kernel::panel::PANEL;

/// Columns of a tile of int8 rows.
pub const COLUMNS: usize = 64;
/// Rows of a full tile.
const FULL: usize = 16;

/// Shapes the registers: 0 to 3 for sums, 4 and 5 for activations, 6 and 7 for weights, of tiles of so many rows of activations and so
/// many columns. All are zero.
///
/// # Safety
/// AMX (see `Kernel`); at most 16 rows and 64 columns, a multiple of 4; no tiles are in use.
pub unsafe fn shaped(rows: usize, columns: usize) -> Tiles {
    let (sums, activations, weights) = ((rows, 64), (rows, columns), (columns / 4, 64));
    Tiles::new([
        sums,
        sums,
        sums,
        sums,
        activations,
        activations,
        weights,
        weights,
    ])
}

/// Adds activations in tile `X`, the high bytes, by weights in `W` to the sums in `S`.
///
/// # Safety
/// The registers are [`shaped`].
#[inline(always)]
unsafe fn add_high<const S: u8, const X: u8, const W: u8>() {
    asm!("tdpbssd tmm{s}, tmm{x}, tmm{w}", s = const S, x = const X, w = const W, options(nostack, preserves_flags));
}

/// As [`add_high`], of the low bytes.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn add_low<const S: u8, const X: u8, const W: u8>() {
    asm!("tdpbusd tmm{s}, tmm{x}, tmm{w}", s = const S, x = const X, w = const W, options(nostack, preserves_flags));
}

/// Adds a tile of activations, at `planes` their high and their low bytes, by the weights in `W` to the sums in `HIGH` and `LOW`. The
/// weights are no longer there then.
///
/// # Safety
/// The registers are [`shaped`], for rows of `columns`, and the bytes are there.
#[inline(always)]
pub unsafe fn multiply<const HIGH: u8, const LOW: u8, const W: u8>(
    planes: [*const u8; 2],
    columns: usize,
) {
    load::<4>(planes[0], columns);
    add_high::<HIGH, 4, W>();
    load::<5>(planes[1], columns);
    add_low::<LOW, 5, W>();
    zero::<4>();
    zero::<5>();
    zero::<W>();
}

/// The sums in `A` and `B` to a line for each row, those of `A` before the others; they begin anew.
///
/// # Safety
/// The registers are [`shaped`], and the lines are there.
#[inline(always)]
pub unsafe fn keep<const A: u8, const B: u8>(sums: *mut Line) {
    store::<A>(sums);
    zero::<A>();
    store::<B>(sums.add(PANEL));
    zero::<B>();
}

/// Rows of activations in planes of bytes: for each tile of rows, for each step of columns, the rows' high bytes, then
/// their low ones.
pub struct Planes {
    lines: Vec<Line>,
    /// The first of them, for threads that fill tiles of rows.
    first: *mut u8,
    /// Rows of activations.
    pub n: usize,
    /// Tiles of rows, of about as many each.
    pub tiles: usize,
    /// Rows of a tile; the last may have fewer, and zeros.
    pub rows: usize,
    /// Steps of a row.
    pub steps: usize,
    /// Columns of a step: 16, 32 or 64.
    pub step: usize,
}

// SAFETY: what `first` points to is written only by `fill`, whose callers share the tiles.
unsafe impl Sync for Planes {}

thread_local! {
    /// The lines of the last planes: new ones would be zeroed each time, and their pages asked for.
    static LINES: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

impl Drop for Planes {
    fn drop(&mut self) {
        LINES.set(std::mem::take(&mut self.lines));
    }
}

impl Planes {
    /// Room for `n` rows of `k` values. Anything may stand behind the values in the last step, where weights have zeros.
    pub fn new(n: usize, k: usize, step: usize) -> Self {
        let tiles = n.div_ceil(FULL).max(1);
        let rows = n.div_ceil(tiles).max(1);
        let steps = k.div_ceil(step);
        let mut lines = LINES.take();
        let bytes = tiles * steps * 2 * rows * step;
        lines.resize(lines.len().max(bytes.div_ceil(64)), Line::ZERO);
        Self {
            first: lines.as_mut_ptr().cast(),
            lines,
            n,
            tiles,
            rows,
            steps,
            step,
        }
    }

    /// Fills tile number `tile` with the first `k` values of its rows of `x`, which lie `stride` apart.
    ///
    /// # Safety
    /// AVX-512; `k` is what there is room for; nobody else fills this tile or reads it.
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
    pub unsafe fn fill(&self, tile: usize, x: &[i16], stride: usize, k: usize) {
        let (rows, step) = (self.rows, self.step);
        let all = self.first.add(tile * self.steps * 2 * rows * step);
        for (i, row) in self.rows_of(tile).enumerate() {
            let (x, to) = (&x[row * stride..][..k], all.add(i * step));
            match step {
                16 => split::<16>(x, to, rows),
                32 => split::<32>(x, to, rows),
                _ => split::<64>(x, to, rows),
            }
        }
    }

    /// The high bytes of a tile's step, and the low ones.
    #[inline(always)]
    pub fn tile(&self, tile: usize, step: usize) -> [*const u8; 2] {
        let bytes = self.rows * self.step;
        let at = (tile * self.steps + step) * 2 * bytes;
        let high = self.first.cast_const().wrapping_add(at);
        [high, high.wrapping_add(bytes)]
    }

    /// The rows that tile number `tile` has.
    #[inline(always)]
    pub fn rows_of(&self, tile: usize) -> std::ops::Range<usize> {
        let first = tile * self.rows;
        first..(first + self.rows).min(self.n)
    }
}

/// One row's bytes to the steps at `to`, which hold `rows` rows.
#[inline(always)]
unsafe fn split<const STEP: usize>(x: &[i16], mut to: *mut u8, rows: usize) {
    let (steps, rest) = x.as_chunks::<STEP>();
    for x in steps {
        for at in (0..STEP).step_by(16) {
            let x = _mm256_loadu_si256(x.as_ptr().add(at).cast());
            let high = _mm256_cvtepi16_epi8(_mm256_srli_epi16(x, 8));
            _mm_storeu_si128(to.add(at).cast(), high);
            _mm_storeu_si128(to.add(rows * STEP + at).cast(), _mm256_cvtepi16_epi8(x));
        }
        to = to.add(2 * rows * STEP);
    }
    for (j, x) in rest.iter().enumerate() {
        *to.add(j) = (x >> 8) as u8;
        *to.add(rows * STEP + j) = *x as u8;
    }
}
