//! Corpora: which files there are, and their text piece by piece.

mod file;
mod pieces;
mod vary;

use std::fs;
use std::path::{Path, PathBuf};

use lmz_corpus::{Form, Selection, Skipped, files};

pub use file::TextFile;
pub(crate) use pieces::Piece;
pub(crate) use vary::Habits;

use crate::error::{Result, TrainError};

/// The files of a corpus, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corpus {
    /// The files.
    pub files: Vec<TextFile>,
}

impl Corpus {
    /// Finds the files at `paths`: files, and directories with all text that is below them
    /// ([`lmz_corpus::files`]). A `.jsonl` file whose first line is a document is one of documents,
    /// unless `raw`; any other file is its own text.
    ///
    /// # Errors
    /// A path that is not there, a file that cannot be read or holds no text, an empty corpus.
    pub fn open(paths: &[PathBuf], raw: bool) -> Result<Self> {
        let mut all = Vec::new();
        for path in paths {
            let directory = match path.is_dir() {
                true => Some(path.canonicalize().map_err(TrainError::read(path))?),
                false => None,
            };
            let name = directory.as_deref().and_then(Path::file_name);
            for mut source in files(path, Selection::AnyText)? {
                if source.form == Form::Lines && (raw || !source.starts_with_document()?) {
                    source.form = Form::Text;
                }
                let about = fs::metadata(&source.path).map_err(TrainError::read(&source.path))?;
                all.push(TextFile {
                    domain: match name {
                        Some(name) if source.form == Form::Text => {
                            name.to_string_lossy().into_owned()
                        }
                        _ => source.stem(),
                    },
                    bytes: about.len(),
                    source,
                });
            }
        }
        Ok(Self { files: all })
    }

    /// The size of all files as they are stored.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Calls `each` with every piece of text, in order; returns what else the files hold.
    ///
    /// # Errors
    /// Those of reading, and of `each`.
    pub(crate) fn pieces(&self, each: &mut dyn FnMut(Piece) -> Result<()>) -> Result<Skipped> {
        let mut skipped = Skipped::default();
        for file in &self.files {
            file.pieces(&mut skipped, each)?;
        }
        Ok(skipped)
    }
}

#[cfg(test)]
mod tests;
