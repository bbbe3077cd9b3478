//! The distribution of the next symbol.

use lmz_coder::{Cost, Distribution, Interval};

use super::answer::Answer;

/// The distribution of the symbol after a position.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// Logits by symbol: log2 units, 16 fractional bits.
    pub logits: &'a [i32],
    /// The largest of them.
    pub max: i32,
    /// Weights by symbol: 2^30 times 2 to the power of the logit less the largest.
    pub weights: &'a [u32],
    /// As [`Distribution::new`] takes it.
    pub escape_shift: u32,
}

impl<'a> Scores<'a> {
    /// The distribution of the next symbol.
    pub fn distribution(&self) -> Distribution<'a> {
        Distribution::new(self.weights, self.escape_shift)
    }

    /// Interval and ideal cost of a symbol, which may be the escape.
    pub fn code(&self, symbol: usize) -> (Interval, Cost) {
        let answer = self.of(symbol);
        (answer.interval, answer.cost())
    }

    /// What is to be known of a symbol, which may be the escape.
    pub fn of(&self, symbol: usize) -> Answer {
        let distribution = self.distribution();
        self.answer(&distribution, symbol, distribution.interval(symbol))
    }

    /// The same of the symbol whose interval holds `point`.
    pub fn at(&self, point: u32) -> Answer {
        let distribution = self.distribution();
        let (symbol, interval) = distribution.find(point);
        self.answer(&distribution, symbol, interval)
    }

    fn answer(&self, of: &Distribution<'_>, symbol: usize, interval: Interval) -> Answer {
        let logit = self.logits.get(symbol).copied().unwrap_or(self.max);
        Answer {
            symbol,
            interval,
            distance: self.max.wrapping_sub(logit) as u32,
            shares: *of.shares(),
        }
    }
}
