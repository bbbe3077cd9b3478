//! What the model says of known symbols. The unit of parallel work is a block: its inputs are known.

use lmz_exact::{Prediction, Query};
use lmz_model::Symbol;

use super::context::Drive;
use super::crew::Load;
use super::task::{Pass, Task};
use super::workers::Sizes;
use crate::blocks::{Block, blocks, raw_len, read_by};
use crate::error::{CodecError, Result};
use crate::observer::Phase;
use crate::pool;

/// Lanes of a device that blocks are read in: a pass holds many positions of each.
const DEVICE_LANES: usize = 64;

/// What is kept of the predictions of known symbols.
pub trait Keep: Sync {
    /// Of the symbols of one block.
    type Kept: Default + Send;

    /// What is asked of the model to code the symbol of this number.
    fn query(&self, number: usize) -> Query;

    /// Keeps the answer. Symbols come in order.
    fn keep(
        &self,
        kept: &mut Self::Kept,
        symbol: Symbol,
        number: usize,
        prediction: &Prediction<'_>,
    );
}

/// A segment's blocks, and what was kept of each.
pub type Scored<K> = Vec<(Block, K)>;

impl Drive<'_> {
    /// What `keep` keeps of what the model says of each segment's symbols, the first of which are those that are shown.
    /// `raw_len` is for the observer.
    pub fn score<K: Keep>(
        &self,
        segments: &[Vec<Symbol>],
        keep: &K,
        raw_len: usize,
    ) -> Result<Vec<Scored<K::Kept>>> {
        let known = self.shown.len();
        let of = |(segment, symbols): (usize, &Vec<Symbol>)| {
            blocks(self.policy, known, symbols.len()).map(move |block| (segment, block))
        };
        let blocks: Vec<(usize, Block)> = segments.iter().enumerate().flat_map(of).collect();
        let size = |(_, block): &(usize, Block)| block.end - block.first + block.overlap;
        let load = Load {
            tasks: blocks.len(),
            raw_len,
            phase: Phase::Encode,
        };
        let sizes = Sizes {
            device_lanes: blocks.len().min(DEVICE_LANES),
            threads: pool::threads().clamp(1, blocks.len().max(1)),
            cpu_lanes: 1,
            positions: blocks.iter().map(size).max().unwrap_or(0),
        };
        let read = self.tasks(load, sizes, |number| {
            let (segment, block) = blocks[number];
            Reading::new(self, keep, &segments[segment], block)
        })?;
        let mut scored: Vec<Scored<K::Kept>> = segments.iter().map(|_| Vec::new()).collect();
        for ((segment, block), reading) in blocks.into_iter().zip(read) {
            scored[segment].push((block, reading.kept));
        }
        Ok(scored)
    }
}

/// A block that is being read.
struct Reading<'a, K: Keep> {
    keep: &'a K,
    /// The symbols that are asked about, and their numbers in the engine's table.
    symbols: &'a [Symbol],
    numbers: Vec<usize>,
    inputs: Vec<u32>,
    /// Inputs that were put into passes, or that the lane had from the beginning.
    read: usize,
    kept: K::Kept,
    answered: usize,
    raw_len: usize,
    begins: bool,
}

impl<'a, K: Keep> Reading<'a, K> {
    fn new(drive: &Drive<'_>, keep: &'a K, symbols: &'a [Symbol], block: Block) -> Result<Self> {
        let engine = drive.model.engine();
        let table = engine.symbols();
        let mut inputs = Vec::new();
        read_by(block, symbols, engine.start_token(), &mut inputs);
        let symbols = &symbols[block.first..block.end];
        // The escape's number is one past the last.
        let number = |symbol: &Symbol| match symbol {
            Symbol::Escape(_) => Some(table.len()),
            Symbol::Token(token) => table.symbol(*token),
        };
        let numbers: Option<Vec<usize>> = symbols.iter().map(number).collect();
        let raw_lens = symbols
            .iter()
            .map(|symbol| raw_len(symbol, table.vocabulary()));
        Ok(Self {
            keep,
            symbols,
            numbers: numbers.ok_or_else(|| {
                CodecError::InvalidArgument(
                    "the tokeniser gave a token that cannot be coded".into(),
                )
            })?,
            inputs,
            read: 0,
            kept: K::Kept::default(),
            answered: 0,
            raw_len: raw_lens.sum(),
            begins: block.first == drive.shown.len(),
        })
    }
}

impl<K: Keep> Task for Reading<'_, K> {
    fn ask(&mut self, pass: &mut Pass) {
        let overlap = self.inputs.len() - self.symbols.len();
        let end = self.inputs.len().min(self.read + pass.room());
        for position in self.read..end {
            pass.put(position, self.inputs[position]);
            if let Some(asked) = position.checked_sub(overlap) {
                pass.ask(self.keep.query(self.numbers[asked]));
            }
        }
        self.read = end;
    }

    fn take(&mut self, prediction: &Prediction<'_>) -> u64 {
        let (symbol, number) = (self.symbols[self.answered], self.numbers[self.answered]);
        self.keep.keep(&mut self.kept, symbol, number, prediction);
        self.answered += 1;
        // All at once: a block may have to begin again.
        match self.is_done() {
            true => self.raw_len as u64,
            false => 0,
        }
    }

    fn is_done(&self) -> bool {
        self.answered == self.symbols.len()
    }

    fn left(&self) -> usize {
        self.inputs.len() - self.read
    }

    fn begins(&self) -> bool {
        self.begins
    }

    fn resume(&mut self, positions: usize) {
        self.read = positions;
        self.answered = 0;
        self.kept = K::Kept::default();
    }
}
