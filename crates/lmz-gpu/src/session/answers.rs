//! From the last layer's output to predictions, which are read back while the device goes on.

use std::pin::Pin;

use cubecl::bytes::Bytes;
use cubecl::prelude::*;
use cubecl::server::{Handle, ServerError};
use lmz_coder::Shares;
use lmz_exact::{Answer, ExactError, Prediction, Query, Result, Scores};

use super::{ModelOn, Session, cubes, units};
use crate::buffer::Buffer;
use crate::client::failed;
use crate::kernel::ends::{ANSWER_WORDS, SymbolScalars, SymbolScalarsLaunch, symbols};
use crate::kernel::reduce::UNITS;
use crate::launch::launch;
use crate::weights::softcap_numbers;

type Copying = Pin<Box<dyn Future<Output = std::result::Result<Vec<Bytes>, ServerError>> + Send>>;

/// A batch of predictions on its way from the device.
pub struct Read {
    /// Until it is waited for.
    copying: Option<Copying>,
    /// How many predictions.
    count: usize,
    what: What,
}

/// What is read back.
#[derive(Clone, Copy)]
enum What {
    /// [`ANSWER_WORDS`] of each.
    Answers,
    /// The head's output, and an exponent of each row.
    Logits,
}

impl Read {
    /// Waits for the predictions, and hands them out with their numbers, from `first` on. Returns how many they were.
    ///
    /// # Errors
    /// The device failed, or says what cannot be.
    pub fn hand_out<R: Runtime>(
        mut self,
        model: &ModelOn<R>,
        first: usize,
        take: &mut dyn FnMut(usize, &Prediction<'_>),
    ) -> Result<usize> {
        let Some(copying) = self.copying.take() else {
            return Ok(0);
        };
        let read = lmz_device::catch(|| cubecl::future::block_on(copying));
        let read = read.map_err(|reason| model.failed(&reason))?;
        let read = read.map_err(|error| model.undone(&error))?;
        // A launch that CubeCL dropped leaves old numbers behind.
        model
            .watch
            .check()
            .map_err(|reason| model.failed(&reason))?;
        match (self.what, &read[..]) {
            (What::Answers, [answers]) => {
                let words: Vec<u64> = numbers(answers, u64::from_le_bytes);
                let answers = words.chunks_exact(ANSWER_WORDS);
                if answers.len() < self.count {
                    return Err(model.failed("it sent too little back"));
                }
                for (words, number) in answers.take(self.count).zip(first..) {
                    take(number, &Prediction::Answer(model.answer(words)?));
                }
            }
            (What::Logits, [outputs, exponents]) => {
                let outputs: Vec<i32> = numbers(outputs, i32::from_le_bytes);
                let exponents: Vec<i32> = numbers(exponents, i32::from_le_bytes);
                let rows = outputs.chunks_exact(model.symbols).zip(exponents);
                if rows.len() < self.count {
                    return Err(model.failed("it sent too little back"));
                }
                // The device's numbers, and the CPU's arithmetic from there on.
                let mut logits = vec![0; model.symbols];
                let mut weights = vec![0; model.symbols];
                for ((y, e), number) in rows.take(self.count).zip(first..) {
                    let softcap = model.rules.final_softcap;
                    let max = lmz_exact::parts::logits(
                        model.kernel,
                        y,
                        e,
                        softcap,
                        &mut logits,
                        &mut weights,
                    );
                    let scores = Scores {
                        logits: &logits,
                        max,
                        weights: &weights,
                        escape_shift: model.escape_shift,
                    };
                    take(number, &Prediction::Distribution(scores));
                }
            }
            _ => return Err(model.failed("it sent too little back")),
        }
        Ok(self.count)
    }
}

/// Little-endian numbers.
fn numbers<T, const N: usize>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|&chunk| number(chunk)).collect()
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
    /// Final norm, head and predictions of the rows that are asked for.
    pub(super) fn answers(&self, queries: &[(usize, Query)], pending: bool) -> Vec<Read> {
        let Self { model, plan, .. } = self;
        let client = model.client;
        let mut reads = Vec::new();
        for batch in queries.chunks(plan.head_rows) {
            let rows: Vec<u32> = batch.iter().map(|(row, _)| *row as u32).collect();
            let which = Buffer::new(client, &rows);
            self.enter(
                &model.weights.norm,
                &model.weights.head,
                pending,
                &which,
                rows.len(),
                &self.head_a,
            );
            self.linear(&model.weights.head, &self.head_a, &self.logits, rows.len());
            let (what, handles) = match batch[0].1 {
                Query::Distribution => {
                    let outputs = self.logits.values.first(rows.len() * model.symbols);
                    let exponents = self.logits.exponents.first(rows.len());
                    (What::Logits, vec![outputs, exponents])
                }
                Query::Symbol(_) => (What::Answers, vec![self.symbols(batch, false)]),
                Query::Point(_) => (What::Answers, vec![self.symbols(batch, true)]),
            };
            reads.push(Read {
                // All is launched, and the copy behind it, when this returns; it waits for none of it.
                copying: Some(Box::pin(client.read_async(handles))),
                count: rows.len(),
                what,
            });
        }
        reads
    }

    /// What is to be known of a symbol of each row of logits: of those asked for, or with `search` of those at the points.
    fn symbols(&self, batch: &[(usize, Query)], search: bool) -> Handle {
        let model = &self.model;
        let client = model.client;
        let asked: Vec<u32> = batch
            .iter()
            .map(|(_, query)| match *query {
                Query::Symbol(symbol) => symbol,
                Query::Point(point) => point,
                Query::Distribution => 0,
            })
            .collect();
        let softcap = model.rules.final_softcap;
        let (cap_inverse, cap) = softcap_numbers(softcap);
        let answers = Buffer::<u64>::room(client, batch.len() * ANSWER_WORDS);
        launch!(
            client, cubes(batch.len(), 1), units(), symbols::Symbols<R>,
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
            [search, softcap.is_some()],
        );
        answers.handle()
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
