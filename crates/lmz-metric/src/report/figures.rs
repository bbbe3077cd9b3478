//! A finished run as data: what `result.json` holds.

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::provenance::Provenance;
use crate::bootstrap::Interval;
use crate::plan::{DroppedTail, TokenCounts};

/// The result of scoring a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was scored, and how: the figures depend on nothing else.
    #[serde(flatten)]
    pub identity: Identity,
    /// What people call the model.
    pub model_name: String,
    /// Where the corpus was read from.
    pub corpus_path: String,
    /// What of the corpus was left out or repaired.
    pub corpus_files: CorpusFiles,
    /// What became of the tokens.
    pub tokens: TokenCounts,
    /// Bits per character, byte and token.
    pub figures: Figures,
    /// The figures without the text that was not scored, where there is such.
    pub without_tail: Option<WithoutTail>,
    /// How the windows were batched.
    pub batches: BatchFigures,
    /// Anything that a reader of the figures should know.
    pub notes: Vec<String>,
    /// How long it took; this part and the next are all that differs when a run is repeated.
    pub time: TimeFigures,
    /// Where, when and by what command it was made, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// Files of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusFiles {
    /// How many were read.
    pub files: u64,
    /// What was left out or repaired.
    pub skipped: crate::corpus::Skipped,
}

/// Sums and what they come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Sum of `-ln p` over the scored tokens, and of escaped bytes.
    pub nats: f64,
    /// The same in bits.
    pub bits: f64,
    /// Bits per Unicode code point of the corpus: `nats / (characters * ln 2)`.
    pub bits_per_character: f64,
    /// Bits per byte of the corpus in UTF-8.
    pub bits_per_byte: f64,
    /// Bits per scored token; 0 where no tokens are scored.
    pub bits_per_token: f64,
    /// 95 % interval of the bits per character, by a bootstrap over the documents (segments of a
    /// stream).
    pub interval: Option<Interval>,
    /// How many of them it draws from.
    pub units: u64,
}

/// The figures over the text up to the end of the last scored token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WithoutTail {
    /// What is left out.
    pub tail: DroppedTail,
    /// Bits per remaining character.
    pub bits_per_character: f64,
    /// Bits per remaining byte.
    pub bits_per_byte: f64,
}

/// Batches of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchFigures {
    /// The number of batches.
    pub count: u64,
    /// Windows of the largest.
    pub largest: u64,
    /// The number of windows of all batches.
    pub windows: u64,
}

/// Time of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeFigures {
    /// Seconds in the engine, those of runs that were continued included.
    pub scoring_seconds: f64,
    /// Seconds from start to end of this process's part.
    pub elapsed_seconds: f64,
    /// Tokens that passed through the model, in a second of scoring.
    pub tokens_per_second: f64,
    /// Tokens that were scored, in a second of scoring.
    pub scored_per_second: f64,
    /// Batches that an earlier run had done.
    pub resumed_batches: u64,
}
