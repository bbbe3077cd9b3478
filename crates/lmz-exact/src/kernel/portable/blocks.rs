//! Products of weights in blocks.

use super::super::blocks::{BlockPanels, FACTOR_BYTES, HALF_BYTE_BITS, OFFSET_BITS, SUM_BITS};
use super::super::pack::Linear;
use super::super::panel::PANEL;
use super::scale::scale_sums;

/// The sums of blocks of `size` values, as high and low parts.
#[inline(always)]
pub fn block_sums(x: &[i16], size: usize, high: &mut [i16], low: &mut [i16]) {
    let blocks = x.chunks_exact(size).zip(high.iter_mut().zip(low));
    for (x, (high, low)) in blocks {
        let sum: i32 = x.iter().map(|&x| i32::from(x)).sum();
        (*high, *low) = (
            (sum >> SUM_BITS) as i16,
            (sum & ((1 << SUM_BITS) - 1)) as i16,
        );
    }
}

/// Panel `p` of docs/numerics.md, 3.18, for one row: `sums` are those of its blocks' activations.
pub fn block_panel(
    layer: &Linear,
    blocks: &BlockPanels,
    p: usize,
    x: &[i16],
    sums: &[i16],
    y: &mut [i32],
) {
    let mut all = [0i64; PANEL];
    let columns = 2 * blocks.pairs;
    let panel = blocks.panel(p).chunks_exact(blocks.block_bytes());
    for (block, x) in panel.zip(x.chunks_exact(columns)) {
        let (factors, weights) = block.split_at(FACTOR_BYTES);
        let mut of_block = [0i32; PANEL];
        for (j, &x) in x.iter().enumerate() {
            let (pair, column) = (j / 2, j % 2);
            for (r, of_row) in of_block.iter_mut().enumerate() {
                let integer = integer(weights, blocks.half_bytes, pair, 2 * r + column);
                *of_row += integer * i32::from(x);
            }
        }
        for r in 0..PANEL {
            let factor = i16::from_le_bytes([factors[2 * r], factors[2 * r + 1]]);
            all[r] += i64::from(factor) * i64::from(of_block[r]);
        }
    }
    if let Some(offsets) = blocks.offsets(p) {
        let (high, low) = sums.split_at(sums.len() / 2);
        for (b, (&high, &low)) in high.iter().zip(low).enumerate() {
            let sum = (i64::from(high) << SUM_BITS) + i64::from(low);
            for r in 0..PANEL {
                let offset = offsets[b / 2 * PANEL * 2 + 2 * r + b % 2];
                all[r] += (i64::from(offset) * sum) << (OFFSET_BITS + blocks.extra_bits());
            }
        }
    }
    let shift = layer.sum_shift() + blocks.shift() + blocks.extra_bits();
    scale_sums(&all, layer.scales(p), shift, y);
}

/// Place `at` of a column pair: an integer of 8 bits, or 16 times one of 4.
#[inline(always)]
fn integer(weights: &[u8], half_bytes: bool, pair: usize, at: usize) -> i32 {
    if !half_bytes {
        return weights[pair * PANEL * 2 + at].cast_signed().into();
    }
    let byte = weights[pair / 2 * PANEL * 2 + at];
    let half = if pair.is_multiple_of(2) {
        byte << HALF_BYTE_BITS
    } else {
        byte & 0xf0
    };
    half.cast_signed().into()
}
