//! Corpora: which files there are, and their text piece by piece.

mod pieces;
mod vary;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

pub(crate) use pieces::Piece;
pub(crate) use vary::Habits;

use crate::error::{Result, TrainError};

/// A file of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Where it is.
    pub path: PathBuf,
    /// What its text is counted as, unless a document says otherwise: the name of the directory
    /// that was given, or the file's own without its extensions.
    pub domain: String,
    /// Its size as it is stored, in bytes.
    pub bytes: u64,
    /// How its text is found.
    pub kind: Kind,
}

/// How a file holds its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Each line is a JSON object with a `text` or `content`, and may name its `domain`.
    pub documents: bool,
    /// Compressed by zstd.
    pub zstd: bool,
}

/// The files of a corpus, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corpus {
    /// The files.
    pub files: Vec<TextFile>,
}

impl Corpus {
    /// Finds the files at `paths`: files, and directories with all that is below them. A `.jsonl`
    /// file whose first line has a `text` or a `content` is one of documents, unless `raw`; any
    /// other file is its own text. Either may be compressed (`.zst`).
    ///
    /// # Errors
    /// A path that is not there, a file that cannot be read or holds no text, an empty corpus.
    pub fn open(paths: &[PathBuf], raw: bool) -> Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            let about = fs::metadata(path).map_err(TrainError::read(path))?;
            let before = files.len();
            if about.is_dir() {
                let name = path.canonicalize().map_err(TrainError::read(path))?;
                let name = name.file_name().unwrap_or_default().to_string_lossy();
                walk(path, &name, raw, &mut files)?;
            } else {
                files.extend(look(path, None, raw)?);
            }
            if files.len() == before {
                return Err(TrainError::Corpus {
                    path: path.clone(),
                    reason: "there is no text in it".into(),
                });
            }
        }
        Ok(Self { files })
    }

    /// The size of all files as they are stored.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Calls `each` with every piece of text, in order.
    ///
    /// # Errors
    /// Those of reading, and of `each`.
    pub(crate) fn pieces(&self, each: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        self.files.iter().try_for_each(|file| file.pieces(each))
    }
}

fn walk(directory: &Path, domain: &str, raw: bool, files: &mut Vec<TextFile>) -> Result<()> {
    let entries = fs::read_dir(directory).map_err(TrainError::read(directory))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(TrainError::read(directory))?.path());
    }
    paths.sort();
    for path in paths {
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        if path.file_name().is_some_and(hidden) {
            continue;
        }
        let about = fs::symlink_metadata(&path).map_err(TrainError::read(&path))?;
        if about.is_dir() {
            walk(&path, domain, raw, files)?;
        } else if about.is_file() {
            files.extend(look(&path, Some(domain), raw)?);
        }
    }
    Ok(())
}

/// What a file is; none if it is empty, or in a directory and no text.
fn look(path: &Path, directory: Option<&str>, raw: bool) -> Result<Option<TextFile>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let zstd = name.ends_with(".zst");
    let plain = name.trim_end_matches(".zst");
    let bytes = fs::metadata(path).map_err(TrainError::read(path))?.len();
    let mut kind = Kind {
        documents: false,
        zstd,
    };
    let mut start = Vec::new();
    let reader = open(path, kind)?;
    reader
        .take(1 << 16)
        .read_to_end(&mut start)
        .map_err(TrainError::read(path))?;
    if start.is_empty() {
        return Ok(None);
    }
    if is_binary(&start) {
        return match directory {
            Some(_) => Ok(None),
            None => Err(TrainError::Corpus {
                path: path.to_owned(),
                reason: "it is not text".into(),
            }),
        };
    }
    if plain.ends_with(".jsonl") && !raw {
        let mut line = Vec::new();
        let mut reader = open(path, kind)?.take(pieces::MAX_LINE);
        reader
            .read_until(b'\n', &mut line)
            .map_err(TrainError::read(path))?;
        kind.documents = pieces::document(&line).is_some();
    }
    let stem = plain
        .split('.')
        .find(|part| !part.is_empty())
        .unwrap_or("text");
    Ok(Some(TextFile {
        path: path.to_owned(),
        domain: match directory {
            Some(directory) if !kind.documents => directory.to_owned(),
            _ => stem.to_owned(),
        },
        bytes,
        kind,
    }))
}

fn open(path: &Path, kind: Kind) -> Result<Box<dyn BufRead>> {
    let error = TrainError::read(path);
    let file = fs::File::open(path).map_err(&error)?;
    Ok(match kind.zstd {
        true => {
            let mut decoder = zstd::Decoder::new(file).map_err(&error)?;
            decoder.window_log_max(28).map_err(&error)?;
            Box::new(BufReader::new(decoder))
        }
        false => Box::new(BufReader::with_capacity(1 << 18, file)),
    })
}

/// Text has no zero bytes and is UTF-8 for the most part.
fn is_binary(start: &[u8]) -> bool {
    let wrong: usize = start.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    start.contains(&0) || wrong * 10 > start.len() + 40
}

#[cfg(test)]
mod tests;
