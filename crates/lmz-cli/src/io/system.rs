//! Errors of the operating system, in the words that they have everywhere in this program.

use std::io;

/// What an error says, in words and without its number where the words suffice.
pub fn describe(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::NotFound => anyhow::Error::msg("no such file or directory"),
        io::ErrorKind::PermissionDenied => anyhow::Error::msg("permission denied"),
        io::ErrorKind::StorageFull => anyhow::Error::msg("no space left on the device"),
        io::ErrorKind::IsADirectory => anyhow::Error::msg("is a directory"),
        io::ErrorKind::NotADirectory => anyhow::Error::msg("a part of the path is not a directory"),
        _ => error.into(),
    }
}

/// An error of the metric; what the operating system says about a path is put into words.
#[cfg(feature = "float")]
pub fn about_a_path(error: lmz::metric::MetricError) -> anyhow::Error {
    use lmz::figures::show;
    use lmz::metric::{CorpusError, MetricError};
    match error {
        MetricError::Io { path, error } | MetricError::Corpus(CorpusError::Io { path, error }) => {
            describe(error).context(show(&path))
        }
        error => error.into(),
    }
}
