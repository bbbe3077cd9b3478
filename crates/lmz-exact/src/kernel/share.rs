//! Linear layers, whose panels threads share.

use std::ops::Range;

use super::blocks::{BlockInput, BlockPanels};
use super::dispatch::{add_fine, block_sums};
use super::isa::{Isa, Kernel};
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::pack::{Linear, Output};
use super::panel::PANEL;
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::x86::{self, amx};
use crate::team::Team;

/// Multiply-adds that are worth more than one thread: some microseconds.
const WORTH: usize = 1 << 17;

/// Rows from which on weights in blocks are made whole numbers first, where the kernel does so: as much work whatever the rows.
const WHOLE: usize = 32;

/// Parts of a layer for each thread.
const PARTS: usize = 4;

impl Kernel {
    /// A linear layer alone (docs/numerics.md, 3.1), for measurements: `y` (n × out_padded) = `layer` ·
    /// `x` (n × stride). Rows of `x` hold `2 * layer.pairs()` values, the last one zero where k is odd.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn linear(self, layer: &Linear, x: &[i16], stride: usize, y: &mut [i32]) {
        linear(self, layer, x, stride, y, None);
    }
}

/// `y` [n, out_padded] = `layer` · `x` [n, stride] as docs/numerics.md, 3.1; exponents are the
/// caller's. Rows of `x` hold `2 * pairs` values, zero after `k`.
pub(crate) fn linear(
    kernel: Kernel,
    layer: &Linear,
    x: &[i16],
    stride: usize,
    y: &mut [i32],
    team: Option<&mut Team>,
) {
    let n = y.len() / layer.out_padded();
    assert!(
        stride >= 2 * layer.pairs() && x.len() >= n * stride && y.len() == n * layer.out_padded()
    );
    let output = Output {
        first: y.as_mut_ptr(),
        rows: n,
    };
    let whole = kernel.makes_weights_whole() && n >= WHOLE;
    let blocks = layer.blocks.as_ref();
    let sums = blocks.filter(|_| !whole).map(|blocks| {
        blocks.sums(x, stride, n, |x, size, high, low| {
            block_sums(kernel, x, size, high, low)
        })
    });
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    let mut team = team.filter(|_| n * layer.panels() * PANEL * layer.k >= WORTH);
    #[cfg(target_arch = "x86_64")]
    let planes = (kernel.0 == Isa::Amx && n >= amx::ROWS).then(|| {
        let step = match blocks {
            Some(blocks) if !whole => 2 * blocks.pairs,
            _ => amx::COLUMNS,
        };
        let planes = amx::Planes::new(n, layer.k, step);
        // SAFETY: AMX is there, and AVX-512 with it (see `Kernel`); each tile is filled once.
        let fill = |tile| unsafe { planes.fill(tile, x, stride, layer.k) };
        match &mut team {
            Some(team) if planes.tiles > 1 => team.run(planes.tiles, &fill),
            _ => (0..planes.tiles).for_each(fill),
        }
        planes
    });
    let work = |panels| {
        #[cfg(target_arch = "x86_64")]
        if let Some(planes) = &planes {
            // SAFETY: AMX is there; the rest as below.
            return unsafe {
                match (&layer.blocks, &sums) {
                    (Some(blocks), None) => {
                        amx::whole_linear_amx(layer, blocks, panels, planes, output)
                    }
                    (Some(blocks), Some(sums)) => {
                        let input = BlockInput { x, stride, sums };
                        amx::block_linear_amx(layer, blocks, panels, input, planes, output)
                    }
                    _ => amx::linear_amx(layer, panels, planes, output),
                }
            };
        }
        if let (Some(blocks), Some(sums)) = (&layer.blocks, &sums) {
            let input = BlockInput { x, stride, sums };
            // SAFETY: as below.
            return unsafe { block_panels(kernel, layer, blocks, panels, input, output) };
        }
        // SAFETY: the lengths were checked above, and no two threads are given a panel in common.
        unsafe { linear_panels(kernel, layer, panels, x, stride, output) }
    };
    let all = layer.panels();
    match team {
        Some(team) => {
            // Several for each thread: who is late takes fewer.
            let parts = (PARTS * team.threads()).min(all);
            team.run(parts, &|i| work(all * i / parts..all * (i + 1) / parts));
        }
        _ => work(0..all),
    }
}

/// Some panels of [`linear`].
///
/// # Safety
/// The lengths are as [`linear`] checks them, `y` has room for all panels, and nobody else uses these.
unsafe fn linear_panels(
    kernel: Kernel,
    layer: &Linear,
    panels: Range<usize>,
    x: &[i16],
    stride: usize,
    y: Output,
) {
    match kernel.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX2 is there (see `Kernel`).
        Isa::Avx2 => unsafe { x86::linear_avx2(layer, panels, x, stride, y) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX-512 is there (see `Kernel`).
        Isa::Avx512 | Isa::Amx => unsafe { x86::linear_avx512(layer, panels, x, stride, y) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: NEON is there (see `Kernel`).
        Isa::Neon => unsafe { neon::linear(layer, panels, x, stride, y) },
        _ => {
            let width = layer.out_padded();
            for p in panels {
                for (row, x) in x.chunks(stride).take(y.rows).enumerate() {
                    // SAFETY: the panel's part of this row, which is nobody else's.
                    let y = unsafe { y.part(row * width + p * PANEL) };
                    portable::linear_panel(layer, p, x, y);
                }
            }
        }
    }
}

/// As [`linear_panels`], of a layer in blocks.
///
/// # Safety
/// As there.
unsafe fn block_panels(
    kernel: Kernel,
    layer: &Linear,
    blocks: &BlockPanels,
    panels: Range<usize>,
    input: BlockInput<'_>,
    y: Output,
) {
    match kernel.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX2 is there (see `Kernel`).
        Isa::Avx2 => unsafe { x86::block_linear_avx2(layer, blocks, panels, input, y) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX-512 is there (see `Kernel`).
        Isa::Avx512 | Isa::Amx => unsafe {
            x86::block_linear_avx512(layer, blocks, panels, input, y)
        },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: NEON is there (see `Kernel`).
        Isa::Neon => unsafe { neon::block_linear(layer, blocks, panels, input, y) },
        _ => {
            let (width, sums) = (layer.out_padded(), input.sums.len() / y.rows.max(1));
            for p in panels {
                for (row, x) in input.x.chunks(input.stride).take(y.rows).enumerate() {
                    // SAFETY: the panel's part of this row, which is nobody else's.
                    let y = unsafe { y.part(row * width + p * PANEL) };
                    portable::block_panel(
                        layer,
                        blocks,
                        p,
                        x,
                        &input.sums[row * sums..][..sums],
                        y,
                    );
                }
            }
        }
    }
}

/// As [`linear`], with the low planes of fine rows beside it (docs/numerics.md, 3.17), in the buffer `low`: [`add_low`]
/// adds them.
pub(crate) fn linear_and_low(
    kernel: Kernel,
    layer: &Linear,
    x: &[i16],
    stride: usize,
    y: &mut [i32],
    low: &mut [i32],
    mut team: Option<&mut Team>,
) {
    linear(kernel, layer, x, stride, y, team.as_deref_mut());
    if let Some(fine) = &layer.fine {
        linear(kernel, &fine.low, x, stride, low, team);
    }
}

/// Adds what the low planes of fine rows give to rows of `y`.
pub(crate) fn add_low(kernel: Kernel, layer: &Linear, y: &mut [i32], low: &[i32]) {
    let Some(fine) = &layer.fine else {
        return;
    };
    let rows = y.chunks_exact_mut(layer.out_padded());
    for (y, low) in rows.zip(low.chunks_exact(fine.low.out_padded())) {
        add_fine(kernel, y, low, &fine.rows);
    }
}

/// Both of these on one thread; `low` is a buffer.
#[cfg(any(test, feature = "differential"))]
pub(crate) fn linear_with_fine(
    kernel: Kernel,
    layer: &Linear,
    x: &[i16],
    stride: usize,
    y: &mut [i32],
    low: &mut Vec<i32>,
) {
    let rows = y.len() / layer.out_padded();
    low.resize(rows * layer.low_padded(), 0);
    linear_and_low(kernel, layer, x, stride, y, low, None);
    add_low(kernel, layer, y, low);
}
