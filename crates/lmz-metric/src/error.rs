//! What can go wrong between a corpus and a figure.

use std::io;
use std::path::{Path, PathBuf};

use lmz_corpus::CorpusError;
pub use lmz_model::ErrorKind;

use crate::scorer::ScoreError;

/// The crate's result.
pub type Result<T> = std::result::Result<T, MetricError>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// A file or directory could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A corpus that cannot be read, or a path that is none.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Settings that mean nothing.
    #[error("{0}")]
    InvalidArgument(String),
    /// A corpus in which no token can be scored.
    #[error("nothing to score: {0}")]
    NothingToScore(String),
    /// A tokenizer that cannot be used, or failed.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The engine failed.
    #[error("the engine failed")]
    Scorer(#[source] ScoreError),
    /// The engine answered with something that cannot be a surprisal.
    #[error("the engine's answer is not usable: {0}")]
    Answer(String),
    /// A journal that contradicts itself.
    #[error("{}: damaged journal: {reason}", path.display())]
    Journal {
        /// The path of the journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A run is there already, and nobody asked to continue it.
    #[error("{} holds a run already: continue it with --resume, or name another directory", path.display())]
    Exists {
        /// The run's directory.
        path: PathBuf,
    },
    /// Another process writes this journal.
    #[error("{} is in use by another run", path.display())]
    Busy {
        /// The path of the journal.
        path: PathBuf,
    },
    /// A run cannot be continued with other settings.
    #[error("{}: this run cannot be continued with other settings: {}", path.display(), differences.join("; "))]
    Different {
        /// The path of the journal.
        path: PathBuf,
        /// What differs, in words.
        differences: Vec<String>,
    },
    /// Whoever watches asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl MetricError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Io { .. } | Self::Corpus(CorpusError::Io { .. }) => ErrorKind::Io,
            Self::Corpus(_)
            | Self::InvalidArgument(_)
            | Self::Exists { .. }
            | Self::Busy { .. }
            | Self::Different { .. } => ErrorKind::InvalidArgument,
            Self::NothingToScore(_) => ErrorKind::InsufficientData,
            Self::Tokenizer(_) | Self::Scorer(_) => ErrorKind::Compatibility,
            Self::Answer(_) | Self::Journal { .. } => ErrorKind::Corruption,
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
