//! Errors of the operating system, in the words that they have everywhere in this program.

use std::fs::File;
use std::io;

use anyhow::Context;
use lmz::figures::show;

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

/// A temporary file without a name.
///
/// # Errors
/// The directory for such files is missing or full; the message names it.
pub fn temporary() -> anyhow::Result<File> {
    tempfile::tempfile().map_err(describe).with_context(|| {
        let place = std::env::temp_dir();
        format!(
            "cannot make a temporary file in {} (TMPDIR says where)",
            show(&place)
        )
    })
}

/// An error of the metric; what the operating system says about a path is put into words.
#[cfg(feature = "float")]
pub fn about_a_path(error: lmz::metric::MetricError) -> anyhow::Error {
    use lmz::metric::{CorpusError, MetricError};
    match error {
        MetricError::Io { path, error } | MetricError::Corpus(CorpusError::Io { path, error }) => {
            describe(error).context(show(&path))
        }
        error => error.into(),
    }
}
