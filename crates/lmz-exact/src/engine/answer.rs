//! What a coder needs to know of one symbol.

use lmz_coder::{Cost, Interval, Shares};

/// What the model says of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The symbol; one past the last is the escape.
    pub symbol: usize,
    /// Its part of the code space; with it the symbol is encoded or decoded.
    pub interval: Interval,
    /// The largest logit less the symbol's, log2 units with 16 fractional bits; 0 for the escape.
    pub distance: u32,
    /// The sum of the weights, from which the ideal cost follows.
    pub shares: Shares,
}

impl Answer {
    /// The symbol's ideal cost, without the raw byte behind an escape.
    pub fn cost(&self) -> Cost {
        if self.symbol == self.shares.escape() {
            self.shares.escape_cost()
        } else {
            self.shares.cost(self.distance)
        }
    }
}
