//! What is fetched, in a build that cannot.

use std::path::{Path, PathBuf};

use lmz_corpus::build::Watch;
use lmz_corpus::build::sources::repository::Known;
use lmz_corpus::{CorpusError, Result};

fn refused<T>() -> Result<T> {
    let message = "this lmz was built without fetching (cargo feature `download`, on by default): give it files";
    Err(CorpusError::Refused(message.into()))
}

pub fn wet(_: &str, _: &str, _: usize, _: u64, _: &Path, _: &dyn Watch) -> Result<Vec<PathBuf>> {
    refused()
}

pub fn repositories(
    _: Option<&str>,
    _: usize,
    _: &[String],
    _: &Path,
    _: &dyn Watch,
) -> Result<Vec<(PathBuf, Known)>> {
    refused()
}
