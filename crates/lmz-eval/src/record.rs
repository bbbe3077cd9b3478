//! Answers, and who watches while they come.

use serde::{Deserialize, Serialize};

use crate::model::{Likelihood, Written};

/// An answer to an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How likely each continuation is.
    Likelihoods(Vec<Likelihood>),
    /// A text.
    Text(Written),
}

/// An answer, and what of the prompt had to be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// How many examples were left out.
    pub dropped: usize,
    /// Whether the question was cut.
    pub cut: bool,
}

/// Who watches a run.
pub trait Progress {
    /// So much is to be done, in tokens that are read or texts that are written, and it will take so many seconds if
    /// that is known.
    fn planned(&self, all: u64, seconds: Option<f64>) {
        let _ = (all, seconds);
    }

    /// So much more is done; `again` if an earlier run had done it.
    fn advance(&self, done: u64, again: bool) {
        let _ = (done, again);
    }

    /// Whether to stop.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Hears nothing and never stops a run.
impl Progress for () {}
