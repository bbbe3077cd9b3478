//! Scoring: how surprising a model finds tokens.

mod batches;
mod resident;
mod spill;
mod streamed;

use std::path::PathBuf;
use std::sync::Arc;

use lmz_model::Weights;

use crate::dtype::Dtype;
use crate::engine::{self, Engine};
use crate::error::Result;
use lmz_device::Device;

pub(crate) use batches::{Batch, check, check_tokens};
pub(crate) use resident::score;
pub(crate) use spill::Store;
pub(crate) use streamed::{Limits, score_streamed};

/// Some tokens in a row, of which the last few are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// Token ids; the first is context only.
    pub tokens: &'a [u32],
    /// How many tokens at the end are scored: fewer than there are tokens.
    pub scored: usize,
}

/// Where and within which bounds a model runs.
#[derive(Clone, Debug, Default)]
pub struct ScoringOptions {
    /// The device.
    pub device: Device,
    /// What matrices and states are stored in.
    pub dtype: Dtype,
    /// Bytes of memory for weights, states and buffers; a share of what is free if `None`. A
    /// model that does not fit is read layer by layer, each time anew.
    pub memory_budget: Option<u64>,
    /// Bytes of disk for the hidden states of windows that wait for the next layer; none if
    /// `None`.
    pub spill_budget: Option<u64>,
    /// Where to put them; the system's directory for temporary files if `None`.
    pub spill_dir: Option<PathBuf>,
    /// How many windows go through a layer together; chosen from the budget if `None`.
    pub batch: Option<usize>,
}

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
