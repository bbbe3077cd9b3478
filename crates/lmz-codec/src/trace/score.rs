//! What a trace keeps of the model's predictions: the encoder's pass over known symbols, with more to tell.

use lmz_coder::Cost;
use lmz_exact::{Prediction, Query, Scores, Symbols};
use lmz_model::Symbol;

use super::symbol::{Alternative, TracedSymbol};
use crate::drive::Keep;

/// Keeps what each symbol cost, and what could have stood in its place.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub table: &'a Symbols,
    /// Alternatives of each symbol.
    pub each: usize,
}

/// Of the symbols of one block.
#[derive(Debug, Default)]
pub(super) struct BlockTold {
    pub symbols: Vec<TracedSymbol>,
    pub alternatives: Vec<Alternative>,
    /// The likeliest symbols of the last prediction: distance from the largest logit, symbol.
    best: Vec<(u32, usize)>,
}

impl Keep for Told<'_> {
    type Kept = BlockTold;

    fn query(&self, _: usize) -> Query {
        Query::Distribution
    }

    fn keep(
        &self,
        kept: &mut BlockTold,
        symbol: Symbol,
        number: usize,
        prediction: &Prediction<'_>,
    ) {
        let Some(scores) = prediction.distribution() else {
            return;
        };
        let (interval, ideal) = scores.code(number);
        kept.symbols.push(TracedSymbol {
            symbol,
            raw_len: self.table.bytes(number).len().max(1) as u32,
            ideal,
            interval,
            rank: rank(scores, number, ideal),
            mixed: None,
        });
        if self.each > 0 {
            likeliest(scores, self.each, &mut kept.best);
            let token = |symbol| self.table.token(symbol);
            kept.alternatives
                .extend(with_escape(scores, &kept.best, self.each, token));
        }
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

/// The `each` symbols, at least one, with the largest logits, best first; ties go to the lower number.
fn likeliest(scores: &Scores<'_>, each: usize, best: &mut Vec<(u32, usize)>) {
    best.clear();
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
