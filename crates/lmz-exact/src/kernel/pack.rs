//! Weights in the order in which the kernels read them.

use super::blocks::BlockPanels;
use super::panel::{CHUNK, PANEL, Steps};

/// A linear layer, ready to run: `out` rows of `k` int8 weights.
///
/// Layout of `panels`: for each panel of 16 rows, for each pair of columns, 16 rows × 2 columns. So
/// one 32-byte load holds 16 rows, and a pair of activations is broadcast against it.
#[derive(Clone, Debug)]
pub struct Linear {
    /// Rows: elements of the output.
    pub out: usize,
    /// Columns: elements of the input.
    pub k: usize,
    panels: Vec<i8>,
    /// Row scale mantissas, zeros up to a whole panel.
    m: Vec<i32>,
    /// The exponent that all row scales share.
    pub e: i32,
    /// Column shifts `[k]`; empty when all are 0.
    pub c: Vec<u8>,
    /// What the rounding of some rows to int8 left; `None` where no row is fine.
    pub fine: Option<Box<Fine>>,
    /// The weights, if they stand in blocks; the panels above are empty then.
    pub(crate) blocks: Option<Box<BlockPanels>>,
    /// Added to the output; `None` where the layer has no bias.
    pub bias: Option<Bias>,
}

/// The fine rows of a linear layer (docs/numerics.md, 3.17): those whose weights have 16 bits.
#[derive(Clone, Debug)]
pub struct Fine {
    /// Which rows they are, in increasing order.
    pub rows: Vec<u32>,
    /// Their low planes, with the scales of the rows: what it gives counts a 256th.
    pub low: Linear,
}

/// A vector that is added to mantissas of another exponent (docs/numerics.md, 3.13).
#[derive(Clone, Debug)]
pub struct Bias {
    /// Mantissas, below 2^29.
    pub b: Vec<i32>,
    /// The exponent that all mantissas share.
    pub e: i32,
}

impl Linear {
    /// Packs row-major weights `w` (out × k) with `out` scales `m`.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn new(w: &[i8], m: &[i32], k: usize, e: i32, c: &[u8]) -> Self {
        let out = m.len();
        assert_eq!(w.len(), out * k, "weights of a [{out}, {k}] layer");
        assert!(c.is_empty() || c.len() == k, "column shifts");
        let pairs = k.div_ceil(2);
        let mut panels = vec![0i8; out.div_ceil(PANEL) * pairs * PANEL * 2];
        for (row, weights) in w.chunks_exact(k.max(1)).enumerate() {
            let base = row / PANEL * pairs * PANEL * 2 + row % PANEL * 2;
            for (j, &weight) in weights.iter().enumerate() {
                panels[base + j / 2 * PANEL * 2 + j % 2] = weight;
            }
        }
        let mut scales = m.to_vec();
        scales.resize(out.next_multiple_of(PANEL), 0);
        let c = if c.iter().all(|&c| c == 0) {
            Vec::new()
        } else {
            c.to_vec()
        };
        Self {
            out,
            k,
            panels,
            m: scales,
            e,
            c,
            fine: None,
            blocks: None,
            bias: None,
        }
    }

    /// Packs row-major integers `q` (out × k) that stand in blocks, with `out` scales `m`.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn in_blocks(q: &[i8], steps: Steps<'_>, m: &[i32], k: usize, e: i32, c: &[u8]) -> Self {
        assert_eq!(
            q.len(),
            m.len() * k,
            "weights of a [{}, {k}] layer",
            m.len()
        );
        let panels = BlockPanels::new(q, steps, m.len(), k);
        let mut layer = Self::new(&[], &[], k, e, c);
        layer.out = m.len();
        layer.m = m.to_vec();
        layer.m.resize(layer.out.next_multiple_of(PANEL), 0);
        layer.blocks = Some(Box::new(panels));
        layer
    }

    /// Gives the rows that `rows` names (increasing) low planes `w`, row after row.
    ///
    /// # Panics
    /// If the lengths do not agree or there is no such row.
    pub fn refine(&mut self, rows: Vec<u32>, w: &[i8]) {
        let m: Vec<i32> = rows.iter().map(|&row| self.m[row as usize]).collect();
        let low = Self::new(w, &m, self.k, self.e, &[]);
        self.fine = (!rows.is_empty()).then(|| Box::new(Fine { rows, low }));
    }

    /// Elements of what the low planes of its fine rows give, in whole panels; 0 without fine rows.
    pub fn low_padded(&self) -> usize {
        self.fine.as_ref().map_or(0, |fine| fine.low.out_padded())
    }

    /// Bytes of its weights.
    pub fn size(&self) -> usize {
        let fine = self.fine.as_ref().map_or(0, |fine| fine.low.panels.len());
        self.panels.len() + fine + self.blocks.as_ref().map_or(0, |blocks| blocks.size())
    }

    /// Multiplications of one row of activations.
    pub fn products(&self) -> u64 {
        let fine = self.fine.as_ref().map_or(0, |fine| fine.rows.len());
        ((self.out + fine) * self.k) as u64
    }

    /// The stride of an output row: `out` rounded up to whole panels, and past any multiple of 512
    /// values, because rows 2 KiB or 4 KiB apart would compete for the same lines of a cache.
    pub fn out_padded(&self) -> usize {
        let rows = self.m.len();
        if rows.is_multiple_of(512) {
            rows + PANEL
        } else {
            rows
        }
    }

    /// Panels of 16 rows.
    pub(crate) fn panels(&self) -> usize {
        self.m.len() / PANEL
    }

    /// Pairs of columns; an activation row holds twice as many values.
    pub fn pairs(&self) -> usize {
        self.k.div_ceil(2)
    }

    /// g of docs/numerics.md, 3.1: the extra shift of sums of several chunks. Those of blocks are shifted further.
    pub fn sum_shift(&self) -> i32 {
        self.k
            .div_ceil(CHUNK)
            .max(1)
            .next_power_of_two()
            .trailing_zeros() as i32
    }

    /// The exponent of the output for activations with exponent `e`.
    pub fn out_exponent(&self, e: i32) -> i32 {
        let blocks = self.blocks.as_ref().map_or(0, |blocks| blocks.shift());
        e + self.sum_shift() + blocks + self.e + 32
    }

    /// The weights, row after row (out × k), of a layer without blocks.
    pub fn weights(&self) -> Vec<i8> {
        assert!(self.blocks.is_none(), "weights in blocks are no int8");
        let mut w = vec![0; self.out * self.k];
        for (row, weights) in w.chunks_exact_mut(self.k.max(1)).enumerate() {
            let panel = self.panel(row / PANEL);
            for (j, weight) in weights.iter_mut().enumerate() {
                *weight = panel[j / 2 * PANEL * 2 + row % PANEL * 2 + j % 2];
            }
        }
        w
    }

    /// The row scale mantissas.
    pub fn mantissas(&self) -> &[i32] {
        &self.m[..self.out]
    }

    /// Panel number `p`: `pairs() * 32` weights.
    #[inline(always)]
    pub(crate) fn panel(&self, p: usize) -> &[i8] {
        let size = self.pairs() * PANEL * 2;
        &self.panels[p * size..][..size]
    }

    /// The 16 row scales of panel `p`.
    #[inline(always)]
    pub(crate) fn scales(&self, p: usize) -> &[i32; PANEL] {
        self.m[p * PANEL..][..PANEL]
            .try_into()
            .expect("scales are padded to whole panels")
    }
}

/// Rows of a layer's output that threads write to, each of them other panels.
#[derive(Clone, Copy)]
pub struct Output {
    pub first: *mut i32,
    pub rows: usize,
}

impl Output {
    /// A panel's part of a row, which begins at `at`.
    ///
    /// # Safety
    /// It is there, and nobody else uses it.
    pub unsafe fn part<'a>(self, at: usize) -> &'a mut [i32] {
        // SAFETY: the caller's.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(at), PANEL) }
    }
}

// SAFETY: whoever writes through it writes to panels that are its own.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}
