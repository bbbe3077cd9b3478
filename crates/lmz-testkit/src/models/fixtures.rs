//! The checkpoints of the repository.

use std::path::Path;

use lmz_model::Checkpoint;

use crate::repository;

/// A model directory of the repository that has its tokenizer: `models/lmz-5m`, `tests/fixtures/stories260K`.
///
/// # Panics
///
/// If it is not there.
#[track_caller]
pub fn checkpoint(path: &str) -> Checkpoint {
    Checkpoint::open(repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A model of `tests/fixtures` (`families/NAME`, `text/NAME`) with the tokenizer of 91 tokens that lies there.
///
/// # Panics
///
/// If it is not there.
#[track_caller]
pub fn with_tokenizer(name: &str) -> Checkpoint {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let source = repository("tests/fixtures").join(name);
    let copy = |from: &Path, file: &str| {
        let copied = std::fs::copy(from.join(file), directory.path().join(file));
        copied.unwrap_or_else(|e| panic!("{name}/{file}: {e}"));
    };
    copy(&source, "config.json");
    copy(&source, "model.safetensors");
    copy(&repository("tests/fixtures/text"), "tokenizer.json");
    // What is mapped stays readable when the directory is gone.
    Checkpoint::open(directory.path()).unwrap_or_else(|e| panic!("{name}: {e}"))
}
