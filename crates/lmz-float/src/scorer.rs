//! A model that scores.

use std::sync::Arc;

use lmz_model::Weights;

use crate::engine::{self, Engine};
use crate::error::Result;
use crate::scoring::{ScoringOptions, Window};

/// A model that scores, on whichever device and from memory or disk.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let weights: std::sync::Arc<dyn lmz_model::Weights + Send + Sync> = todo!();
/// use lmz_float::{Scorer, ScoringOptions, Window};
///
/// let mut scorer = Scorer::open(weights, ScoringOptions::default())?;
/// let tokens = [1, 5, 7, 7, 2];
/// let window = Window { tokens: &tokens, scored: 4 };
/// let nats: f32 = scorer.surprisals(&[window])?[0].iter().sum();
/// println!("{}: {} bits", scorer.description(), nats / std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
pub struct Scorer {
    engine: Box<dyn Engine>,
}

impl Scorer {
    /// Opens a model. Where the device is missing or fails, the CPU takes its place and
    /// [`notice`](Self::notice) says so.
    ///
    /// # Errors
    /// Weights that cannot be read; a device that does not compute in `dtype`; a budget that
    /// does not hold one layer.
    pub fn open(weights: Arc<dyn Weights + Send + Sync>, options: ScoringOptions) -> Result<Self> {
        Ok(Self {
            engine: engine::open(weights, options)?,
        })
    }

    /// How many windows of `tokens` tokens one call should bring, at most. At least 1.
    pub fn batch(&self, tokens: usize) -> usize {
        self.engine.batch(tokens)
    }

    /// For each window the surprisals of its last `scored` tokens, in nats: `-ln p(token | the
    /// tokens of the window before it)`.
    ///
    /// The windows are batched longest first; more than [`batch`](Self::batch) of them take
    /// several batches.
    ///
    /// # Errors
    /// A token outside the vocabulary, a window that is too short or longer than the model
    /// takes, or a failure of the device with one window at a time.
    pub fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>> {
        self.engine.surprisals(windows)
    }

    /// For each row of tokens the logits of all its positions, `[tokens, vocab_size]`.
    ///
    /// # Errors
    /// As [`surprisals`](Self::surprisals).
    pub fn logits(&mut self, rows: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        rows.iter().map(|row| self.engine.logits(row)).collect()
    }

    /// The device's name, the number type, and whether layers are read from disk.
    pub fn description(&self) -> String {
        self.engine.description()
    }

    /// What the user should know: that another device was taken than the one asked for.
    pub fn notice(&self) -> Option<&str> {
        self.engine.notice()
    }

    /// Whether layers are read from disk for each pass.
    pub fn streamed(&self) -> bool {
        self.engine.streamed()
    }
}
