//! The encoder's parallel pass over known symbols, with more to tell.

use lmz_coder::Cost;
use lmz_exact::{Cache, Run, Scores, Scratch};
use lmz_format::ContextPolicy;
use lmz_model::Symbol;

use super::{Alternative, TracedSymbol};
use crate::blocks::{Block, read_by};
use crate::encode::numbers;
use crate::error::Result;
use crate::model::Model;

/// One thread's engine state.
pub(super) struct Scorer<'a> {
    model: &'a Model,
    scratch: Scratch,
    cache: Cache,
    inputs: Vec<u32>,
    /// The best symbols so far: distance from the largest logit, symbol.
    best: Vec<(u32, usize)>,
    /// Alternatives of each symbol.
    each: usize,
}

/// What is said of the symbols of one block.
#[derive(Debug, Default)]
pub(super) struct Scored {
    pub symbols: Vec<TracedSymbol>,
    pub alternatives: Vec<Alternative>,
}

impl<'a> Scorer<'a> {
    pub fn new(model: &'a Model, policy: ContextPolicy, each: usize) -> Self {
        Self {
            model,
            scratch: Scratch::new(),
            cache: Cache::new(model.engine(), policy.context as usize),
            inputs: Vec::new(),
            best: Vec::with_capacity(each + 1),
            each,
        }
    }

    /// The symbols of one block.
    pub fn score(&mut self, symbols: &[Symbol], block: Block) -> Result<Scored> {
        let engine = self.model.engine();
        let coded = &symbols[block.first..block.end];
        let numbers = numbers(engine.symbols(), coded)?;
        read_by(block, symbols, engine.start_token(), &mut self.inputs);
        let mut scored = Scored {
            symbols: Vec::with_capacity(coded.len()),
            alternatives: Vec::with_capacity(coded.len() * self.each),
        };
        let run = Run {
            cache: &mut self.cache,
            start: 0,
            tokens: &self.inputs,
            wanted: block.overlap,
        };
        let (best, each) = (&mut self.best, self.each);
        engine.forward(&mut self.scratch, &mut [run], &mut |_, position, scores| {
            let at = position - block.overlap;
            let (interval, ideal) = scores.code(numbers[at]);
            scored.symbols.push(TracedSymbol {
                symbol: coded[at],
                raw_len: engine.symbols().bytes(numbers[at]).len().max(1) as u32,
                ideal,
                interval,
                rank: rank(scores, numbers[at], ideal),
            });
            likeliest(scores, each, best);
            let token = |symbol| engine.symbols().token(symbol);
            scored
                .alternatives
                .extend(with_escape(scores, best, each, token));
        });
        Ok(scored)
    }
}

/// One more than the number of symbols with a larger logit, or the same one and a lower number.
fn rank(scores: &Scores<'_>, symbol: usize, ideal: Cost) -> u32 {
    let before = match scores.logits.get(symbol) {
        Some(&own) => {
            let ahead =
                |&(other, &logit): &(usize, &i32)| logit > own || (logit == own && other < symbol);
            scores.logits.iter().enumerate().filter(ahead).count()
        }
        // The escape has a weight but no logit: it ranks by its cost.
        None => {
            let first = scores.distribution().cost(0);
            let unit = Cost::FRAC_BITS - lmz_coder::LOGIT_FRAC_BITS;
            let limit = ideal.0.saturating_sub(first.0) >> unit;
            let ahead = |&&logit: &&i32| u64::from(distance(scores, logit)) < limit;
            scores.logits.iter().filter(ahead).count()
        }
    };
    before as u32 + 1
}

fn distance(scores: &Scores<'_>, logit: i32) -> u32 {
    scores.max.wrapping_sub(logit) as u32
}

/// The `each` symbols with the largest logits, best first; ties go to the lower number.
fn likeliest(scores: &Scores<'_>, each: usize, best: &mut Vec<(u32, usize)>) {
    best.clear();
    if each == 0 {
        return;
    }
    let mut limit = u32::MAX;
    for (symbol, &logit) in scores.logits.iter().enumerate() {
        let distance = distance(scores, logit);
        if best.len() == each && distance >= limit {
            continue;
        }
        let at = best.partition_point(|&(other, _)| other <= distance);
        best.truncate(each - 1);
        best.insert(at, (distance, symbol));
        limit = best.last().map_or(u32::MAX, |&(last, _)| last);
    }
}

/// The best symbols with their costs, the escape among them where it belongs there.
fn with_escape(
    scores: &Scores<'_>,
    best: &[(u32, usize)],
    each: usize,
    token: impl Fn(usize) -> Option<u32>,
) -> Vec<Alternative> {
    let distribution = scores.distribution();
    let mut list: Vec<Alternative> = best
        .iter()
        .map(|&(distance, symbol)| Alternative {
            token: token(symbol),
            ideal: distribution.cost(distance),
        })
        .collect();
    let escape = distribution.escape_cost();
    let at = list.partition_point(|other| other.ideal <= escape);
    list.insert(
        at,
        Alternative {
            token: None,
            ideal: escape,
        },
    );
    list.truncate(each);
    list
}
