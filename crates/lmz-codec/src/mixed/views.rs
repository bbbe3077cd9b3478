//! What is kept of the model's distributions until the walk comes by.

#[cfg(feature = "encode")]
use lmz_exact::{Prediction, Symbols};
use lmz_mix::{Views, Walk};

#[cfg(feature = "encode")]
use crate::drive::{Keep, Known};

/// What is kept of the model's predictions of a block.
#[derive(Debug, Default)]
pub struct BlockViews {
    views: Vec<i16>,
    /// Of each symbol: where its views end, and the most likely place.
    symbols: Vec<(u32, u32)>,
    /// For the next prediction.
    sums: Vec<u64>,
}

impl BlockViews {
    /// Keeps those of one more symbol, from the weights of all; it has a place if it is a token.
    pub fn push(&mut self, walk: &Walk, weights: &[u32], place: Option<usize>) {
        let mut sums = walk.sums(weights, &mut self.sums);
        let likely = walk.reduce(&mut sums, place, &mut self.views);
        self.symbols.push((self.views.len() as u32, likely));
    }

    /// How many symbols the block has.
    #[cfg(feature = "encode")]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// The views of one symbol of the block.
    pub fn of(&self, symbol: usize) -> Views<'_> {
        let from = match symbol {
            0 => 0,
            n => self.symbols[n - 1].0,
        };
        let (to, likely) = self.symbols[symbol];
        Views::new(&self.views[from as usize..to as usize], likely)
    }
}

/// Reduces distributions to the views of the decisions on a symbol's path.
#[cfg(feature = "encode")]
#[derive(Clone, Copy)]
pub struct Reduce<'a> {
    pub walk: &'a Walk,
    pub table: &'a Symbols,
}

#[cfg(feature = "encode")]
impl Keep for Reduce<'_> {
    type Kept = BlockViews;

    fn keep(&self, kept: &mut BlockViews, known: Known, prediction: &Prediction<'_>) {
        if let Some(scores) = prediction.distribution() {
            let token = known.number < self.table.len();
            let place = token.then(|| self.walk.place(known.number));
            kept.push(self.walk, scores.weights, place);
        }
    }
}
