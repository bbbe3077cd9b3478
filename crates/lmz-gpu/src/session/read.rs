//! Predictions on their way from the device.

use std::pin::Pin;

use cubecl::bytes::Bytes;
use cubecl::prelude::*;
use cubecl::server::{Handle, ServerError};
use lmz_exact::{Prediction, Result, Scores};

use super::model::ModelOn;
use crate::kernel::ends::ANSWER_WORDS;

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
pub enum What {
    /// [`ANSWER_WORDS`] of each.
    Answers,
    /// The head's output, and an exponent of each row.
    Logits,
}

impl Read {
    /// Begins to copy the numbers of `count` predictions.
    pub fn new<R: Runtime>(
        client: &'static ComputeClient<R>,
        handles: Vec<Handle>,
        count: usize,
        what: What,
    ) -> Self {
        Self {
            // All is launched, and the copy behind it, when this returns; it waits for none of it.
            copying: Some(Box::pin(client.read_async(handles))),
            count,
            what,
        }
    }

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
