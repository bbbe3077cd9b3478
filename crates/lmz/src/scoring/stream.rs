//! A stream as the codec would cut it.

use lmz_codec::trace::{BlockContext, contexts, segments};
use lmz_codec::{ContextPolicy, Model, SegmentPlan};
use lmz_metric::{Stream, StreamSegment, StreamWindow};

use super::ScoringError;

/// Bits of a raw byte behind an escape.
const RAW_BYTE_BITS: f64 = 8.0;

/// The segments and blocks in which the codec would code `bytes` with `model`, as the metric's
/// `stream` protocol takes them.
///
/// Every segment is taken to be coded by the model, also those that the codec would rather store.
/// Where the vocabulary cannot spell every byte, the escape has the codec's price: a share of
/// `2^-s / (1 + 2^-s)` of each position's probability, and eight bits for the byte.
///
/// # Errors
/// A model without a tokenizer.
pub fn stream(
    model: &Model,
    policy: ContextPolicy,
    plan: SegmentPlan,
    bytes: &[u8],
) -> Result<Stream, ScoringError> {
    let shift = model.engine().symbols().escape_shift();
    // What every symbol pays so that the escape has its share.
    let share = match shift {
        0 => 0.0,
        _ => (-f64::from(shift)).exp2().ln_1p() / std::f64::consts::LN_2,
    };
    let escape = f64::from(shift) + share + RAW_BYTE_BITS;
    let segments = segments(plan, bytes.len() as u64).map(|range| {
        let raw = &bytes[range.start as usize..range.end as usize];
        let blocks = contexts(model, policy, raw)?;
        let escapes: usize = blocks.iter().map(|block| block.escapes.len()).sum();
        let symbols: usize = blocks.iter().map(|block| block.scored).sum();
        Ok(StreamSegment {
            bytes: raw.len() as u64,
            characters: raw.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64,
            windows: blocks.into_iter().map(window).collect(),
            extra_bits: escapes as f64 * escape + (symbols - escapes) as f64 * share,
        })
    });
    let segments = segments.collect::<Result<_, ScoringError>>()?;
    Ok(Stream { segments })
}

fn window(block: BlockContext) -> StreamWindow {
    let first = block.tokens.len() - block.scored;
    StreamWindow {
        escaped: block.escapes.iter().map(|(at, _)| first + at).collect(),
        scored: block.scored,
        tokens: block.tokens,
    }
}
