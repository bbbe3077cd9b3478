//! Weights in blocks, in the order in which the kernels read them (docs/numerics.md, 3.18).
//!
//! A block's products are summed in 32 bits, as int8 rows are; the sums of 16 rows are multiplied by their blocks' factors
//! into 64 bits. Offsets are a matrix of 16 bits of their own, with a column for each block, by the sums of the blocks' activations.

use super::panel::{PANEL, Steps};
use crate::fixed::bitlen;

/// Bytes of the factors of a block of a panel.
pub const FACTOR_BYTES: usize = 2 * PANEL;
/// A sum of activations is `hi · 2^SUM_BITS + lo`.
pub const SUM_BITS: u32 = 10;
/// Column pairs of offsets whose products with 11 bits fit a 32-bit sum: 8191 · 1024 · 256 < 2^31.
pub const OFFSET_PAIRS: usize = 128;
/// The kernels multiply integers of 4 bits by 2^4, since that is how they come out of the high half of a byte.
pub const HALF_BYTE_BITS: i32 = 4;
/// Bits of an int8 weight's magnitude.
const INT8_BITS: i32 = 7;
/// An offset counts 2^OFFSET_BITS.
pub const OFFSET_BITS: i32 = 3;

/// The panels of a layer in blocks.
///
/// Layout of `panels`: for each panel of 16 rows, for each block of columns, the 16 factors (little endian), then for each pair of
/// columns 16 rows × 2 columns: a byte each; or half a byte, two neighbouring pairs in the low and high halves of the bytes.
#[derive(Clone, Debug)]
pub struct BlockPanels {
    /// Blocks of a row.
    blocks: usize,
    /// Column pairs of a block: 8 or 16.
    pub pairs: usize,
    /// Whether the integers have 4 bits.
    pub half_bytes: bool,
    shift: i32,
    panels: Vec<u8>,
    /// For each panel, for each pair of blocks, 16 rows × 2 blocks. Empty where all are 0.
    offsets: Vec<i16>,
}

impl BlockPanels {
    /// # Panics
    /// If the lengths do not agree.
    pub fn new(q: &[i8], steps: Steps<'_>, out: usize, k: usize) -> Self {
        let Steps {
            size,
            half_bytes,
            factors,
            offsets,
        } = steps;
        assert!(
            matches!(size, 16 | 32) && k.is_multiple_of(size),
            "blocks of {size} in {k} columns"
        );
        let blocks = k / size;
        assert_eq!(factors.len(), out * blocks, "factors");
        assert!(
            offsets.is_empty() || offsets.len() == factors.len(),
            "offsets"
        );
        let mut all = Self {
            blocks,
            pairs: size / 2,
            half_bytes,
            shift: shift(q, steps),
            panels: Vec::new(),
            offsets: Vec::new(),
        };
        let (panels, bytes) = (out.div_ceil(PANEL), all.block_bytes());
        all.panels = vec![0; panels * blocks * bytes];
        for (row, q) in q.chunks_exact(k.max(1)).enumerate() {
            for (b, q) in q.chunks_exact(size).enumerate() {
                let at = (row / PANEL * blocks + b) * bytes;
                let (heads, weights) = all.panels[at..at + bytes].split_at_mut(FACTOR_BYTES);
                let r = row % PANEL * 2;
                heads[r..r + 2].copy_from_slice(&factors[row * blocks + b].to_le_bytes());
                for (j, &q) in q.iter().enumerate() {
                    let (pair, column) = (j / 2, j % 2);
                    if half_bytes {
                        let half = q.cast_unsigned() & 15;
                        weights[pair / 2 * PANEL * 2 + r + column] |= half << (4 * (pair % 2));
                    } else {
                        weights[pair * PANEL * 2 + r + column] = q.cast_unsigned();
                    }
                }
            }
        }
        if !offsets.is_empty() {
            let pairs = all.offset_pairs();
            all.offsets = vec![0; panels * pairs * PANEL * 2];
            for (i, &offset) in offsets.iter().enumerate() {
                let (row, b) = (i / blocks, i % blocks);
                let at = (row / PANEL * pairs + b / 2) * PANEL * 2;
                all.offsets[at + row % PANEL * 2 + b % 2] = offset;
            }
        }
        all
    }

    /// Blocks of a row.
    #[inline(always)]
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Bytes of a block of a panel, its factors included.
    #[inline(always)]
    pub fn block_bytes(&self) -> usize {
        FACTOR_BYTES + self.pairs * PANEL * 2 / if self.half_bytes { 2 } else { 1 }
    }

    /// Bytes of all panels.
    pub fn size(&self) -> usize {
        self.panels.len() + 2 * self.offsets.len()
    }

    /// Panel number `p`.
    #[inline(always)]
    pub fn panel(&self, p: usize) -> &[u8] {
        let size = self.blocks * self.block_bytes();
        &self.panels[p * size..][..size]
    }

    /// Weights of a panel.
    pub fn panel_weights(&self) -> usize {
        self.blocks * self.pairs * PANEL * 2
    }

    /// The weights of panel `p` in 16 bits: for each pair of columns 16 rows × 2 columns, those of 4 bits times 16.
    #[inline(always)]
    pub fn widen(&self, p: usize, out: &mut [i16]) {
        let blocks = self.panel(p).chunks_exact(self.block_bytes());
        for (block, out) in blocks.zip(out.chunks_exact_mut(self.pairs * PANEL * 2)) {
            let weights = &block[FACTOR_BYTES..];
            if !self.half_bytes {
                let both = out.iter_mut().zip(weights);
                both.for_each(|(out, w)| *out = w.cast_signed().into());
                continue;
            }
            let two_pairs = out.as_chunks_mut::<{ 4 * PANEL }>().0.iter_mut();
            for (out, weights) in two_pairs.zip(weights.as_chunks::<{ 2 * PANEL }>().0) {
                let (first, second) = out.split_at_mut(2 * PANEL);
                for ((first, second), w) in first.iter_mut().zip(second).zip(weights) {
                    *first = (w << HALF_BYTE_BITS).cast_signed().into();
                    *second = (w & 0xf0).cast_signed().into();
                }
            }
        }
    }

    /// The offsets of panel `p`; `None` where all are 0.
    #[inline(always)]
    pub fn offsets(&self, p: usize) -> Option<&[i16]> {
        let size = self.offset_pairs() * PANEL * 2;
        (!self.offsets.is_empty()).then(|| &self.offsets[p * size..][..size])
    }

    /// Pairs of blocks.
    #[inline(always)]
    pub fn offset_pairs(&self) -> usize {
        self.blocks.div_ceil(2)
    }

    /// h of docs/numerics.md, 3.18: by how much a sum is shifted on top of g.
    #[inline(always)]
    pub fn shift(&self) -> i32 {
        self.shift
    }

    /// Bits that the kernels' sums have below those of the text.
    pub fn extra_bits(&self) -> i32 {
        if self.half_bytes { HALF_BYTE_BITS } else { 0 }
    }

    /// The sums of the blocks of `n` rows of activations, `stride` apart: for each row the high parts, then the low
    /// ones, each of whole pairs of blocks, as `add` (`block_sums`) gives them. Empty where no block has an offset.
    pub fn sums(
        &self,
        x: &[i16],
        stride: usize,
        n: usize,
        add: impl Fn(&[i16], usize, &mut [i16], &mut [i16]),
    ) -> Vec<i16> {
        if self.offsets.is_empty() {
            return Vec::new();
        }
        let width = 2 * self.offset_pairs();
        let mut sums = vec![0; n * 2 * width];
        for (x, sums) in x.chunks(stride).zip(sums.chunks_exact_mut(2 * width)) {
            let (high, low) = sums.split_at_mut(width);
            let (high, low) = (&mut high[..self.blocks], &mut low[..self.blocks]);
            add(x, 2 * self.pairs, high, low);
        }
        sums
    }
}

/// h of docs/numerics.md, 3.18: how many more bits than int8 the largest weight has.
fn shift(q: &[i8], steps: Steps<'_>) -> i32 {
    let weights = q.chunks_exact(steps.size).zip(steps.factors).enumerate();
    let largest = weights.map(|(b, (q, &factor))| {
        let offset = steps
            .offsets
            .get(b)
            .map_or(0, |&offset| i32::from(offset) << OFFSET_BITS);
        let weight = |q: i8| (i32::from(factor) * i32::from(q) + offset).unsigned_abs();
        // What lies between two integers lies between their weights.
        let (least, most) = q
            .iter()
            .fold((q[0], q[0]), |(a, b), &q| (a.min(q), b.max(q)));
        weight(least).max(weight(most))
    });
    let bits = bitlen(largest.max().unwrap_or(0).into());
    (bits - INT8_BITS).max(0)
}

/// Activations that a layer in blocks reads.
#[derive(Clone, Copy)]
pub struct BlockInput<'a> {
    /// Rows of activations.
    pub x: &'a [i16],
    /// How far apart they are.
    pub stride: usize,
    /// See [`BlockPanels::sums`].
    pub sums: &'a [i16],
}
