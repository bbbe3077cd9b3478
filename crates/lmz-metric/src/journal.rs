//! What a run has done so far, on disk, so that it can go on after it was killed.
//!
//! A journal is a [`RecordLog`]. The first record is the [`RunHeader`], each further one a batch.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batches::BatchSizes;
use crate::error::{MetricError, Result};
use crate::record_log::RecordLog;
use crate::report::Identity;
use crate::sums::Piece;

/// Name of a journal in its run's directory.
pub const JOURNAL_FILE: &str = "journal.jsonl";
/// Version of the journal's records.
const VERSION: u32 = 1;

/// What a run is: everything that its figure depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunHeader {
    /// Version of the journal's records.
    pub journal: u32,
    /// What is scored, and how.
    pub identity: Identity,
    /// [`Plan::hash`](crate::Plan::hash) of what is scored; a journal continues only the same plan.
    pub plan: String,
    /// The shapes of the batches; they may differ from what the engine would choose now.
    pub batches: BatchSizes,
}

/// A batch that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRecord {
    /// Its number; batches are done in order.
    pub batch: u64,
    /// How long it took.
    pub seconds: f64,
    /// What its windows cost.
    pub pieces: Vec<Piece>,
}

/// An open journal, locked against other runs.
#[derive(Debug)]
pub struct Journal {
    log: RecordLog,
    records: Vec<BatchRecord>,
    batches: BatchSizes,
}

impl RunHeader {
    /// The header of a new run.
    pub fn new(identity: Identity, plan: String, batches: BatchSizes) -> Self {
        Self {
            journal: VERSION,
            identity,
            plan,
            batches,
        }
    }
}

impl Journal {
    /// Begins the journal of a new run in `directory`, or with `resume` continues the one there.
    ///
    /// # Errors
    /// A run is there, but `resume` is not set, or it was another run; another process is at it;
    /// the journal is damaged before its last record; the file system.
    pub fn open(directory: &Path, header: &RunHeader, resume: bool) -> Result<Self> {
        std::fs::create_dir_all(directory).map_err(MetricError::io(directory))?;
        let (log, lines) = RecordLog::open(&directory.join(JOURNAL_FILE))?;
        if !lines.is_empty() && !resume {
            return Err(MetricError::Exists {
                path: directory.to_owned(),
            });
        }
        let mut journal = Self {
            log,
            records: Vec::new(),
            batches: header.batches.clone(),
        };
        match lines.split_first() {
            None => journal.log.push(header)?,
            Some((first, rest)) => {
                journal.batches = journal.matching(first, header)?;
                for (number, line) in rest.iter().enumerate() {
                    let record: BatchRecord = journal.log.parse(line)?;
                    if record.batch != number as u64 {
                        return Err(journal.log.damaged(format!(
                            "batch {} stands where batch {number} should",
                            record.batch
                        )));
                    }
                    journal.records.push(record);
                }
            }
        }
        Ok(journal)
    }

    /// The batches that are done, in order.
    pub fn records(&self) -> &[BatchRecord] {
        &self.records
    }

    /// The shapes of the run's batches, as they were when it began.
    pub fn batches(&self) -> &BatchSizes {
        &self.batches
    }

    /// Adds a batch, and waits until it is on the disk.
    ///
    /// # Errors
    /// [`MetricError::Io`].
    pub fn push(&mut self, record: BatchRecord) -> Result<()> {
        self.log.push(&record)?;
        self.records.push(record);
        Ok(())
    }

    /// An error about this journal.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> MetricError {
        self.log.damaged(reason)
    }

    /// The batch shapes of a journal's header, if it is about the same run.
    fn matching(&self, first: &str, now: &RunHeader) -> Result<BatchSizes> {
        let value: Value = self.log.parse(first)?;
        let version = value.get("journal").and_then(Value::as_u64);
        if version != Some(VERSION.into()) {
            return Err(MetricError::Different {
                path: self.log.path().to_owned(),
                differences: vec![format!(
                    "the journal has version {}, this build writes {VERSION}",
                    version.map_or("none".into(), |version| version.to_string())
                )],
            });
        }
        let was: RunHeader = self.log.parse(first)?;
        let mut differences = was.identity.differences(&now.identity);
        if differences.is_empty() && was.plan != now.plan {
            differences.push("its windows or tokens are others (another tokenizer?)".into());
        }
        if differences.is_empty() {
            return Ok(was.batches);
        }
        Err(MetricError::Different {
            path: self.log.path().to_owned(),
            differences,
        })
    }
}
