//! A finished run as a result: JSON for programs, a table for people.

mod identity;
mod table;

use std::f64::consts::LN_2;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use identity::{CorpusIdentity, EngineIdentity, Identity, ModelIdentity, ProtocolIdentity};
pub use table::grouped;

use crate::bootstrap::{self, Interval};
use crate::corpus::Census;
use crate::error::{MetricError, Result};
use crate::plan::{DroppedTail, Plan, TokenCounts};
use crate::run::Outcome;

/// Name of a result in its run's directory.
pub const RESULT_FILE: &str = "result.json";

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
    /// The figures.
    pub figures: Figures,
    /// The figures without the text that was not scored, where there is such.
    pub without_tail: Option<WithoutTail>,
    /// How the windows were batched.
    pub batches: BatchFigures,
    /// Anything that a reader of the figures should know.
    pub notes: Vec<String>,
    /// How long it took; the only part that differs when a run is repeated.
    pub time: TimeFigures,
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
    /// Bits per scored token.
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
    /// How many.
    pub count: u64,
    /// Windows of the largest.
    pub largest: u64,
    /// All windows.
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

/// What a report is made of, besides the plan and the outcome.
#[derive(Clone, Debug)]
pub struct ReportFacts {
    /// What was scored, and how.
    pub identity: Identity,
    /// What people call the model.
    pub model_name: String,
    /// Where the corpus was read from.
    pub corpus_path: String,
    /// What the corpus was found to be.
    pub census: Census,
    /// Seconds since the start.
    pub elapsed_seconds: f64,
    /// Anything that a reader of the figures should know.
    pub notes: Vec<String>,
}

impl Report {
    /// Puts a result together.
    pub fn new(plan: &Plan, outcome: &Outcome, facts: ReportFacts) -> Self {
        let nats = outcome.sums.nats;
        let bits = nats / LN_2;
        let (characters, bytes) = (plan.characters() as f64, plan.bytes() as f64);
        let units: Vec<(f64, f64)> = outcome
            .sums
            .units
            .iter()
            .zip(&plan.units)
            .map(|(nats, unit)| (nats / LN_2, unit.characters as f64))
            .collect();
        let kept = |all: f64, tail: u64| bits / (all - tail as f64);
        let without_tail = (plan.tail != DroppedTail::default()).then(|| WithoutTail {
            tail: plan.tail,
            bits_per_character: kept(characters, plan.tail.characters),
            bits_per_byte: kept(bytes, plan.tail.bytes),
        });
        let seconds = outcome.seconds.max(1e-9);
        Self {
            identity: facts.identity,
            model_name: facts.model_name,
            corpus_path: facts.corpus_path,
            corpus_files: CorpusFiles {
                files: facts.census.files,
                skipped: facts.census.skipped,
            },
            tokens: plan.counts.clone(),
            figures: Figures {
                nats,
                bits,
                bits_per_character: bits / characters,
                bits_per_byte: bits / bytes,
                bits_per_token: bits / (plan.counts.scored.max(1) as f64),
                interval: bootstrap::interval(&units),
                units: units.len() as u64,
            },
            without_tail,
            batches: BatchFigures {
                count: outcome.batches as u64,
                largest: outcome.largest_batch as u64,
                windows: plan.spans.len() as u64,
            },
            notes: facts.notes,
            time: TimeFigures {
                scoring_seconds: outcome.seconds,
                elapsed_seconds: facts.elapsed_seconds,
                tokens_per_second: plan.work() as f64 / seconds,
                scored_per_second: plan.counts.scored as f64 / seconds,
                resumed_batches: outcome.resumed as u64,
            },
        }
    }

    /// The report as JSON, with line breaks.
    pub fn to_json(&self) -> String {
        // Finite numbers, strings and string keys have no way to fail; an infinity is null.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Writes `result.json` into a run's directory: whole, or not at all.
    ///
    /// # Errors
    /// [`MetricError::Io`].
    pub fn write(&self, directory: &Path) -> Result<()> {
        let path = directory.join(RESULT_FILE);
        let io = MetricError::io(&path);
        let mut file = tempfile::Builder::new()
            .prefix(".result.")
            .suffix(".tmp")
            .tempfile_in(directory)
            .map_err(&io)?;
        let text = format!("{}\n", self.to_json());
        let written = file.write_all(text.as_bytes());
        written
            .and_then(|()| file.as_file().sync_all())
            .map_err(&io)?;
        file.persist(&path).map_err(|failed| io(failed.error))?;
        Ok(())
    }

    /// The report as a table for people, a line break at the end.
    pub fn to_table(&self) -> String {
        table::table(self)
    }
}
