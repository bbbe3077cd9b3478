//! What a model or a corpus is, whatever it is called and wherever it lies.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Result, StudyError};

/// Up to this many bytes of a file are hashed whole.
const WHOLE: u64 = 64 << 20;
/// Bytes at both ends of a longer one.
const END: u64 = 4 << 20;

/// BLAKE3 of the names, sizes and contents of a file, or of the files in a directory, in
/// hexadecimal digits. Of a file beyond 64 MiB its first and last 4 MiB stand for the rest: a plan
/// of models of hundreds of gigabytes is made in seconds. None if there is no such path: then the
/// name stands for the thing.
///
/// # Errors
/// Something there cannot be read.
pub(super) fn fingerprint(path: &Path) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let mut files = Vec::new();
    if path.is_dir() {
        list(path, &mut files)?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut hash = blake3::Hasher::new();
    hash.update(b"lmz study fingerprint v1\n");
    for file in &files {
        // A lone file may have any name.
        let name = file.strip_prefix(path).unwrap_or(file);
        add(file, &name.to_string_lossy(), &mut hash).map_err(StudyError::io(file))?;
    }
    Ok(Some(hash.finalize().to_hex().to_string()))
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let io = StudyError::io(directory);
    for entry in std::fs::read_dir(directory).map_err(&io)? {
        let path = entry.map_err(&io)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn add(path: &Path, name: &str, hash: &mut blake3::Hasher) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    hash.update(&(name.len() as u64).to_le_bytes());
    hash.update(name.as_bytes());
    hash.update(&size.to_le_bytes());
    if size <= WHOLE {
        hash.update_reader(file)?;
        return Ok(());
    }
    hash.update_reader(Read::by_ref(&mut file).take(END))?;
    file.seek(SeekFrom::End(-(END as i64)))?;
    hash.update_reader(file.take(END))?;
    Ok(())
}
