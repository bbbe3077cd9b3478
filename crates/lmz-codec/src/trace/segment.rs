//! A traced segment.

use lmz_coder::Cost;
use lmz_format::SegmentInfo;
use lmz_model::Symbol;

use super::contexts::BlockContext;
use super::parts::MixedTrace;
use super::score::BlockTold;
use super::symbol::{Alternative, TracedBlock, TracedSymbol};
use crate::blocks::Block;
use crate::drive::Drive;
use crate::shown::Shown;
use crate::spent::Spent;

/// A segment and all that was coded in it.
#[derive(Clone, Debug)]
pub struct SegmentTrace {
    /// What the container says of it.
    pub info: SegmentInfo,
    /// Its raw bytes, decoded and checked.
    pub raw: Vec<u8>,
    /// What was coded, in order; empty for a segment that zstd keeps or that is stored.
    pub symbols: Vec<TracedSymbol>,
    /// The blocks of the symbols.
    pub blocks: Vec<TracedBlock>,
    /// For each symbol the most probable ones in its place, best first, as many as
    /// [`alternatives_each`](Self::alternatives_each) says.
    pub alternatives: Vec<Alternative>,
    /// How many alternatives each symbol has.
    pub alternatives_each: usize,
    /// The coder's state after the last symbol, before the seal; of a mixed group, were it the model's alone.
    pub spent: Spent,
    /// Of a mixed group.
    pub mixed: Option<MixedTrace>,
    /// The token that every block starts with.
    pub(super) start_token: u32,
    /// The prime's symbols, which the first block sees.
    pub(super) shown: Shown,
}

impl SegmentTrace {
    /// A segment of which there is nothing to say but its bytes.
    pub(super) fn untraced(info: SegmentInfo, raw: Vec<u8>) -> Self {
        Self {
            info,
            raw,
            symbols: Vec::new(),
            blocks: Vec::new(),
            alternatives: Vec::new(),
            alternatives_each: 0,
            spent: Spent::default(),
            mixed: None,
            start_token: 0,
            shown: Shown::default(),
        }
    }

    /// A segment of these blocks, with what was kept of each.
    pub(super) fn new(
        drive: &Drive<'_>,
        each: usize,
        info: SegmentInfo,
        raw: Vec<u8>,
        blocks: impl IntoIterator<Item = (Block, BlockTold)>,
    ) -> Self {
        let mut segment = Self {
            alternatives_each: each,
            start_token: drive.model.engine().start_token(),
            shown: drive.shown.clone(),
            ..Self::untraced(info, raw)
        };
        for (block, told) in blocks {
            segment.blocks.push(TracedBlock {
                first: block.first - segment.shown.len(),
                len: block.end - block.first,
                overlap: block.overlap,
            });
            let intervals = told.symbols.iter().flat_map(TracedSymbol::intervals);
            intervals.for_each(|interval| segment.spent.take(interval));
            segment.symbols.extend(told.symbols);
            segment.alternatives.extend(told.alternatives);
        }
        segment
    }

    /// The alternatives of a symbol.
    pub fn alternatives(&self, symbol: usize) -> &[Alternative] {
        let from = symbol.saturating_mul(self.alternatives_each);
        self.alternatives
            .get(from..from + self.alternatives_each)
            .unwrap_or_default()
    }

    /// What the model was shown in each block, with the symbols that it coded at the end.
    pub fn contexts(&self) -> Vec<BlockContext> {
        let known = self.shown.len();
        let coded = self.symbols.iter().map(|s| s.symbol);
        let symbols: Vec<Symbol> = self.shown.iter().copied().chain(coded).collect();
        let blocks = self.blocks.iter().map(|block| Block {
            first: known + block.first,
            end: known + block.first + block.len,
            overlap: block.overlap,
        });
        blocks
            .map(|block| BlockContext::new(block, &symbols, self.start_token))
            .collect()
    }

    /// Sum of the ideal costs: the model's own, also where what was seen of a group helped it.
    pub fn ideal(&self) -> Cost {
        self.symbols.iter().map(TracedSymbol::ideal).sum()
    }

    /// Sum of the costs under the integer frequencies.
    pub fn quantised(&self) -> Cost {
        self.symbols.iter().map(TracedSymbol::quantised).sum()
    }
}
