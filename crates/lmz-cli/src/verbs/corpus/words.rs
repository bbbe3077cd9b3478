//! Errors of a corpus as the command says them.

use anyhow::anyhow;
use lmz_corpus::CorpusError;

use crate::io::system::describe;
use crate::terminal::message::Failure;

/// Errors of the operating system in the words that they have everywhere else, and what to do after a stop.
pub fn in_words(error: CorpusError) -> Failure {
    Failure::Fatal(match error {
        CorpusError::Io { path, error } => describe(error).context(lmz::figures::show(&path)),
        CorpusError::Cancelled => anyhow!("cancelled; the same command goes on"),
        error => error.into(),
    })
}
