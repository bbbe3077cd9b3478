//! Corpora, as [`lmz_corpus`] reads them for everything here.

use std::path::Path;

pub use lmz_corpus::{Census, CorpusOptions, MAX_DOCUMENT_BYTES, Skipped};

use crate::error::Result;

/// Reads a corpus, document by document: [`lmz_corpus::read_corpus`] with this crate's errors.
///
/// # Errors
/// The path is no corpus or cannot be read; `each` failed. Content is never an error: it is
/// counted in [`Skipped`].
pub fn read_corpus(
    path: &Path,
    options: &CorpusOptions,
    each: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Census> {
    lmz_corpus::read_corpus(path, options, each)
}
