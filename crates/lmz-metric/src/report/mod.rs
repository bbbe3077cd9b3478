//! A finished run as a result: JSON for programs, a table for people.

mod figures;
mod identity;
mod provenance;
mod table;

use std::f64::consts::LN_2;
use std::io::Write;
use std::path::Path;

pub use figures::{BatchFigures, CorpusFiles, Figures, Report, TimeFigures, WithoutTail};
pub use identity::{CorpusIdentity, EngineIdentity, Identity, ModelIdentity, ProtocolIdentity};
pub use provenance::Provenance;
pub use table::grouped;

use crate::bootstrap;
use crate::corpus::Census;
use crate::error::{MetricError, Result};
use crate::files::temporary;
use crate::plan::{DroppedTail, Plan};
use crate::run::Outcome;

/// Name of a result in its run's directory.
pub const RESULT_FILE: &str = "result.json";

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
                bits_per_token: match plan.counts.scored {
                    0 => 0.0,
                    scored => bits / scored as f64,
                },
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
            provenance: None,
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
        let mut file = temporary(".result.", directory).map_err(&io)?;
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
