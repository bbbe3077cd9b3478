//! From the last layer's output to answers, which are read back while the device goes on.

use std::pin::Pin;

use cubecl::bytes::Bytes;
use cubecl::prelude::*;
use cubecl::server::ServerError;
use lmz_coder::Shares;
use lmz_exact::{Answer, ExactError, Query, Result};

use super::{ModelOn, Session, cubes, units};
use crate::buffer::Buffer;
use crate::client::failed;
use crate::kernel::ends::{ANSWER_WORDS, SymbolScalars, SymbolScalarsLaunch, symbols};
use crate::kernel::reduce::UNITS;
use crate::launch::launch;
use crate::weights::cap_numbers;

type Copying = Pin<Box<dyn Future<Output = std::result::Result<Vec<Bytes>, ServerError>> + Send>>;

/// A pass's answers on their way from the device.
pub struct Read {
    /// Until they are waited for.
    copying: Option<Copying>,
    /// How many.
    count: usize,
}

impl Read {
    /// Waits for them.
    ///
    /// # Errors
    /// The device failed, or says what cannot be.
    pub fn answers<R: Runtime>(mut self, model: &ModelOn<R>) -> Result<Vec<Answer>> {
        let Some(copying) = self.copying.take() else {
            return Ok(Vec::new());
        };
        let read = lmz_device::catch(|| cubecl::future::block_on(copying));
        let read = read.map_err(|reason| model.failed(&reason))?;
        let read = read.map_err(|error| model.undone(&error))?;
        // A launch that CubeCL dropped leaves old numbers behind.
        model
            .watch
            .check()
            .map_err(|reason| model.failed(&reason))?;
        let words = read.iter().flat_map(|bytes| bytes.chunks_exact(8));
        let words: Vec<u64> = words
            .map(|b| u64::from_le_bytes(b.try_into().unwrap_or_default()))
            .collect();
        if words.len() < self.count * ANSWER_WORDS {
            return Err(model.failed("it sent too little back"));
        }
        words
            .chunks_exact(ANSWER_WORDS)
            .take(self.count)
            .map(|words| model.answer(words))
            .collect()
    }
}

impl Drop for Read {
    /// The device may still write to the memory that the answers go to: it is not given away before.
    fn drop(&mut self) {
        if let Some(copying) = self.copying.take() {
            // Nobody asks any more whether they came.
            let _ = lmz_device::catch(|| cubecl::future::block_on(copying));
        }
    }
}

impl<R: Runtime> Session<R> {
    /// Final norm, head and answers of the rows that are asked for.
    pub(super) fn answers(&self, queries: &[(usize, Query)], pending: bool) -> Option<Read> {
        let Self { model, plan, .. } = self;
        let client = model.client;
        let (cap_inverse, cap) = cap_numbers(model.rules.logit_cap);
        let mut handles = Vec::new();
        for batch in queries.chunks(plan.head_rows) {
            let rows: Vec<u32> = batch.iter().map(|(row, _)| *row as u32).collect();
            let which = Buffer::new(client, &rows);
            let asked: Vec<u32> = batch
                .iter()
                .map(|(_, query)| match *query {
                    Query::Symbol(symbol) => symbol,
                    Query::Point(point) => point,
                })
                .collect();
            let search = matches!(batch[0].1, Query::Point(_));
            self.enter(
                &model.weights.norm,
                &model.weights.head,
                pending,
                &which,
                rows.len(),
                &self.head_a,
            );
            self.linear(&model.weights.head, &self.head_a, &self.logits, rows.len());
            let answers = Buffer::<u64>::room(client, rows.len() * ANSWER_WORDS);
            launch!(
                client, cubes(rows.len(), 1), units(), symbols::Symbols<R>,
                [
                    self.logits.values, self.logits.exponents, Buffer::new(client, &asked),
                    model.weights.sigmoid, answers,
                ],
                [
                    SymbolScalars: SymbolScalarsLaunch::new(
                        model.symbols, model.symbols.div_ceil(UNITS as usize),
                        u64::from(model.escape_shift), cap_inverse, cap,
                    ),
                ],
                [search, model.rules.logit_cap.is_some()],
            );
            handles.push(answers.handle());
        }
        if handles.is_empty() {
            return None;
        }
        Some(Read {
            // All is launched, and the copy behind it, when this returns; it waits for none of it.
            copying: Some(Box::pin(client.read_async(handles))),
            count: queries.len(),
        })
    }
}

impl<R: Runtime> ModelOn<R> {
    /// What a device says is checked before it is believed.
    fn answer(&self, words: &[u64]) -> Result<Answer> {
        let (symbol, distance) = (words[0] as u32 as usize, (words[0] >> 32) as u32);
        let (before, own, sum) = (words[1], words[2], words[3]);
        let most = (self.symbols as u64) << 30;
        let sound = symbol <= self.symbols
            && (1..=most).contains(&sum)
            && before <= sum
            && own <= sum - before
            && (symbol < self.symbols || before == sum);
        if !sound {
            return Err(self.failed("it sent back what no distribution has"));
        }
        let shares = Shares::new(self.symbols, sum, self.escape_shift);
        Ok(Answer {
            symbol,
            interval: shares.interval(symbol, before, own),
            distance,
            shares,
        })
    }

    /// What CubeCL says of a device; why its thread panicked, if it did.
    pub(super) fn undone(&self, error: &ServerError) -> ExactError {
        match self.watch.check() {
            Ok(()) => self.failed(&format!("{error:?}")),
            Err(reason) => self.failed(&reason),
        }
    }

    pub(super) fn failed(&self, reason: &str) -> ExactError {
        failed(&self.device, reason.lines().next().unwrap_or_default())
    }
}
