//! Where documents come from: one module for each kind of input.

pub mod archive;
pub mod arxiv;

pub mod folder;
pub mod repository;

pub mod warc;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counts::Counts;
use super::document::{Item, Raw};
use crate::error::{CorpusError, Result};

/// Something that documents are read from: a file, a folder, a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What it is called in manifests: the end of its path.
    pub name: String,
    /// Its size in bytes; of a folder 0.
    pub bytes: u64,
    /// Where it is.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Input {
    /// The file or folder at `path`.
    ///
    /// # Errors
    /// There is none.
    pub fn at(path: &Path) -> Result<Self> {
        let found = std::fs::metadata(path).map_err(CorpusError::io(path))?;
        let name = path
            .canonicalize()
            .ok()
            .and_then(|path| path.file_name().map(ToOwned::to_owned));
        let name = name.map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let bytes = if found.is_dir() { 0 } else { found.len() };
        Ok(Self {
            name,
            bytes,
            path: path.to_owned(),
        })
    }
}

/// Is given what a source reads; an error ends the reading.
pub type Send<'a> = dyn FnMut(Raw) -> Result<()> + 'a;

/// A kind of input, with its settings.
pub trait Source: Sync {
    /// What it is called: `cc`, `github`, `arxiv`, `local`.
    fn kind(&self) -> &'static str;

    /// All settings that have a part in what comes out, for the manifest.
    fn settings(&self) -> Value;

    /// The inputs, in the order in which their documents come.
    fn inputs(&self) -> &[Input];

    /// Reads an input, one thing after the other. What is broken in it is counted and passed over.
    ///
    /// # Errors
    /// It cannot be opened; those of `send`.
    fn read(&self, input: &Input, send: &mut Send<'_>, counts: &mut Counts) -> Result<()>;

    /// Makes a document of something that was read, or counts why it is none. Runs on many threads.
    fn build(&self, raw: Raw, counts: &mut Counts) -> Option<Item>;

    /// If documents of the same `meta.repository` that follow each other are taken together: how many bytes of them.
    fn segment(&self) -> Option<u64> {
        None
    }
}
