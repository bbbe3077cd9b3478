//! What can be wrong with a corpus as a whole. Content is never an error.

use std::io;
use std::path::{Path, PathBuf};

/// The crate's result.
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
    /// A path that is no corpus.
    #[error("{}: {reason}", path.display())]
    NotACorpus {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
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
