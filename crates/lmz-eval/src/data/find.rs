//! The files of a source: in the directory of data, in an archive there, or in the program.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::bundled;
use crate::error::{EvalError, Result};
use crate::task::Source;

/// Largest file, unpacked, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// What stands for any name.
const SUBJECT: &str = "{subject}";
/// How files may be packed.
const PACKED: [&str; 3] = ["", ".zst", ".gz"];

/// A file, unpacked.
pub(super) struct File {
    /// What messages call it.
    pub name: String,
    /// The file or archive that it is from.
    pub origin: String,
    /// What `{subject}` stands for.
    pub subject: Option<String>,
    pub bytes: Vec<u8>,
}

/// What there is of a source.
pub(super) enum Found {
    Files(Vec<File>),
    /// Nothing; where it was looked for.
    Nothing(Option<String>),
}

/// Finds the files of a source, sorted by name.
pub(super) fn files(directory: Option<&Path>, source: &Source) -> Result<Found> {
    let Some(pattern) = source.file.as_deref() else {
        return Ok(Found::Nothing(None));
    };
    let place = source.archive.as_deref().unwrap_or(pattern);
    if source.bundled {
        let Some(bytes) = bundled::file(place) else {
            return Ok(Found::Nothing(None));
        };
        let name = format!("{place} of this program");
        return of_bytes(
            name,
            place,
            Cow::Borrowed(bytes),
            source.archive.is_some(),
            pattern,
        );
    }
    let Some(directory) = directory else {
        return Ok(Found::Nothing(Some(place.to_owned())));
    };
    if source.archive.is_some() {
        let path = directory.join(place);
        return match fs::read(&path) {
            Ok(bytes) => {
                let name = path.display().to_string();
                of_bytes(name, place, Cow::Owned(bytes), true, pattern)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Found::Nothing(Some(path.display().to_string())))
            }
            Err(error) => Err(EvalError::Io { path, error }),
        };
    }
    let mut found = Vec::new();
    for (path, subject) in matching(directory, pattern)? {
        let packed = fs::read(&path).map_err(EvalError::io(&path))?;
        let name = path.display().to_string();
        let bytes = unpacked(&name, &name, Cow::Owned(packed))?;
        found.push(File {
            origin: name.clone(),
            name,
            subject,
            bytes,
        });
    }
    Ok(match found.is_empty() {
        true => Found::Nothing(Some(directory.join(pattern).display().to_string())),
        false => Found::Files(found),
    })
}

/// The file, or files, that an archive or a packed file holds.
fn of_bytes(
    name: String,
    place: &str,
    packed: Cow<'_, [u8]>,
    archive: bool,
    pattern: &str,
) -> Result<Found> {
    let bytes = unpacked(&name, place, packed)?;
    if !archive {
        return Ok(Found::Files(vec![File {
            origin: name.clone(),
            name,
            subject: None,
            bytes,
        }]));
    }
    let failed = |error: io::Error| EvalError::File {
        file: name.clone(),
        reason: error.to_string(),
    };
    let mut found = Vec::new();
    let mut archive = tar::Archive::new(&bytes[..]);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        let Some(subject) = subject_of(&path, pattern) else {
            continue;
        };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        found.push(File {
            name: format!("{path} in {name}"),
            origin: name.clone(),
            subject,
            bytes,
        });
    }
    if found.is_empty() {
        return Err(EvalError::File {
            file: name,
            reason: format!("it holds no {pattern}"),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Found::Files(found))
}

/// What `{subject}` stands for in a name of this pattern; none if it is not of this pattern.
fn subject_of(name: &str, pattern: &str) -> Option<Option<String>> {
    let Some((before, after)) = pattern.split_once(SUBJECT) else {
        return (name == pattern).then_some(None);
    };
    let subject = name.strip_prefix(before)?.strip_suffix(after)?;
    (!subject.is_empty() && !subject.contains('/')).then(|| Some(subject.to_owned()))
}

/// Files of the directory whose names are of this pattern, packed or not.
fn matching(directory: &Path, pattern: &str) -> Result<Vec<(PathBuf, Option<String>)>> {
    let mut found = Vec::new();
    if !pattern.contains(SUBJECT) {
        for packed in PACKED {
            let path = directory.join(format!("{pattern}{packed}"));
            if path.is_file() {
                return Ok(vec![(path, None)]);
            }
        }
        return Ok(found);
    }
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let folder = directory.join(folder);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => {
            return Err(EvalError::Io {
                path: folder,
                error,
            });
        }
    };
    for entry in entries {
        let path = entry.map_err(EvalError::io(&folder))?.path();
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let subject = PACKED.iter().find_map(|packed| {
            let file = file.strip_suffix(packed)?;
            subject_of(file, name)
        });
        found.extend(subject.map(|subject| (path, subject)));
    }
    found.sort();
    // Packed and not, both there: one of them.
    found.dedup_by(|a, b| a.1 == b.1);
    Ok(found)
}

/// The content of a file that may be packed, by its name.
fn unpacked(name: &str, place: &str, packed: Cow<'_, [u8]>) -> Result<Vec<u8>> {
    let failed = |reason: String| EvalError::File {
        file: name.to_owned(),
        reason,
    };
    let mut bytes = Vec::new();
    let read = if place.ends_with(".zst") {
        let decoder = zstd::stream::read::Decoder::new(&packed[..]);
        decoder.and_then(|decoder| decoder.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    } else if place.ends_with(".gz") {
        let decoder = flate2::read::MultiGzDecoder::new(&packed[..]);
        decoder.take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        bytes = packed.into_owned();
        Ok(bytes.len())
    };
    read.map_err(|error| failed(error.to_string()))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(failed(format!("more than {MAX_BYTES} bytes"))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_subjects() {
        let found = |name| subject_of(name, "mmlu/test/{subject}_test.csv");
        assert_eq!(
            found("mmlu/test/anatomy_test.csv"),
            Some(Some("anatomy".into()))
        );
        for other in [
            "mmlu/test/_test.csv",
            "mmlu/test/a/b_test.csv",
            "mmlu/dev/a_test.csv",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
        assert_eq!(subject_of("a.jsonl", "a.jsonl"), Some(None));
        assert_eq!(subject_of("b.jsonl", "a.jsonl"), None);
    }
}
