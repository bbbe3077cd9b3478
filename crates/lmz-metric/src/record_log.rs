//! A file of records that are whole or not there: what a journal is written in.
//!
//! A line for each record: the CRC-32 of the rest in eight hexadecimal digits, a space, and JSON. A record is
//! brought to the disk before [`RecordLog::push`] returns, so a kill can at most tear the last one, which is dropped.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{MetricError, Result};

/// An open file of records, locked against other processes.
#[derive(Debug)]
pub struct RecordLog {
    path: PathBuf,
    file: File,
}

impl RecordLog {
    /// Opens or makes the file, and gives the JSON of all whole records.
    ///
    /// # Errors
    /// Another process is at it; it is damaged before its last record; the file system.
    pub fn open(path: &Path) -> Result<(Self, Vec<String>)> {
        let (mut file, bytes) = open_locked(path)?;
        let (lines, good) = records(&bytes);
        // Only a last record can be torn by a kill.
        if bytes[good..].iter().filter(|&&byte| byte == b'\n').count() > 1 {
            return Err(MetricError::Journal {
                path: path.to_owned(),
                reason: format!("a record at byte {good} fails its checksum, and others follow"),
            });
        }
        let cut = file.set_len(good as u64);
        cut.and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(MetricError::io(path))?;
        let lines = lines.into_iter().map(str::to_owned).collect();
        let path = path.to_owned();
        Ok((Self { path, file }, lines))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record, and waits until it is on the disk.
    ///
    /// # Errors
    /// [`MetricError::Io`].
    pub fn push(&mut self, record: &impl Serialize) -> Result<()> {
        let io = MetricError::io(&self.path);
        let json = serde_json::to_string(record).map_err(|e| io(e.into()))?;
        let line = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        let written = self.file.write_all(line.as_bytes());
        written.and_then(|()| self.file.sync_data()).map_err(io)
    }

    /// A record as what it should be.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse<T: for<'a> Deserialize<'a>>(&self, json: &str) -> Result<T> {
        serde_json::from_str(json).map_err(|e| self.damaged(e.to_string()))
    }

    /// An error about this file.
    pub fn damaged(&self, reason: impl Into<String>) -> MetricError {
        MetricError::Journal {
            path: self.path.clone(),
            reason: reason.into(),
        }
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
