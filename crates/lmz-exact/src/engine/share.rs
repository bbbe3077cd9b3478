//! Rows of a pass that one thread takes.

use super::attention::Buffers;
use super::run::{Piece, Run};

/// What a thread has for itself.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Wide mantissas of one row.
    pub p: Vec<i64>,
    pub attention: Buffers,
    pub logits: Vec<i32>,
    pub weights: Vec<u32>,
}

/// Some rows in the buffers of a pass, whole pieces of it.
pub(super) struct Share<'a, 'r> {
    pub rows: usize,
    pub x: &'a mut [i32],
    pub before: &'a mut [i32],
    pub a: &'a mut [i16],
    pub e: &'a mut [i32],
    pub y: &'a mut [i32],
    pub low: &'a mut [i32],
    pub heads: &'a mut [i64],
    pub head_exponents: &'a mut [i32],
    /// Of this thread, and of those that take the rows behind these.
    pub own: &'a mut [Own],
    pub runs: &'a mut [Run<'r>],
    /// The number of the first of these.
    pub first_run: usize,
    pub pieces: &'a [Piece],
}

/// Which rows a share has.
#[derive(Debug)]
pub(super) struct Cut {
    rows: usize,
    pieces: usize,
    /// One past its last run.
    end: usize,
}

/// Cuts a pass into at most `threads` parts of about as many rows: between pieces, as the rows of a lane read what
/// those before it have stored.
pub(super) fn cuts(pieces: &[Piece], threads: usize) -> Vec<Cut> {
    let all: usize = pieces.iter().map(|piece| piece.n).sum();
    let mut cuts: Vec<Cut> = Vec::with_capacity(threads);
    let (mut before, mut last) = (0, usize::MAX);
    for piece in pieces {
        // By its middle.
        let part = (2 * before + piece.n) * threads / (2 * all.max(1));
        before += piece.n;
        if part != last {
            cuts.push(Cut {
                rows: 0,
                pieces: 0,
                end: 0,
            });
            last = part;
        }
        let cut = cuts.last_mut().expect("one was pushed");
        cut.rows += piece.n;
        cut.pieces += 1;
        cut.end = piece.run + 1;
    }
    cuts
}

impl<'a, 'r> Share<'a, 'r> {
    /// Parts with the first rows.
    pub fn take(&mut self, cut: &Cut) -> Share<'a, 'r> {
        let (all, rows) = (self.rows, cut.rows);
        self.rows -= rows;
        let (own, all_runs) = (self.own.len(), self.runs.len());
        let runs = cut.end - self.first_run;
        let (pieces, rest) = self.pieces.split_at(cut.pieces);
        self.pieces = rest;
        Share {
            rows,
            x: first(&mut self.x, rows, all),
            before: first(&mut self.before, rows, all),
            a: first(&mut self.a, rows, all),
            e: first(&mut self.e, rows, all),
            y: first(&mut self.y, rows, all),
            low: first(&mut self.low, rows, all),
            heads: first(&mut self.heads, rows, all),
            head_exponents: first(&mut self.head_exponents, rows, all),
            own: first(&mut self.own, 1, own),
            runs: first(&mut self.runs, runs, all_runs),
            first_run: std::mem::replace(&mut self.first_run, cut.end),
            pieces,
        }
    }
}

/// Parts with the first `rows` of `all` rows.
fn first<'a, T>(from: &mut &'a mut [T], rows: usize, all: usize) -> &'a mut [T] {
    let at = from.len() / all * rows;
    let (first, rest) = std::mem::take(from).split_at_mut(at);
    *from = rest;
    first
}
