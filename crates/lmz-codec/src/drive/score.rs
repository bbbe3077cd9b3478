//! What the model says of known symbols. The unit of parallel work is a block: its inputs are known.

use lmz_exact::{Prediction, Query, Symbols};
use lmz_model::Symbol;

use super::context::Drive;
use super::task::{Asked, Side, Task};
use crate::blocks::{Block, blocks, spelling};
use crate::error::{CodecError, Result};
use crate::observer::Phase;

/// What is kept of the predictions of known symbols.
pub trait Keep: Sync {
    /// Of the symbols of one block.
    type Kept: Default + Send;

    /// What is asked of the model to code the symbol.
    fn query(&self, _known: Known) -> Query {
        Query::Distribution
    }

    /// Keeps the answer. Symbols come in order.
    fn keep(&self, kept: &mut Self::Kept, known: Known, prediction: &Prediction<'_>);
}

/// A symbol that is known.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub symbol: Symbol,
    /// Its number in the engine's table: the escape's is one past the last.
    pub number: usize,
}

/// A segment's blocks, and what was kept of each.
pub type Scored<K> = Vec<(Block, K)>;

impl Drive<'_> {
    /// What `keep` keeps of what the model says of each segment's symbols, the first of which are those that are shown.
    pub fn score<K: Keep>(
        &self,
        segments: &[Vec<Symbol>],
        keep: &K,
    ) -> Result<Vec<Scored<K::Kept>>> {
        let table = self.model.engine().symbols();
        let (mut tasks, mut owners) = (Vec::new(), Vec::new());
        for (segment, symbols) in segments.iter().enumerate() {
            for block in blocks(self.policy, self.shown.len(), symbols.len()) {
                let kept = K::Kept::default();
                let own = symbols[block.first..block.end].iter();
                let bytes = own.map(|symbol| spelling(symbol, table.vocabulary()).len());
                let bytes = bytes.sum();
                tasks.push(Task::new(
                    Reading { keep, table, kept },
                    symbols,
                    block,
                    bytes,
                ));
                owners.push(segment);
            }
        }
        let mut scored: Vec<Scored<K::Kept>> = segments.iter().map(|_| Vec::new()).collect();
        for (segment, task) in owners.into_iter().zip(self.tasks(Phase::Encode, tasks)?) {
            if let Some(failure) = task.failure {
                return Err(CodecError::InvalidArgument(failure.to_string()));
            }
            scored[segment].push((task.block, task.side.kept));
        }
        Ok(scored)
    }
}

/// Reads a block.
struct Reading<'a, K: Keep> {
    keep: &'a K,
    table: &'a Symbols,
    kept: K::Kept,
}

impl<K: Keep> Reading<'_, K> {
    fn known(&self, symbol: Option<Symbol>) -> Asked<Known> {
        let symbol = symbol.ok_or("a symbol is missing")?;
        let number = match symbol {
            Symbol::Escape(_) => Some(self.table.len()),
            Symbol::Token(token) => self.table.symbol(token),
        };
        let number = number.ok_or("the tokeniser gave a token that cannot be coded")?;
        Ok(Known { symbol, number })
    }
}

impl<K: Keep> Side for Reading<'_, K> {
    fn query(&self, symbol: Option<Symbol>) -> Asked<Query> {
        Ok(self.keep.query(self.known(symbol)?))
    }

    fn take(&mut self, symbol: Option<Symbol>, prediction: &Prediction<'_>) -> Asked<Symbol> {
        let known = self.known(symbol)?;
        self.keep.keep(&mut self.kept, known, prediction);
        Ok(known.symbol)
    }
}
