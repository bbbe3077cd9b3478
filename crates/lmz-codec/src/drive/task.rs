//! What is run in a lane.

use std::borrow::Cow;
use std::error::Error;
use std::ops::Range;

use lmz_exact::{Cache, Prediction, Query, Row};
use lmz_model::Symbol;

use super::context::Drive;
use crate::blocks::{Block, block_at, input, spelling};

/// A side of coding. One knows the symbols that it asks about; the answers tell the other which they are.
pub trait Side: Send {
    /// What is asked of the prediction of a symbol, which may be known.
    fn query(&self, known: Option<Symbol>) -> Asked<Query>;

    /// Takes the answer for a symbol, and returns it.
    fn take(&mut self, known: Option<Symbol>, prediction: &Prediction<'_>) -> Asked<Symbol>;
}

/// What comes of asking, or why a task does not go on.
pub type Asked<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Symbols of which the model is asked, block by block, in a lane of their own.
pub struct Task<'a, S> {
    pub side: S,
    /// All that are known, those that are shown first.
    pub symbols: Cow<'a, [Symbol]>,
    /// The block that it is in.
    pub block: Block,
    /// Number of the symbol that is taken next.
    next: usize,
    /// Raw bytes of the symbols that are still to come.
    pub left: usize,
    /// What it ended with, if it did not come to its end.
    pub failure: Option<Box<dyn Error + Send + Sync>>,
    /// By which it is told from other tasks.
    pub number: usize,
    /// Positions of its block that its lane has been run on.
    pub read: usize,
    /// What these left, while it goes from one worker to another.
    pub cache: Option<Cache>,
}

/// Rows that the lanes of some seats are run on together, and what is asked about them.
pub struct Pass {
    pub rows: Vec<Row>,
    pub queries: Vec<(usize, Query)>,
    /// A seat's lane has its number.
    pub seats: Range<usize>,
    /// Rows that it takes at most.
    pub most: usize,
}

impl<'a, S: Side> Task<'a, S> {
    /// One that begins with a block.
    pub fn new(side: S, symbols: impl Into<Cow<'a, [Symbol]>>, block: Block, left: usize) -> Self {
        Self {
            side,
            symbols: symbols.into(),
            block,
            next: block.first,
            left,
            failure: None,
            number: 0,
            read: 0,
            cache: None,
        }
    }

    /// Positions that its lane has to have: no more than there are symbols, one a byte at most.
    pub fn positions(&self) -> usize {
        let block = self.block;
        block.overlap + (block.end - block.first).min(self.left + 1)
    }

    /// Whether nothing is left to ask.
    pub fn is_done(&self) -> bool {
        let known = self.symbols.len().min(self.block.end);
        self.failure.is_some() || self.left == 0 && self.next >= known
    }

    /// Puts what the lane reads next, as far as there is room, and what is asked about it.
    pub fn ask(&mut self, drive: &Drive<'_>, lane: usize, pass: &mut Pass) -> Asked<()> {
        let start_token = drive.model.engine().start_token();
        let from = self.block.first - self.block.overlap;
        let last = self.symbols.len().min(self.block.end - 1) - from;
        let room = pass.most.saturating_sub(pass.rows.len());
        let end = (last + 1).min(self.read.saturating_add(room));
        for position in self.read..end {
            // The start token comes first; then each symbol is read to predict the one behind it.
            let predicted = from + position;
            let token = match position {
                0 => start_token,
                _ => input(&self.symbols[predicted - 1], start_token),
            };
            if predicted >= self.next {
                let query = self.side.query(self.symbols.get(predicted).copied())?;
                pass.queries.push((pass.rows.len(), query));
            }
            pass.rows.push(Row {
                lane: lane as u32,
                position: position as u32,
                token,
            });
        }
        self.read = end;
        Ok(())
    }

    /// Takes the answer to the oldest question. Returns how many raw bytes are done with it.
    pub fn take(&mut self, drive: &Drive<'_>, prediction: &Prediction<'_>) -> Asked<usize> {
        let known = self.symbols.get(self.next).copied();
        let symbol = self.side.take(known, prediction)?;
        let vocabulary = drive.model.engine().symbols().vocabulary();
        let len = spelling(&symbol, vocabulary).len();
        let left = self.left.checked_sub(len);
        self.left = left.ok_or("holds more bytes than it should")?;
        if known.is_none() {
            self.symbols.to_mut().push(symbol);
        }
        self.next += 1;
        if self.next == self.block.end && self.left > 0 {
            self.block = block_at(drive.policy, drive.shown.len(), self.next);
            self.read = 0;
        }
        Ok(len)
    }
}
