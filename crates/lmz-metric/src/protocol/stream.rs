//! The codec's own segments and context, so that the figure stands beside real bytes.
//!
//! The documents' texts, put together without a separator, are one stream, and the codec says how
//! it would cut it: segments, blocks of bounded context, the tokens that each block sees again.
//! Bytes that no token spells have a price of their own.

use crate::error::{MetricError, Result};
use crate::plan::{Plan, Unit};
use crate::window::Span;

/// A stream as a codec would code it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    /// Its segments, in order.
    pub segments: Vec<StreamSegment>,
}

/// A segment of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamSegment {
    /// Its length in bytes.
    pub bytes: u64,
    /// Unicode code points that begin in it.
    pub characters: u64,
    /// The blocks that the stream is cut into, in order.
    pub windows: Vec<StreamWindow>,
    /// Bits of what the model does not predict (see [`StreamWindow::escaped`]).
    pub extra_bits: f64,
}

/// A block of a segment: what the model sees, and what it is to predict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamWindow {
    /// Token ids, context first. An escaped byte is what the codec shows the model in its place.
    pub tokens: Vec<u32>,
    /// How many tokens at the end are coded: fewer than there are tokens.
    pub scored: usize,
    /// Places among [`tokens`](Self::tokens), increasing, that are escaped bytes: their price is
    /// in [`StreamSegment::extra_bits`], and the model is not asked.
    pub escaped: Vec<usize>,
}

impl Stream {
    /// The plan.
    ///
    /// # Errors
    /// [`MetricError::InvalidArgument`] if a window scores more than it can.
    pub fn plan(self) -> Result<Plan> {
        let mut plan = Plan::default();
        for segment in self.segments {
            plan.units.push(Unit {
                first: plan.tokens.len(),
                bytes: segment.bytes,
                characters: segment.characters,
                extra_bits: segment.extra_bits,
            });
            for window in segment.windows {
                if window.scored >= window.tokens.len() {
                    return Err(MetricError::InvalidArgument(format!(
                        "a block of {} tokens cannot score {}",
                        window.tokens.len(),
                        window.scored
                    )));
                }
                if window.scored == 0 {
                    continue;
                }
                let span = Span {
                    start: plan.tokens.len(),
                    len: window.tokens.len(),
                    scored: window.scored,
                };
                let escaped = window.escaped.iter().map(|at| span.start + at);
                let scored = span.first_scored()..span.end();
                let before = plan.masked.len();
                plan.masked.extend(escaped.filter(|at| scored.contains(at)));
                let masked = (plan.masked.len() - before) as u64;
                plan.counts.total += window.scored as u64 - masked;
                plan.counts.escaped_bytes += masked;
                plan.tokens.extend(window.tokens);
                plan.spans.push(span);
            }
        }
        plan.counts.scored = plan.counts.total;
        Ok(plan)
    }
}
