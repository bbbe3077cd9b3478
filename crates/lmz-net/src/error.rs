//! Why something was not fetched.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for this crate's results.
pub type Result<T, E = NetError> = std::result::Result<T, E>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The server says no.
    #[error("{url}: status {}", refusal.status)]
    Refused {
        /// What was asked for.
        url: String,
        /// What the server says.
        refusal: Refusal,
    },
    /// No answer came, or none that could be read to its end, though it was tried several times.
    #[error("{url}: {reason}, {tries} times")]
    NoAnswer {
        /// What was asked for.
        url: String,
        /// What went wrong the last time.
        reason: String,
        /// How often it was tried.
        tries: u32,
        /// Whether the server has answered at all.
        reached: bool,
    },
    /// The answer is not what it may be: too long, too short, referred to where nobody should go.
    #[error("{url}: {reason}")]
    Unfit {
        /// What was asked for.
        url: String,
        /// What is wrong, for a message.
        reason: String,
    },
    /// A file could not be written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Somebody asked for a stop; what has come is kept.
    #[error("cancelled")]
    Cancelled,
}

/// What a server says that does not give what it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The status: 400 and more.
    pub status: u16,
    /// Too many requests, for now.
    pub limited: bool,
    /// The value of `X-Error-Code`.
    pub code: Option<String>,
    /// The value of `X-Error-Message`.
    pub message: Option<String>,
}

impl NetError {
    /// For `map_err`: an operating system's error about `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}
