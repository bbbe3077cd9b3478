//! From the last layer to distributions of the next symbol.

use lmz_coder::{Cost, Distribution, Interval};

use super::Engine;
use super::forward::{MAX_ROWS, Piece, Run, Scratch};
use crate::kernel;

/// Logits that are held at once.
const MAX_LOGITS: usize = 1 << 19;

/// What the model says of the symbol after a position.
#[derive(Debug)]
pub struct Scores<'a> {
    /// Logits by symbol: log2 units, 16 fractional bits.
    pub logits: &'a [i32],
    /// The largest of them.
    pub max: i32,
    /// Weights by symbol.
    pub weights: &'a [u32],
    escape_shift: u32,
}

impl Scores<'_> {
    /// The distribution of the next symbol.
    pub fn distribution(&self) -> Distribution<'_> {
        Distribution::new(self.weights, self.escape_shift)
    }

    /// Interval and ideal cost of a symbol, which may be the escape.
    pub fn code(&self, symbol: usize) -> (Interval, Cost) {
        let distribution = self.distribution();
        let cost = match self.logits.get(symbol) {
            Some(&logit) => distribution.cost(self.max.wrapping_sub(logit) as u32),
            None => distribution.escape_cost(),
        };
        (distribution.interval(symbol), cost)
    }
}

impl Engine {
    /// Final norm, head and distribution of the wanted rows.
    pub(super) fn scores(
        &self,
        scratch: &mut Scratch,
        runs: &[Run<'_>],
        pieces: &[Piece],
        visit: &mut dyn FnMut(usize, usize, &Scores<'_>),
    ) {
        let width = self.shape.width;
        let mut wanted = Vec::new();
        let mut row = 0;
        for piece in pieces {
            for token in piece.from..piece.from + piece.n {
                if token >= runs[piece.run].wanted {
                    wanted.push((row, piece.run, token));
                }
                row += 1;
            }
        }
        // Only those rows go on.
        for (to, &(from, ..)) in wanted.iter().enumerate() {
            scratch
                .x
                .copy_within(from * width..(from + 1) * width, to * width);
        }
        scratch.x.truncate(wanted.len() * width);
        let batch = (MAX_LOGITS / self.head.out_padded()).clamp(kernel::TILE, MAX_ROWS);
        let rest = std::mem::take(&mut scratch.x);
        for (x, wanted) in rest.chunks(batch * width).zip(wanted.chunks(batch)) {
            scratch.x.clear();
            scratch.x.extend_from_slice(x);
            self.norm(scratch, &self.norm, &self.head);
            self.linear(scratch, &self.head);
            let Scratch {
                y,
                e,
                logits,
                weights,
                ..
            } = &mut *scratch;
            logits.resize(self.symbols.len(), 0);
            weights.resize(self.symbols.len(), 0);
            let rows = y.chunks_exact(self.head.out_padded()).zip(e.iter());
            for ((y, &e), &(_, run, token)) in rows.zip(wanted) {
                let y = &y[..self.symbols.len()];
                let max = match self.rules.logit_cap {
                    None => kernel::logits(self.kernel, y, e, logits, weights),
                    Some(cap) => kernel::capped_logits(self.kernel, y, e, cap, logits, weights),
                };
                let scores = Scores {
                    logits,
                    max,
                    weights,
                    escape_shift: self.symbols.escape_shift(),
                };
                visit(run, token, &scores);
            }
        }
        scratch.x = rest;
    }
}
