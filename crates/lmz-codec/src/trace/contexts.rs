//! What the model is shown, without running it.

use std::ops::Range;

use lmz_format::{ContextPolicy, SegmentPlan};
use lmz_model::Symbol;

use crate::blocks::{Block, blocks, read_by};
use crate::error::Result;
use crate::model::Model;

/// One block as a model sees it: tokens in a row, of which the last few are coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// The start token, the tokens of the overlap (or the prime), and those that are coded. The model reads all but
    /// the last; an escape is the start token, as the model reads it.
    pub tokens: Vec<u32>,
    /// How many tokens at the end are coded.
    pub scored: usize,
    /// The escapes among the coded ones: which of them, and the raw byte. No token stands for these,
    /// so that a probability of the token in their place means nothing.
    pub escapes: Vec<(usize, u8)>,
}

impl BlockContext {
    pub(super) fn new(block: Block, symbols: &[Symbol], start_token: u32) -> Self {
        let mut tokens = Vec::with_capacity(block.end - block.first + block.overlap + 1);
        read_by(block, symbols, start_token, &mut tokens);
        let coded = &symbols[block.first..block.end];
        tokens.extend(coded.last().map(|symbol| match symbol {
            Symbol::Token(token) => *token,
            Symbol::Escape(_) => start_token,
        }));
        let escapes = coded.iter().enumerate().filter_map(|(at, symbol)| {
            let Symbol::Escape(byte) = symbol else {
                return None;
            };
            Some((at, *byte))
        });
        Self {
            tokens,
            scored: coded.len(),
            escapes: escapes.collect(),
        }
    }
}

/// The blocks in which `model` would code `segment` under `policy`.
///
/// ```
/// use lmz_codec::{CompressOptions, Model, trace};
///
/// let model = Model::open("../../tests/models/stories260K.lmzm".as_ref())?;
/// let text = b"Once upon a time";
/// let policy = CompressOptions::default().context_policy(&model, text.len())?;
/// let contexts = trace::contexts(&model, policy, text)?;
/// let all = &contexts[0];
/// // The start token is context only.
/// assert_eq!(all.tokens.len(), 1 + all.scored);
/// # Ok::<(), lmz_codec::CodecError>(())
/// ```
///
/// # Errors
/// A model without a tokeniser.
pub fn contexts(model: &Model, policy: ContextPolicy, segment: &[u8]) -> Result<Vec<BlockContext>> {
    let symbols = model.symbols(segment)?;
    let start = model.engine().start_token();
    Ok(blocks(policy, 0, symbols.len())
        .map(|block| BlockContext::new(block, &symbols, start))
        .collect())
}

/// The raw bytes of each segment of a file of `raw_len` bytes.
pub fn segments(plan: SegmentPlan, raw_len: u64) -> impl Iterator<Item = Range<u64>> {
    let mut from = 0u64;
    std::iter::from_fn(move || {
        let to = from.saturating_add(plan.size_at(from)).min(raw_len);
        let segment = from..to;
        from = to;
        (!segment.is_empty()).then_some(segment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_tile_the_file() {
        for plan in [SegmentPlan::Default, SegmentPlan::Fixed(1000)] {
            for len in [0, 1, 999, 1000, 1001, 3_000_000] {
                let all: Vec<_> = segments(plan, len).collect();
                assert_eq!(all.len() as u64, plan.count(len));
                assert_eq!(all.iter().map(|s| s.end - s.start).sum::<u64>(), len);
                assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
            }
        }
    }

    #[test]
    fn a_block_shows_overlap_and_names_escapes() {
        let symbols = [5, 6, 7].map(Symbol::Token);
        let symbols = [&symbols[..], &[Symbol::Escape(b'x')]].concat();
        let block = Block {
            first: 2,
            end: 4,
            overlap: 1,
        };
        let context = BlockContext::new(block, &symbols, 1);
        assert_eq!(context.tokens, [1, 6, 7, 1]);
        assert_eq!((context.scored, context.escapes), (2, vec![(1, b'x')]));
    }
}
