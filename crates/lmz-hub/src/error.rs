//! What can go wrong with models of the hub.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for this crate's results.
pub type Result<T, E = HubError> = std::result::Result<T, E>;

/// An error of this crate. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A text is no name of a model.
    #[error(
        "{asked:?} is no model of the hub: those are ORG/NAME, ORG/NAME@REVISION or ORG/NAME:FILE.gguf"
    )]
    Name {
        /// The text.
        asked: String,
    },
    /// The environment names no home.
    #[error("there is no place for models: set HF_HOME, or HOME")]
    NoHome,
    /// A model is not in the cache.
    #[error(
        "{name} is not in the Hugging Face cache ({}): lmz model pull {name} fetches it",
        cache.display()
    )]
    NotHere {
        /// What was asked for.
        name: String,
        /// The cache.
        cache: PathBuf,
    },
    /// A model is in the cache, and the revision is not.
    #[error(
        "{repo} is in the Hugging Face cache, but not its revision {revision} (there: {}): lmz model pull {name} fetches it",
        there.join(", ")
    )]
    NoRevision {
        /// What was asked for.
        name: String,
        /// `ORG/NAME`
        repo: String,
        /// The revision.
        revision: String,
        /// The revisions that are there.
        there: Vec<String>,
    },
    /// A model is in the cache in part.
    #[error(
        "{name} is not complete in the Hugging Face cache{}: {file} is missing in {}; lmz model pull {name} fetches what is missing",
        if *unfinished { " (a download was not finished)" } else { "" },
        directory.display()
    )]
    Incomplete {
        /// What was asked for.
        name: String,
        /// What is missing.
        file: String,
        /// Where it should be.
        directory: PathBuf,
        /// Whether there is a part of a file.
        unfinished: bool,
    },
    /// Several GGUF files may be meant.
    #[error("{name} has several GGUF files: say which, as {repo}:FILE with one of {}", files.join(", "))]
    Several {
        /// What was asked for.
        name: String,
        /// `ORG/NAME`, with the revision if one was named.
        repo: String,
        /// The files.
        files: Vec<String>,
    },
    /// A model has nothing that lmz reads.
    #[error("{name} has no model that lmz can read: {reason}")]
    NoModel {
        /// What was asked for.
        name: String,
        /// What is missing.
        reason: String,
    },
    /// Something in the cache is not as it should be.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A model is being fetched.
    #[error("{name} is being fetched by another program")]
    Busy {
        /// The model.
        name: String,
    },
    /// The server says no, or something else than it may.
    #[error("{0}")]
    Server(String),
    /// There is not enough room on the disk.
    #[error(
        "no space left for {}: {missing} more bytes are needed there. What has come is kept: make room and repeat the command, \
         or set HF_HOME to another place",
        path.display()
    )]
    Full {
        /// What was to be written.
        path: PathBuf,
        /// Bytes that are missing.
        missing: u64,
    },
    /// Nothing may be fetched.
    #[error("HF_HUB_OFFLINE is set, so nothing is fetched; {0}")]
    Offline(String),
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Somebody asked for a stop; what has come is kept.
    #[error("cancelled; the same command goes on")]
    Cancelled,
}

impl HubError {
    /// For `map_err`: an operating system's error about `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}
