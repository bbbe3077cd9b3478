//! The float engine's price of what the exact engine coded, in the same contexts.

use lmz_codec::Observer;
use lmz_codec::trace::{BlockContext, SegmentTrace};

use super::bits::Bits;
use super::error::LedgerError;
use crate::scorer::{Scorer, Window};

/// Ideal bits of the segments' tokens under `scorer`, plus the exact engine's price of their
/// escapes. Stops between calls of the engine when the observer says so.
pub(super) fn bits(
    segments: &[SegmentTrace],
    scorer: &mut dyn Scorer,
    observer: &dyn Observer,
) -> Result<Bits, LedgerError> {
    let contexts: Vec<BlockContext> = segments.iter().flat_map(SegmentTrace::contexts).collect();
    let mut sum: Bits = segments.iter().map(escapes).sum();
    let mut rest = &contexts[..];
    while let Some(first) = rest.first() {
        if observer.cancelled() {
            return Err(lmz_codec::CodecError::Cancelled.into());
        }
        // Blocks after a segment's first all have the full length, so that a group's longest is
        // mostly each one's length.
        let longest = |n: usize| rest[..n].iter().map(|c| c.tokens.len()).max();
        let mut group = scorer.batch(first.tokens.len()).clamp(1, rest.len());
        while group > 1 && scorer.batch(longest(group).unwrap_or(0)).max(1) < group {
            group -= 1;
        }
        let (now, later) = rest.split_at(group);
        sum += score(now, scorer)?;
        rest = later;
    }
    Ok(sum)
}

/// What escaped bytes cost under the exact engine.
fn escapes(segment: &SegmentTrace) -> Bits {
    let escaped = segment.symbols.iter().filter(|s| s.raw_byte().0 > 0);
    escaped.map(|symbol| Bits::from(symbol.ideal())).sum()
}

fn score(contexts: &[BlockContext], scorer: &mut dyn Scorer) -> Result<Bits, LedgerError> {
    let windows: Vec<Window<'_>> = contexts
        .iter()
        .map(|context| Window {
            tokens: &context.tokens,
            scored: context.scored,
        })
        .collect();
    let answers = scorer.surprisals(&windows).map_err(LedgerError::Scorer)?;
    if answers.len() != windows.len() {
        return Err(LedgerError::Answer(format!(
            "{} windows were asked about, {} were answered",
            windows.len(),
            answers.len()
        )));
    }
    let mut sum = Bits::default();
    for (context, answer) in contexts.iter().zip(answers) {
        if answer.len() != context.scored {
            return Err(LedgerError::Answer(format!(
                "{} tokens were to be scored, {} were",
                context.scored,
                answer.len()
            )));
        }
        let mut escapes = context.escapes.iter().peekable();
        for (at, nats) in answer.into_iter().enumerate() {
            if escapes.next_if(|&&(escape, _)| escape == at).is_some() {
                continue;
            }
            let bits = f64::from(nats) / std::f64::consts::LN_2;
            let bits = Bits::from_f64(bits).filter(|_| bits >= -1e-3);
            sum +=
                bits.ok_or_else(|| LedgerError::Answer(format!("a surprisal of {nats} nats")))?;
        }
    }
    Ok(sum)
}
