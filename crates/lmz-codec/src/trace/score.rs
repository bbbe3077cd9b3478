//! What a trace keeps of the model's predictions: the encoder's pass over known symbols, with more to tell.

use lmz_coder::{Cost, LOGIT_FRAC_BITS};
use lmz_exact::{Prediction, Scores, Symbols};

use super::symbol::{Alternative, TracedSymbol};
use crate::drive::{Keep, Known};

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
    /// The likeliest symbols of the last prediction.
    best: Vec<Place>,
}

/// Where a symbol stands among the others: the distance from the largest logit, then its number.
type Place = (u64, usize);

impl Keep for Told<'_> {
    type Kept = BlockTold;

    fn keep(&self, kept: &mut BlockTold, known: Known, prediction: &Prediction<'_>) {
        let Known { symbol, number } = known;
        let Some(scores) = prediction.distribution() else {
            return;
        };
        let (interval, ideal) = scores.code(number);
        let own = places(scores).nth(number);
        let own = own.unwrap_or_else(|| escape(scores));
        let before = places(scores).filter(|&place| place < own).count();
        kept.symbols.push(TracedSymbol {
            symbol,
            raw_len: self.table.bytes(number).len().max(1) as u32,
            ideal,
            interval,
            rank: before as u32 + 1,
            mixed: None,
        });
        likeliest(scores, self.each, &mut kept.best);
        let distribution = scores.distribution();
        let best = kept.best.iter().map(|&(distance, number)| {
            let token = self.table.token(number);
            let ideal = match token {
                Some(_) => distribution.cost(distance as u32),
                None => distribution.escape_cost(),
            };
            Alternative { token, ideal }
        });
        kept.alternatives.extend(best);
    }
}

/// The place of the escape, which has a weight but no logit: it follows from its cost.
fn escape(scores: &Scores<'_>) -> Place {
    let distribution = scores.distribution();
    let costs = [distribution.escape_cost(), distribution.cost(0)];
    let [own, first] = costs.map(|cost| cost.0);
    let distance = own.saturating_sub(first) >> (Cost::FRAC_BITS - LOGIT_FRAC_BITS);
    (distance, scores.logits.len())
}

/// Those of all symbols but the escape, in the order of their numbers.
fn places(scores: &Scores<'_>) -> impl Iterator<Item = Place> {
    let logits = scores.logits.iter().enumerate();
    logits.map(|(number, logit)| {
        let distance = scores.max.wrapping_sub(*logit) as u32;
        (distance.into(), number)
    })
}

/// The first `each` places, in order, the escape's among them.
fn likeliest(scores: &Scores<'_>, each: usize, best: &mut Vec<Place>) {
    best.clear();
    for place in places(scores).chain([escape(scores)]) {
        if best.len() < each || best.last().is_some_and(|last| place < *last) {
            best.insert(best.partition_point(|other| *other < place), place);
            best.truncate(each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_stands_behind_tokens_that_cost_no_more() {
        let mut before = [0; 2];
        // About twelve bits less likely than the first: the escape's share is 2^-12 of the rest.
        for far in 786_400..786_500 {
            let logits = [0, -far];
            let mut weights = [0; 2];
            lmz_coder::exp2_weights(&logits, 0, &mut weights);
            let scores = Scores {
                logits: &logits,
                max: 0,
                weights: &weights,
                escape_shift: 12,
            };
            let distribution = scores.distribution();
            let cheap = distribution.cost(far as u32) <= distribution.escape_cost();
            let own = escape(&scores);
            let ahead = places(&scores).filter(|&place| place < own).count();
            assert_eq!(ahead, 1 + usize::from(cheap), "{far}");
            let mut best = Vec::new();
            likeliest(&scores, 3, &mut best);
            assert_eq!(best.iter().position(|place| *place == own), Some(ahead));
            before[usize::from(cheap)] += 1;
        }
        assert!(before.iter().all(|&n| n > 0), "{before:?}");
    }
}
