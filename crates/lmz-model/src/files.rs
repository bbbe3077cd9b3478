//! Files of a model directory, and bounds on the small ones.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{ModelError, Result};
use crate::gguf::MAGIC;

/// Whether `path` is a file that starts as GGUF files do.
pub fn is_gguf(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == MAGIC
}

/// The path of a file that a model directory must hold.
pub(crate) fn required(directory: &Path, file: &'static str) -> Result<PathBuf> {
    let path = directory.join(file);
    if path.exists() {
        return Ok(path);
    }
    // A directory that is not there is an error of its own.
    std::fs::read_dir(directory).map_err(|source| ModelError::Io {
        path: directory.to_owned(),
        source,
    })?;
    Err(ModelError::MissingFile {
        directory: directory.to_owned(),
        file,
    })
}

/// A whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |source| ModelError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let too_large = |bytes| ModelError::TooLarge {
        path: path.to_owned(),
        bytes,
        limit,
    };
    if bytes > limit {
        return Err(too_large(bytes));
    }
    // A file may grow, and a pipe has no size: the limit holds for what is read.
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content).map_err(io)?;
    if content.len() as u64 > limit {
        return Err(too_large(content.len() as u64));
    }
    Ok(content)
}
