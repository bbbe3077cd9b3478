//! What can be wrong with a corpus as a whole. What a file holds is never an error.

use std::io;
use std::path::{Path, PathBuf};

/// What this crate's functions return: a value, or a [`CorpusError`].
pub type Result<T, E = CorpusError> = std::result::Result<T, E>;

/// An error of this crate. Every variant names the file or directory at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file or directory could not be read or unpacked.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system, or the decompressor, said.
        error: io::Error,
    },
    /// The path cannot be read as a corpus.
    #[error("{}: {reason}", path.display())]
    NotACorpus {
        /// The file or directory that was given, or one below it.
        path: PathBuf,
        /// Why it is not a corpus, for a message.
        reason: String,
    },
    /// Settings that do not fit together, or a program or server that does not do what is needed.
    #[error("{0}")]
    Refused(String),
    /// Somebody asked for a stop; what was done is kept.
    #[error("cancelled")]
    Cancelled,
}

impl CorpusError {
    /// For `map_err`: an operating system's error about `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }

    pub(crate) fn not_a_corpus(path: &Path, reason: impl Into<String>) -> Self {
        Self::NotACorpus {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
