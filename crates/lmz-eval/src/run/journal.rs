//! What a run has found so far, on disk, so that it can go on after it was killed.

use std::collections::BTreeMap;
use std::path::Path;

use lmz_metric::{MetricError, RecordLog};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Result;
use crate::model::{Likelihood, Written};

/// Version of the journal's records.
const VERSION: u32 = 2;

/// Everything that a run's answers depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Version of the program.
    pub lmz: String,
    /// Hash of configuration and weights.
    pub model: String,
    /// Hash of the tokenizer.
    pub tokenizer: String,
    /// The device and the number type.
    pub engine: String,
    /// The task's name and version.
    pub task: String,
    /// Hash of all prompts and what is asked about them.
    pub prompts: String,
}

/// Tokens of a call's longest row, and how many rows it may have.
pub(super) type Sizes = BTreeMap<usize, usize>;

#[derive(Serialize, Deserialize)]
struct Header {
    eval_journal: u32,
    identity: RunIdentity,
    sizes: Sizes,
}

/// What one call gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub batch: usize,
    /// Item, pair, and how likely it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likelihoods: Vec<(usize, usize, Likelihood)>,
    /// Items and their texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<(usize, Written)>,
    pub seconds: f64,
}

/// An open journal.
pub struct Journal {
    log: RecordLog,
    pub(super) records: Vec<Record>,
    /// Of the run that began it.
    pub(super) sizes: Option<Sizes>,
    identity: RunIdentity,
}

impl Journal {
    /// Begins a journal, or with `resume` continues the one that is there.
    ///
    /// # Errors
    /// A run is there, but `resume` is not set, or it was another run; another process is at it; the journal is
    /// damaged before its last record; the file system.
    pub fn open(path: &Path, identity: RunIdentity, resume: bool) -> Result<Self> {
        let (log, lines) = RecordLog::open(path)?;
        let mut journal = Self {
            log,
            records: Vec::new(),
            sizes: None,
            identity,
        };
        let Some((first, rest)) = lines.split_first() else {
            return Ok(journal);
        };
        if !resume {
            let path = path.parent().unwrap_or(path).to_owned();
            return Err(MetricError::Exists { path }.into());
        }
        journal.sizes = Some(journal.matching(first)?);
        for line in rest {
            let record: Record = journal.log.parse(line)?;
            if record.batch != journal.records.len() {
                let reason = format!("batch {} stands at the wrong place", record.batch);
                return Err(journal.log.damaged(reason).into());
            }
            journal.records.push(record);
        }
        Ok(journal)
    }

    fn matching(&self, first: &str) -> Result<Sizes> {
        let different = |differences: Vec<String>| MetricError::Different {
            path: self.log.path().to_owned(),
            differences,
        };
        let value: Value = self.log.parse(first)?;
        if value["eval_journal"].as_u64() != Some(VERSION.into()) {
            let found = &value["eval_journal"];
            let words = format!("the journal has version {found}, this build writes {VERSION}");
            return Err(different(vec![words]).into());
        }
        let header: Header = self.log.parse(first)?;
        if header.identity == self.identity {
            return Ok(header.sizes);
        }
        let was = serde_json::to_value(&header.identity).unwrap_or_default();
        let now = serde_json::to_value(&self.identity).unwrap_or_default();
        let fields = was.as_object().into_iter().flatten();
        let differences = fields.filter(|(name, value)| now[name.as_str()] != **value);
        let words = differences
            .map(|(name, value)| format!("{name} was {value}, and is {}", now[name.as_str()]));
        Err(different(words.collect()).into())
    }

    /// Writes the first record of a new run.
    pub(super) fn begin(&mut self, sizes: Sizes) -> Result<()> {
        if self.sizes.is_none() {
            self.log.push(&Header {
                eval_journal: VERSION,
                identity: self.identity.clone(),
                sizes,
            })?;
        }
        Ok(())
    }

    pub(super) fn push(&mut self, record: &Record) -> Result<()> {
        Ok(self.log.push(record)?)
    }

    /// An error about this journal.
    pub(super) fn damaged(&self, reason: &str) -> crate::error::EvalError {
        self.log.damaged(reason).into()
    }
}
