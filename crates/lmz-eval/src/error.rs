//! What can go wrong between a task and its score.

use std::io;
use std::path::{Path, PathBuf};

pub use lmz_metric::ErrorKind;
use lmz_metric::MetricError;

/// What this crate's functions return: a value, or an [`EvalError`].
pub type Result<T> = std::result::Result<T, EvalError>;

/// A boxed error of whatever engine answers.
pub type ModelFailure = Box<dyn std::error::Error + Send + Sync>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file or directory could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A task's file says something impossible.
    #[error("{file}: {reason}")]
    Task {
        /// The task's file.
        file: String,
        /// What is wrong, with line and field.
        reason: String,
    },
    /// There is no task or group of this name.
    #[error("there is no task or group {name:?} (lmz eval tasks lists them)")]
    NoTask {
        /// What was asked for.
        name: String,
    },
    /// Files of a benchmark that are nowhere.
    #[error("{task}: there is no {}; {public}", files.join(" or "))]
    Missing {
        /// The task's name.
        task: String,
        /// Where they were looked for.
        files: Vec<String>,
        /// Where the public has them.
        public: String,
    },
    /// A record of a benchmark's file is not what the task says.
    #[error("{file}, record {record}: {reason}")]
    Data {
        /// The file.
        file: String,
        /// The record's number, from 1.
        record: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of a benchmark that cannot be read as what it should be.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Settings that mean nothing.
    #[error("{0}")]
    InvalidArgument(String),
    /// The model failed.
    #[error("the model failed")]
    Model(#[source] ModelFailure),
    /// The model answered with something that cannot be.
    #[error("the model's answer is not usable: {0}")]
    Answer(String),
    /// Programs may not be run, or cannot.
    #[error("{0}")]
    Sandbox(String),
    /// A journal, or the tokenizer.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// Whoever watches asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl EvalError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Io { .. } | Self::Missing { .. } => ErrorKind::Io,
            Self::Task { .. } | Self::NoTask { .. } | Self::InvalidArgument(_) => {
                ErrorKind::InvalidArgument
            }
            Self::Data { .. } | Self::File { .. } | Self::Answer(_) => ErrorKind::Corruption,
            Self::Model(_) | Self::Sandbox(_) => ErrorKind::Compatibility,
            Self::Metric(error) => error.kind(),
        }
    }

    /// For `map_err`: an operating system's error about `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}
