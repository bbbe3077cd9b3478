//! What is to be known of one symbol to code it.

use lmz_coder::{Cost, Interval, Shares};

/// What the model says of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The symbol; one past the last is the escape.
    pub symbol: usize,
    /// Its interval.
    pub interval: Interval,
    /// The largest logit less the symbol's; nothing for the escape.
    pub distance: u32,
    /// For its cost.
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
