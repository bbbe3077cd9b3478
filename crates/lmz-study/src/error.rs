//! What can go wrong in a study.

use std::io;
use std::path::{Path, PathBuf};

/// The crate's result.
pub type Result<T> = std::result::Result<T, StudyError>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A file or directory could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A `study.toml` that means nothing, or not what it should.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A result that is not what it should be.
    #[error("{}: {reason}", path.display())]
    Result {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A task that is not part of the study.
    #[error("no task {0} in this study: `lmz study plan` lists them")]
    NoTask(String),
    /// A task that failed.
    #[error("task {id}: {reason}")]
    Task {
        /// The task.
        id: String,
        /// How it failed.
        reason: String,
    },
    /// A scheduler that is missing or refused.
    #[error("{program}: {reason}")]
    Executor {
        /// The program that was run.
        program: String,
        /// What it said.
        reason: String,
    },
}

impl StudyError {
    /// For `map_err`: an operating system's error about `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}
