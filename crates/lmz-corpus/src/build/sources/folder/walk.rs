//! Which files there are below a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::super::counts::Counts;
use crate::error::{CorpusError, Result};

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 64;
/// Most files below a folder.
const MAX_FILES: usize = 1 << 24;

/// A file, by the path that it was found at and its path below the folder, with `/` between parts.
pub struct Found {
    pub path: PathBuf,
    pub name: String,
}

/// The files of `root` (or it itself, if it is one) in the order of their paths. What is hidden is left out; links are
/// counted and not followed.
///
/// # Errors
/// A folder cannot be listed.
pub fn walk(root: &Path, counts: &mut Counts) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if !fs::metadata(root).map_err(CorpusError::io(root))?.is_dir() {
        let name = root
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        found.push(Found {
            path: root.to_owned(),
            name,
        });
        return Ok(found);
    }
    list(root, "", 0, &mut found, counts)?;
    found.sort_by(|a, b| a.name.split('/').cmp(b.name.split('/')));
    Ok(found)
}

fn list(
    folder: &Path,
    below: &str,
    depth: usize,
    found: &mut Vec<Found>,
    counts: &mut Counts,
) -> Result<()> {
    let io = CorpusError::io(folder);
    for entry in fs::read_dir(folder).map_err(&io)? {
        let entry = entry.map_err(&io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            counts.one("passed: hidden");
            continue;
        }
        let name = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type().map_err(&io)?;
        if kind.is_dir() {
            match depth < MAX_DEPTH {
                true => list(&entry.path(), &name, depth + 1, found, counts)?,
                false => counts.one("skipped: too deep"),
            }
        } else if kind.is_file() {
            found.push(Found {
                path: entry.path(),
                name,
            });
        } else {
            counts.one("skipped: link or device");
        }
        if found.len() > MAX_FILES {
            let reason = format!("more than {MAX_FILES} files");
            return Err(CorpusError::not_a_corpus(folder, reason));
        }
    }
    Ok(())
}
