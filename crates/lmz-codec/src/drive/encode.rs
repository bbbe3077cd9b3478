//! Segments to coded bytes.

use lmz_coder::{Cost, ESCAPE_BYTE_BITS, Encoder, Interval};
use lmz_exact::{Prediction, Query};
use lmz_model::Symbol;

use super::context::Drive;
use super::score::{Keep, Scored};
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
        let symbols = self.tokenize(segments)?;
        let scored = self.score(&symbols, &Intervals, total(segments))?;
        let known = self.shown.len();
        let segments = scored.into_iter().zip(symbols).collect();
        pool::map(segments, |(scored, symbols)| {
            pack(scored, &symbols[known..])
        })
    }

    /// The symbols of segments, each behind those that are shown before it.
    pub fn tokenize(&self, segments: &[&[u8]]) -> Result<Vec<Vec<Symbol>>> {
        pool::map(segments.to_vec(), |raw| {
            Ok([self.shown, &self.model.symbols(raw)?[..]].concat())
        })
    }
}

fn total(segments: &[&[u8]]) -> usize {
    segments.iter().map(|raw| raw.len()).sum()
}

/// What the coder takes of a prediction where there is no stage.
struct Intervals;

/// Of one block.
#[derive(Debug, Default)]
struct BlockIntervals {
    intervals: Vec<Interval>,
    /// Sum of the ideal costs, without the escaped bytes.
    cost: Cost,
}

impl Keep for Intervals {
    type Kept = BlockIntervals;

    fn query(&self, number: usize) -> Query {
        Query::Symbol(number as u32)
    }

    fn keep(&self, kept: &mut BlockIntervals, _: Symbol, _: usize, prediction: &Prediction<'_>) {
        if let Some(answer) = prediction.answer() {
            kept.intervals.push(answer.interval);
            kept.cost += answer.cost();
        }
    }
}

/// Intervals to bytes.
fn pack(scored: Scored<BlockIntervals>, symbols: &[Symbol]) -> Result<Coded> {
    let mut ideal: Cost = scored.iter().map(|(_, block)| block.cost).sum();
    let escapes = symbols.iter().filter(|s| matches!(s, Symbol::Escape(_)));
    for _ in escapes {
        ideal += Cost::from_bits(ESCAPE_BYTE_BITS);
    }
    let intervals = scored.iter().flat_map(|(_, block)| &block.intervals);
    Ok(Coded {
        bytes: seal(intervals.copied().zip(symbols.iter().copied()))?,
        ideal,
    })
}

/// The coded bytes of symbols and their intervals.
pub fn seal(symbols: impl Iterator<Item = (Interval, Symbol)>) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new();
    let put = |encoder: &mut Encoder, interval| {
        encoder
            .encode(interval)
            .map_err(|e| CodecError::InvalidArgument(e.to_string()))
    };
    for (interval, symbol) in symbols {
        put(&mut encoder, interval)?;
        if let Symbol::Escape(byte) = symbol {
            put(&mut encoder, Interval::of_byte(byte))?;
        }
    }
    Ok(encoder.finish())
}
