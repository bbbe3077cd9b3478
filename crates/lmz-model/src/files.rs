//! Files of a model directory, and bounds on the small ones.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{ModelError, Result};
use crate::gguf::MAGIC;

/// Whether `path` is a file that starts as GGUF files do.
pub fn is_gguf(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    // Opening a named pipe would wait for who writes it.
    if !path.is_file() {
        return false;
    }
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

/// Refuses what is no regular file: opening a named pipe would wait for ever for who writes it.
///
/// # Errors
/// It is none, or it is not there.
pub fn check_regular(path: &Path) -> Result<()> {
    let io = |source| ModelError::Io {
        path: path.to_owned(),
        source,
    };
    match std::fs::metadata(path).map_err(io)?.is_file() {
        true => Ok(()),
        false => Err(io(std::io::Error::other(
            "is not a regular file: a model is no pipe and no device",
        ))),
    }
}

/// A whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |source| ModelError::Io {
        path: path.to_owned(),
        source,
    };
    check_regular(path)?;
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
    // A file may grow: the limit holds for what is read.
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content).map_err(io)?;
    if content.len() as u64 > limit {
        return Err(too_large(content.len() as u64));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_pipe_in_a_model_directory_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = read_bounded(&path, 10).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
        assert!(check_regular(&directory.path().join("none")).is_err());
    }
}
