//! Results on disk.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::task::Task;
use crate::error::{Result, StudyError};
use crate::files;

/// Version of a result.
const VERSION: u32 = 1;

/// A result as it is stored, in `results/ID.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredResult {
    /// Version of the file: 1.
    pub study_result: u32,
    /// Name of the task.
    pub id: String,
    /// Model and corpus or benchmark, in words.
    pub title: String,
    /// Name of the machine.
    pub host: String,
    /// Seconds that it took, those of attempts that were killed left out.
    pub seconds: f64,
    /// The command that was run.
    pub command: Vec<String>,
    /// BLAKE3 of `output` as JSON without spaces, in hexadecimal digits.
    pub hash: String,
    /// What the command found.
    pub output: Value,
}

/// Why a task failed when it was last tried, in `failed/ID.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Name of the task.
    pub id: String,
    /// Name of the machine.
    pub host: String,
    /// What the command said at its end.
    pub reason: String,
}

/// The files of a study's tasks.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The store of a study's directory.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    fn result(&self, id: &str) -> PathBuf {
        self.directory.join("results").join(format!("{id}.json"))
    }

    fn failed(&self, id: &str) -> PathBuf {
        self.directory.join("failed").join(format!("{id}.json"))
    }

    /// Where a task may work, and finds what it left when it was killed.
    pub fn work(&self, id: &str) -> PathBuf {
        self.directory.join("work").join(id)
    }

    /// Whether a task is done.
    pub fn is_done(&self, id: &str) -> bool {
        self.result(id).is_file()
    }

    /// A task's result; none if it is not done.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub fn read(&self, id: &str) -> Result<Option<StoredResult>> {
        let path = self.result(id);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StudyError::io(&path)(error)),
        };
        let damaged = |reason: String| StudyError::Result {
            path: path.clone(),
            reason: format!("{reason}; remove the file, and the task will be done again"),
        };
        let result: StoredResult =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if result.study_result != VERSION || result.id != id {
            return Err(damaged("it is no result of this task".into()));
        }
        if result.hash != hash(&result.output) {
            return Err(damaged("its contents do not fit its hash".into()));
        }
        Ok(Some(result))
    }

    /// Stores a result; an older one of the same task is replaced.
    ///
    /// # Errors
    /// The file system.
    pub fn write(
        &self,
        task: &Task,
        command: Vec<String>,
        seconds: f64,
        output: Value,
    ) -> Result<()> {
        let result = StoredResult {
            study_result: VERSION,
            id: task.id.clone(),
            title: task.title(),
            host: host(),
            seconds,
            command,
            hash: hash(&output),
            output,
        };
        let path = self.result(&task.id);
        let text = serde_json::to_string(&result).map_err(|e| StudyError::io(&path)(e.into()))?;
        files::write(&path, format!("{text}\n").as_bytes())?;
        // What is left of attempts is no longer needed; if it stays, it does no harm.
        let _ = std::fs::remove_file(self.failed(&task.id));
        let _ = std::fs::remove_dir_all(self.work(&task.id));
        Ok(())
    }

    /// Why a task failed when it was last tried.
    pub fn failure(&self, id: &str) -> Option<Failure> {
        let text = std::fs::read_to_string(self.failed(id)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Remembers why a task failed.
    ///
    /// # Errors
    /// The file system.
    pub fn fail(&self, id: &str, reason: &str) -> Result<()> {
        let failure = Failure {
            id: id.into(),
            host: host(),
            reason: reason.into(),
        };
        let path = self.failed(id);
        let text = serde_json::to_string(&failure).map_err(|e| StudyError::io(&path)(e.into()))?;
        files::write(&path, text.as_bytes())
    }

    /// Takes a task for this process: the lock goes with the file that is returned. None if
    /// another process of this machine, or of one that shares the locks, is at it. Where a file
    /// system knows no locks everyone gets the task: then it may be done twice, and counts once.
    ///
    /// # Errors
    /// The file system.
    pub fn take(&self, id: &str) -> Result<Option<File>> {
        let directory = self.directory.join("locks");
        std::fs::create_dir_all(&directory).map_err(StudyError::io(&directory))?;
        let path = directory.join(id);
        let file = File::create(&path).map_err(StudyError::io(&path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
        }
    }
}

fn hash(output: &Value) -> String {
    blake3::hash(output.to_string().as_bytes())
        .to_hex()
        .to_string()
}

/// Name of this machine, as far as it can be told.
fn host() -> String {
    let named = std::env::var("SLURMD_NODENAME").ok();
    let file = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = named
        .or_else(file)
        .or_else(|| std::env::var("HOSTNAME").ok());
    name.map_or_else(|| "unknown".into(), |name| name.trim().to_owned())
}
