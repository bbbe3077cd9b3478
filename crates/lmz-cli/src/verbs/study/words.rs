//! Errors of a study as the command says them.

use lmz_study::StudyError;

use crate::io::system::describe;
use crate::terminal::message::Failure;

/// Errors of the operating system in the words that they have everywhere else.
pub fn in_words(error: StudyError) -> Failure {
    Failure::Fatal(match error {
        StudyError::Io { path, error } => describe(error).context(lmz::figures::show(&path)),
        error => error.into(),
    })
}
