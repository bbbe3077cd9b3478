//! What a run has done so far, on disk, so that it can go on after it was killed.
//!
//! A journal is a text file with a line for each record: the CRC-32 of the rest in eight
//! hexadecimal digits, a space, and JSON. The first record is the [`RunHeader`], each further one
//! a batch. A record is brought to the disk before the next batch begins, so a kill can at most
//! tear the last one, which is dropped.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batches::BatchSizes;
use crate::error::{MetricError, Result};
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
    path: PathBuf,
    file: File,
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
        let path = directory.join(JOURNAL_FILE);
        let (mut file, bytes) = open_locked(&path)?;
        let (lines, good) = records(&bytes);
        // Only a last record can be torn by a kill.
        if bytes[good..].iter().filter(|&&byte| byte == b'\n').count() > 1 {
            return Err(MetricError::Journal {
                path,
                reason: format!("a record at byte {good} fails its checksum, and others follow"),
            });
        }
        if !lines.is_empty() && !resume {
            return Err(MetricError::Exists {
                path: directory.to_owned(),
            });
        }
        let cut = file.set_len(good as u64);
        cut.and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(MetricError::io(&path))?;
        let mut journal = Self {
            path,
            file,
            records: Vec::new(),
            batches: header.batches.clone(),
        };
        match lines.split_first() {
            None => journal.write(header)?,
            Some((first, rest)) => {
                journal.batches = journal.matching(first, header)?;
                for (number, line) in rest.iter().enumerate() {
                    let record: BatchRecord = journal.parse(line)?;
                    if record.batch != number as u64 {
                        return Err(journal.damaged(format!(
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
        self.write(&record)?;
        self.records.push(record);
        Ok(())
    }

    /// An error about this journal.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> MetricError {
        MetricError::Journal {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    fn write(&mut self, record: &impl Serialize) -> Result<()> {
        let io = MetricError::io(&self.path);
        let json = serde_json::to_string(record).map_err(|e| io(e.into()))?;
        let line = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        let written = self.file.write_all(line.as_bytes());
        written.and_then(|()| self.file.sync_data()).map_err(io)
    }

    fn parse<T: for<'a> Deserialize<'a>>(&self, json: &str) -> Result<T> {
        serde_json::from_str(json).map_err(|e| self.damaged(e.to_string()))
    }

    /// The batch shapes of a journal's header, if it is about the same run.
    fn matching(&self, first: &str, now: &RunHeader) -> Result<BatchSizes> {
        let value: Value = self.parse(first)?;
        let version = value.get("journal").and_then(Value::as_u64);
        if version != Some(VERSION.into()) {
            return Err(MetricError::Different {
                path: self.path.clone(),
                differences: vec![format!(
                    "the journal has version {}, this build writes {VERSION}",
                    version.map_or("none".into(), |version| version.to_string())
                )],
            });
        }
        let was: RunHeader = self.parse(first)?;
        let mut differences = was.identity.differences(&now.identity);
        if differences.is_empty() && was.plan != now.plan {
            differences.push("its windows or tokens are others (another tokenizer?)".into());
        }
        if differences.is_empty() {
            return Ok(was.batches);
        }
        Err(MetricError::Different {
            path: self.path.clone(),
            differences,
        })
    }
}

/// The journal's file and what is in it, for nobody else to write.
fn open_locked(path: &Path) -> Result<(File, Vec<u8>)> {
    let io = MetricError::io(path);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path).map_err(&io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(MetricError::Busy {
                path: path.to_owned(),
            });
        }
        // Some file systems know no locks.
        Err(TryLockError::Error(_)) => {}
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(&io)?;
    Ok((file, bytes))
}

/// The JSON of all whole records from the start, and where they end.
fn records(bytes: &[u8]) -> (Vec<&str>, usize) {
    let (mut lines, mut good) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let Some(json) = record(line) else {
            break;
        };
        lines.push(json);
        good += line.len();
    }
    (lines, good)
}

fn record(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, json) = line.split_at_checked(8)?;
    let json = json.strip_prefix(' ')?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    (sum == crc32fast::hash(json.as_bytes())).then_some(json)
}
