//! Segments to coded bytes.

use lmz_coder::{Cost, ESCAPE_BYTE_BITS, Encoder, Interval};
use lmz_exact::{Prediction, Query};
use lmz_model::Symbol;

use super::context::Drive;
use super::score::{Keep, Scored};
use super::stage::{CodedSymbol, Stage};
use crate::error::{CodecError, Result};
use crate::pool;

/// A segment, or a group of them, as the model codes it.
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

    /// Codes groups of segments behind `stage`.
    #[cfg_attr(not(test), allow(dead_code, reason = "no format has groups yet"))]
    pub fn encode_groups(&self, stage: &dyn Stage, groups: &[&[&[u8]]]) -> Result<Vec<Coded>> {
        let segments = groups.concat();
        let symbols = self.tokenize(&segments)?;
        let raw_len = total(&segments);
        let mut scored = self.score(&symbols, &Reduced(stage), raw_len)?.into_iter();
        let mut symbols = symbols.iter().map(|symbols| &symbols[self.shown.len()..]);
        let groups = groups.iter().map(|group| {
            let lanes = scored.by_ref().zip(symbols.by_ref()).take(group.len());
            lanes
                .map(|(scored, symbols)| Walk::new(scored, symbols))
                .collect()
        });
        pool::map(groups.collect(), |lanes: Vec<Walk<'_>>| {
            Ok(self.walk(stage, lanes))
        })
    }

    /// The symbols of segments, each behind those that are shown before it.
    pub fn tokenize(&self, segments: &[&[u8]]) -> Result<Vec<Vec<Symbol>>> {
        let tokenizer = self.model.tokenizer()?;
        pool::map(segments.to_vec(), |raw| {
            Ok([self.shown, &tokenizer.encode(raw)[..]].concat())
        })
    }

    /// A symbol of each lane in turn, until all are at their end.
    fn walk(&self, stage: &dyn Stage, mut lanes: Vec<Walk<'_>>) -> Coded {
        let table = self.model.engine().symbols();
        let mut encoding = stage.encoding(lanes.len());
        let mut ideal = Cost::default();
        let mut on_their_way = true;
        while on_their_way {
            on_their_way = false;
            for (number, lane) in lanes.iter_mut().enumerate() {
                let Some((symbol, kept)) = lane.next() else {
                    continue;
                };
                on_their_way = true;
                let symbol = match symbol {
                    Symbol::Token(token) => CodedSymbol {
                        // It was scored, so it has a number.
                        number: table.symbol(token).unwrap_or(table.len()),
                        byte: None,
                    },
                    Symbol::Escape(byte) => CodedSymbol {
                        number: table.len(),
                        byte: Some(byte),
                    },
                };
                ideal += encoding.encode(number, symbol, kept);
            }
        }
        Coded {
            bytes: encoding.finish(),
            ideal,
        }
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

/// What a stage takes of a prediction.
struct Reduced<'a>(&'a dyn Stage);

/// Of one block.
#[derive(Debug, Default)]
struct BlockReduced {
    numbers: Vec<u32>,
    /// Where those of each symbol end.
    ends: Vec<usize>,
}

impl Keep for Reduced<'_> {
    type Kept = BlockReduced;

    fn query(&self, _: usize) -> Query {
        Query::Distribution
    }

    fn keep(&self, kept: &mut BlockReduced, _: Symbol, number: usize, prediction: &Prediction<'_>) {
        if let Some(scores) = prediction.distribution() {
            self.0.reduce(scores, number, &mut kept.numbers);
            kept.ends.push(kept.numbers.len());
        }
    }
}

/// A lane on its way through a stage.
struct Walk<'a> {
    symbols: &'a [Symbol],
    blocks: std::vec::IntoIter<BlockReduced>,
    block: BlockReduced,
    /// Symbols of the block that were passed.
    passed: usize,
}

impl<'a> Walk<'a> {
    fn new(scored: Scored<BlockReduced>, symbols: &'a [Symbol]) -> Self {
        let blocks: Vec<_> = scored.into_iter().map(|(_, kept)| kept).collect();
        Self {
            symbols,
            blocks: blocks.into_iter(),
            block: BlockReduced::default(),
            passed: 0,
        }
    }

    /// The next symbol, and what was kept of its prediction.
    fn next(&mut self) -> Option<(Symbol, &[u32])> {
        let (&symbol, rest) = self.symbols.split_first()?;
        self.symbols = rest;
        if self.passed == self.block.ends.len() {
            self.block = self.blocks.next()?;
            self.passed = 0;
        }
        let from = match self.passed {
            0 => 0,
            n => self.block.ends[n - 1],
        };
        let to = self.block.ends[self.passed];
        self.passed += 1;
        Some((symbol, &self.block.numbers[from..to]))
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
