//! From the last layer to distributions of the next symbol.

use super::model::Engine;
use super::pass::Scratch;
use super::run::{Piece, Run};
use super::scores::Scores;
use super::share::Own;
use crate::kernel::{self, Kernel, Softcap};

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
        let batch = self.head_rows();
        let rest = std::mem::take(&mut scratch.x);
        for (x, wanted) in rest.chunks(batch * width).zip(wanted.chunks(batch)) {
            scratch.x.clear();
            scratch.x.extend_from_slice(x);
            scratch.begin(wanted.len(), &self.parts.shape, false);
            scratch.room_for(&self.parts.head);
            scratch.each(&[], &mut [], &[], &|share| {
                self.norm(share, &self.parts.norm, &self.parts.head);
            });
            scratch.linear(self.kernel, &self.parts.head);
            scratch.each(&[], &mut [], &[], &|share| {
                self.finish(share, &self.parts.head)
            });
            let Scratch {
                y, e, own, team, ..
            } = &mut *scratch;
            let rows: Vec<_> = y
                .chunks_exact(self.parts.head.out_padded())
                .zip(&*e)
                .collect();
            // Each thread makes a row's logits and weights; they are handed out in order.
            for (rows, wanted) in rows.chunks(own.len()).zip(wanted.chunks(own.len())) {
                let mut ends: Vec<_> = rows
                    .iter()
                    .zip(&mut *own)
                    .map(|(&(y, &e), own)| End { y, e, own, max: 0 })
                    .collect();
                match team {
                    Some(team) => team.each(&mut ends, &|end| self.end(end)),
                    None => ends.iter_mut().for_each(|end| self.end(end)),
                }
                for (end, &(_, run, token)) in ends.iter().zip(wanted) {
                    let scores = Scores {
                        max: end.max,
                        logits: &end.own.logits,
                        weights: &end.own.weights,
                        escape_shift: self.symbols.escape_shift(),
                    };
                    visit(run, token, &scores);
                }
            }
        }
        scratch.x = rest;
    }

    fn end(&self, end: &mut End<'_>) {
        let symbols = self.symbols.len();
        let Own {
            logits, weights, ..
        } = &mut *end.own;
        logits.resize(symbols, 0);
        weights.resize(symbols, 0);
        let softcap = self.parts.rules.final_softcap;
        end.max = self::logits(
            self.kernel,
            &end.y[..symbols],
            end.e,
            softcap,
            logits,
            weights,
        );
    }
}

/// The head's output for one row.
struct End<'a> {
    y: &'a [i32],
    e: i32,
    /// Takes its logits and weights.
    own: &'a mut Own,
    /// The largest logit.
    max: i32,
}
