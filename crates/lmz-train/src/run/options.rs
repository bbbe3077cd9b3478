//! A run's options, the events that it tells of, and its outcome.

use std::path::PathBuf;
use std::time::Duration;

use lmz_float::{Device, Dtype};
use serde::{Deserialize, Serialize};

use super::metrics::{HeldOut, Row};
use crate::error::{Result, TrainError};
use crate::preset::Preset;
use crate::schedule::Budget;

/// What to train, on what, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files and directories of text.
    pub corpus: Vec<PathBuf>,
    /// Text that is never trained on, for validation; the ends of the corpus if empty.
    pub held_out: Vec<PathBuf>,
    /// Take `.jsonl` files as they are, even where their lines have a `text`.
    pub raw: bool,
    /// Shape of the model and recipe of its training.
    pub preset: Preset,
    /// The result's directory; new or empty, unless a run is resumed.
    pub out: PathBuf,
    /// A `tokenizer.json` in place of one made from the corpus.
    pub tokenizer: Option<PathBuf>,
    /// Shares of the domains; those of their tokens if empty.
    pub weights: Vec<(String, f64)>,
    /// When to stop: after a time or a number of tokens.
    pub budget: Budget,
    /// Where to compute; the CPU where that device is missing.
    pub device: Device,
    /// The precision of products: [`Dtype::F32`], [`Dtype::Bf16`], or what the device is faster in.
    pub dtype: Option<Dtype>,
    /// Decides first weights and batches.
    pub seed: u64,
    /// Go on with the run in `out`.
    pub resume: bool,
    /// The time between saved states.
    pub save_every: Duration,
    /// Numbers of tokens: after each the model is kept as it is then, in `checkpoints` of `out`.
    /// They change nothing of the run, and may differ when it is resumed.
    pub keep_at: Vec<u64>,
}

/// What a run tells while it is under way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The tokenizer is being made.
    Tokenizer,
    /// The corpus is being tokenised: bytes of text so far.
    Tokens(u64),
    /// Something that the user should know.
    Notice(String),
    /// Training begins, or goes on at this step.
    Start {
        /// Parameters of the model.
        parameters: u64,
        /// The device's name and the precision of products.
        device: String,
        /// Steps that were done before; 0 for a new run.
        step: u64,
        /// Tokens of the corpus that are trained on.
        tokens: u64,
    },
    /// Steps were taken: their means.
    Step(Row),
    /// Held-out text was scored.
    HeldOut(HeldOut),
    /// The state was saved.
    Saved(u64),
    /// The model as it is now was kept in this directory.
    Kept(PathBuf),
}

/// Looks on, and may stop a run.
pub trait Watch {
    /// Hears of something that happened.
    fn event(&mut self, event: &Event);

    /// Whether to save the state and stop.
    fn stop(&self) -> bool {
        false
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The model is in the output directory.
    Finished(Summary),
    /// It was stopped after this many steps, and can be resumed.
    Stopped(u64),
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Parameters of the model.
    pub parameters: u64,
    /// The number of steps.
    pub steps: u64,
    /// The number of tokens that the model was trained on so far.
    pub tokens: u64,
    /// Minutes of work, preparation included.
    pub minutes: f64,
    /// The mean loss of the last steps, in nats a token.
    pub loss: f64,
    /// The last scores of held-out text; `None` if there was no validation.
    pub held_out: Option<HeldOut>,
}

impl Options {
    /// Refuses settings that make no sense.
    pub(super) fn check(&self) -> Result<()> {
        self.preset.check()?;
        match self.budget {
            Budget::Minutes(minutes) if !(minutes > 0.0 && minutes <= 1e7) => {
                return Err(TrainError::setting("minutes", "must be more than 0"));
            }
            Budget::Tokens(0) => return Err(TrainError::setting("tokens", "must be more than 0")),
            Budget::Tokens(all) if self.keep_at.iter().any(|&tokens| tokens >= all) => {
                let reason = format!("must be less than the {all} tokens of the whole run");
                return Err(TrainError::setting("keep_at", reason));
            }
            _ => {}
        }
        if self.keep_at.contains(&0) {
            return Err(TrainError::setting("keep_at", "must be more than 0"));
        }
        if let Some((name, weight)) = self.weights.iter().find(|(_, w)| !(*w >= 0.0 && *w < 1e9)) {
            let reason = format!("{name} has {weight}, which is no weight");
            return Err(TrainError::setting("weights", reason));
        }
        if self.dtype == Some(Dtype::F16) {
            let reason = "f16 has too small a range for gradients; take bf16 or f32";
            return Err(TrainError::setting("dtype", reason));
        }
        Ok(())
    }
}
