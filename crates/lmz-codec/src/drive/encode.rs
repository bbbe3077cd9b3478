//! Segments to coded bytes.

use lmz_coder::{Cost, ESCAPE_BYTE_BITS, Encoder, Interval};
use lmz_exact::{Prediction, Query};
use lmz_model::Symbol;

use super::context::Drive;
use super::score::{Keep, Known};
use crate::error::{CodecError, Result};
use crate::pool;

/// A segment as the model codes it.
#[derive(Debug)]
pub struct Coded {
    pub bytes: Vec<u8>,
    /// The ideal code length.
    pub ideal: Cost,
}

impl Drive<'_> {
    /// Codes segments, each by itself.
    pub fn encode(&self, segments: &[&[u8]]) -> Result<Vec<Coded>> {
        let scored = self.score(&self.tokenize(segments)?, &Intervals)?;
        pool::map(scored, |blocks| {
            let blocks = || blocks.iter().map(|(_, kept)| kept);
            Ok(Coded {
                bytes: seal(blocks().flat_map(|kept| kept.intervals.iter().copied()))?,
                ideal: blocks().map(|kept| kept.cost).sum(),
            })
        })
    }

    /// The symbols of segments, each behind those that are shown before it.
    pub fn tokenize(&self, segments: &[&[u8]]) -> Result<Vec<Vec<Symbol>>> {
        pool::map(segments.to_vec(), |raw| {
            Ok([self.shown, &self.model.symbols(raw)?[..]].concat())
        })
    }
}

/// What the coder takes of a prediction where there is no stage.
struct Intervals;

/// Of one block.
#[derive(Debug, Default)]
struct BlockIntervals {
    /// Of its symbols, and of the raw bytes behind escapes.
    intervals: Vec<Interval>,
    /// Sum of the ideal costs.
    cost: Cost,
}

impl Keep for Intervals {
    type Kept = BlockIntervals;

    fn query(&self, known: Known) -> Query {
        Query::Symbol(known.number as u32)
    }

    fn keep(&self, kept: &mut BlockIntervals, known: Known, prediction: &Prediction<'_>) {
        let Some(answer) = prediction.answer() else {
            return;
        };
        kept.intervals.push(answer.interval);
        kept.cost += answer.cost();
        if let Symbol::Escape(byte) = known.symbol {
            kept.intervals.push(Interval::of_byte(byte));
            kept.cost += Cost::from_bits(ESCAPE_BYTE_BITS);
        }
    }
}

/// The coded bytes of intervals.
pub fn seal(mut intervals: impl Iterator<Item = Interval>) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new();
    let sealed = intervals.try_for_each(|interval| encoder.encode(interval));
    sealed.map_err(|error| CodecError::InvalidArgument(error.to_string()))?;
    Ok(encoder.finish())
}
