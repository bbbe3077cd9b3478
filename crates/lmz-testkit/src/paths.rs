//! Files of the repository.

use std::path::{Path, PathBuf};

/// The absolute path of a file or folder of the repository, given from its root.
pub fn repository(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// The bytes of a file of the repository.
///
/// # Panics
///
/// If it cannot be read, with its path.
#[track_caller]
pub fn read(path: &str) -> Vec<u8> {
    let full = repository(path);
    std::fs::read(&full).unwrap_or_else(|e| panic!("{}: {e}", full.display()))
}
