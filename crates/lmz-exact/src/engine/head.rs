//! From the last layer to distributions of the next symbol.

use super::model::Engine;
use super::pass::{Piece, Run, Scratch};
use super::scores::Scores;
use super::shape::MAX_ROWS;
use crate::kernel::{self, Kernel, Softcap};

/// Logits that are held at once.
const MAX_LOGITS: usize = 1 << 19;

/// Logits and weights of one row from the head's output `y` with its exponent (docs/numerics.md, sections 4 and 6);
/// returns the largest logit.
pub fn logits(
    kernel: Kernel,
    y: &[i32],
    e: i32,
    softcap: Option<Softcap>,
    logits: &mut [i32],
    weights: &mut [u32],
) -> i32 {
    match softcap {
        None => kernel::logits(kernel, y, e, logits, weights),
        Some(cap) => kernel::capped_logits(kernel, y, e, cap, logits, weights),
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
        let width = self.parts.shape.width;
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
        let batch = (MAX_LOGITS / self.parts.head.out_padded()).clamp(kernel::TILE, MAX_ROWS);
        let rest = std::mem::take(&mut scratch.x);
        for (x, wanted) in rest.chunks(batch * width).zip(wanted.chunks(batch)) {
            scratch.x.clear();
            scratch.x.extend_from_slice(x);
            self.norm(scratch, &self.parts.norm, &self.parts.head);
            self.linear(scratch, &self.parts.head);
            let Scratch {
                y,
                e,
                logits,
                weights,
                ..
            } = &mut *scratch;
            logits.resize(self.symbols.len(), 0);
            weights.resize(self.symbols.len(), 0);
            let rows = y.chunks_exact(self.parts.head.out_padded()).zip(e.iter());
            for ((y, &e), &(_, run, token)) in rows.zip(wanted) {
                let y = &y[..self.symbols.len()];
                let softcap = self.parts.rules.final_softcap;
                let scores = Scores {
                    max: self::logits(self.kernel, y, e, softcap, logits, weights),
                    logits,
                    weights,
                    escape_shift: self.symbols.escape_shift(),
                };
                visit(run, token, &scores);
            }
        }
        scratch.x = rest;
    }
}
