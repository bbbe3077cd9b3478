//! Checksums of a dataset's files, so that a resumed run does not go on with other text than it began with.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use crate::error::{Result, TrainError};
use crate::files;

/// The file's name.
const FILE: &str = "checks.json";
/// What the tokenizer is called in it, which lies elsewhere.
const TOKENIZER: &str = "tokenizer.json";

/// BLAKE3 hashes in hexadecimal digits, by the files' names.
type Checks = BTreeMap<String, String>;

/// Writes the checksums of all files in `directory`, and of the tokenizer that made them.
pub(super) fn write(directory: &Path, tokenizer: &[u8]) -> Result<()> {
    let mut checks = Checks::from([(TOKENIZER.to_owned(), hex_of(tokenizer))]);
    for entry in fs::read_dir(directory).map_err(TrainError::read(directory))? {
        let path = entry.map_err(TrainError::read(directory))?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            checks.insert(name.to_owned(), hash(&path)?);
        }
    }
    let json = serde_json::to_vec_pretty(&checks).unwrap_or_default();
    files::replace_bytes(&directory.join(FILE), &json)
}

/// Compares them.
pub(super) fn check(directory: &Path, tokenizer: &[u8]) -> Result<()> {
    let path = directory.join(FILE);
    let damaged = |path: &Path, reason: String| TrainError::State {
        path: path.to_owned(),
        reason,
    };
    let json = fs::read(&path).map_err(TrainError::read(&path))?;
    let checks: Checks =
        serde_json::from_slice(&json).map_err(|error| damaged(&path, error.to_string()))?;
    for (name, right) in checks {
        let (path, found) = match name.as_str() {
            TOKENIZER => (directory.with_file_name(TOKENIZER), hex_of(tokenizer)),
            name => (directory.join(name), hash(&directory.join(name))?),
        };
        if found != right {
            let reason = "its checksum is wrong: it is not what the run began with (begin anew)";
            return Err(damaged(&path, reason.into()));
        }
    }
    Ok(())
}

fn hash(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(TrainError::read(path))?;
    Ok(hasher.finalize().to_string())
}

fn hex_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_in_any_file_is_found() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("data.json"), "[]").unwrap();
        fs::write(data.join("0000.u16"), [7; 100]).unwrap();
        write(&data, b"{}").unwrap();
        check(&data, b"{}").unwrap();
        assert!(
            check(&data, b"{ }")
                .unwrap_err()
                .to_string()
                .contains("tokenizer")
        );
        for name in ["data.json", "0000.u16", FILE] {
            let path = data.join(name);
            let whole = fs::read(&path).unwrap();
            for at in 0..whole.len() {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                // White space between the checksums says nothing.
                if name == FILE && whole[at].is_ascii_whitespace() {
                    continue;
                }
                fs::write(&path, &bytes).unwrap();
                assert!(check(&data, b"{}").is_err(), "{name} {at}");
            }
            fs::remove_file(&path).unwrap();
            assert!(check(&data, b"{}").is_err(), "{name}");
            fs::write(&path, &whole).unwrap();
        }
    }
}
