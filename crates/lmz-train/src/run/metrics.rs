//! The record of a run: a JSON line for every few steps and every validation.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Result, TrainError};
use crate::files;

/// The mean over some steps: a row of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The number of steps done.
    pub step: u64,
    /// The number of tokens that the model was trained on so far.
    pub tokens: u64,
    /// Minutes of work.
    pub minutes: f64,
    /// The mean loss since the row before, in nats a token.
    pub loss: f64,
    /// The length of all gradients together, before clipping.
    pub gradient: f64,
    /// The factor of the learning rates.
    pub rate: f64,
    /// Tokens a second since the run began or was resumed.
    pub tokens_per_second: f64,
    /// The share of the budget that is spent.
    pub share: f64,
}

/// Bits a byte on held-out text, in contexts that start with the start token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The number of steps done.
    pub step: u64,
    /// The number of tokens that the model was trained on so far.
    pub tokens: u64,
    /// Of all held-out rows together.
    pub bits_per_byte: f64,
    /// The same of each domain.
    pub domains: BTreeMap<String, f64>,
    /// The bytes that were scored.
    pub bytes: u64,
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    HeldOut { held_out: HeldOut },
    Row(Row),
}

impl Line {
    fn step(&self) -> u64 {
        match self {
            Self::Row(row) => row.step,
            Self::HeldOut { held_out } => held_out.step,
        }
    }
}

/// The log of a run, which a resumed run goes on with.
pub(super) struct Metrics {
    path: PathBuf,
    file: File,
    pub lines: Vec<Line>,
}

impl Metrics {
    /// Opens the record of a run that is at `step`: what a killed run wrote after its last saved
    /// state is written again.
    pub fn open(directory: &Path, step: u64) -> Result<Self> {
        let path = directory.join("metrics.jsonl");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(TrainError::read(&path)(error)),
        };
        let read = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let lines: Vec<Line> = read.filter(|line| line.step() <= step).collect();
        files::replace_bytes(&path, text_of(&lines).as_bytes())?;
        let file = File::options()
            .append(true)
            .open(&path)
            .map_err(TrainError::write(&path))?;
        Ok(Self { path, file, lines })
    }

    pub fn add(&mut self, line: Line) -> Result<()> {
        let text = text_of(std::slice::from_ref(&line));
        self.file
            .write_all(text.as_bytes())
            .map_err(TrainError::write(&self.path))?;
        self.lines.push(line);
        Ok(())
    }

    pub fn text(&self) -> String {
        text_of(&self.lines)
    }
}

fn text_of(lines: &[Line]) -> String {
    let json = lines
        .iter()
        .map(|line| serde_json::to_string(line).unwrap_or_default() + "\n");
    json.collect()
}
