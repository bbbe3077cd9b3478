//! Coded bytes to segments. Segments are the lanes of a batch: one step of the model advances all.

use lmz_coder::Decoder;
use lmz_exact::{Prediction, Query, Symbols};
use lmz_model::Symbol;

use super::context::Drive;
use super::task::{Asked, Side, Task};
use crate::blocks::{block_at, spell};
use crate::error::Result;
use crate::observer::Phase;

/// A segment's raw bytes, or why there are none.
pub type Decoded = Result<Vec<u8>, String>;

impl Drive<'_> {
    /// Decodes segments, each given by its coded bytes and its raw length. One that cannot be decoded gives the reason;
    /// whether the bytes are the right ones only a checksum tells.
    pub fn decode(&self, segments: &[(&[u8], usize)], phase: Phase) -> Result<Vec<Decoded>> {
        let done = self.decoded(segments, phase)?.into_iter();
        let decoded = done.map(|task| match task.failure {
            Some(failure) => Err(failure.to_string()),
            None => Ok(self.spell(&task.symbols)),
        });
        Ok(decoded.collect())
    }

    /// The bytes of the symbols that two coded strings of a segment of `raw_len` bytes have in common at their beginning,
    /// and so has any string between them. Bytes that only look alike do not count: between two symbols that begin in the
    /// same way may lie others.
    pub fn agreed(&self, coded: [&[u8]; 2], raw_len: usize, phase: Phase) -> Result<Vec<u8>> {
        let done = self.decoded(&coded.map(|coded| (coded, raw_len)), phase)?;
        let [low, high] = &done[..] else {
            return Ok(Vec::new());
        };
        let both = low.symbols.iter().zip(high.symbols.iter());
        let agreed = both.take_while(|(low, high)| low == high).count();
        Ok(self.spell(&low.symbols[..agreed]))
    }

    /// The raw bytes of symbols without those that are shown.
    fn spell(&self, symbols: &[Symbol]) -> Vec<u8> {
        let vocabulary = self.model.engine().symbols().vocabulary();
        spell(&symbols[self.shown.len()..], vocabulary)
    }

    fn decoded<'a>(
        &'a self,
        segments: &[(&'a [u8], usize)],
        phase: Phase,
    ) -> Result<Vec<Task<'a, Decoding<'a>>>> {
        let known = self.shown.len();
        let block = block_at(self.policy, known, known);
        let table = self.model.engine().symbols();
        let tasks = segments.iter().map(|&(coded, raw_len)| {
            let coder = Decoder::new(coded);
            Task::new(Decoding { coder, table }, &self.shown[..], block, raw_len)
        });
        self.tasks(phase, tasks.collect())
    }
}

/// Reads coded bytes.
struct Decoding<'a> {
    coder: Decoder<'a>,
    table: &'a Symbols,
}

impl Side for Decoding<'_> {
    fn query(&self, _: Option<Symbol>) -> Asked<Query> {
        Ok(Query::Point(self.coder.point()?))
    }

    fn take(&mut self, _: Option<Symbol>, prediction: &Prediction<'_>) -> Asked<Symbol> {
        let answer = prediction.answer().ok_or("got another answer")?;
        self.coder.take(answer.interval)?;
        Ok(match self.table.token(answer.symbol) {
            Some(token) => Symbol::Token(token),
            None => Symbol::Escape(self.coder.decode_byte()?),
        })
    }
}
