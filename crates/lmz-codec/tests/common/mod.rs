//! What the codec's tests share.
#![allow(dead_code, missing_docs)]

use std::path::Path;
use std::sync::OnceLock;

use lmz_codec::{
    CompressOptions, DecompressOptions, Mix, Model, SegmentPlan, compress, decompress,
};

/// The 260,000-parameter model of tests/models.
pub fn nano() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| open("tests/models/stories260K.lmzm"))
}

/// The embedded model.
pub fn bootstrap() -> Model {
    open("models/archive/bootstrap/bootstrap.lmzm")
}

fn open(path: &str) -> Model {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Model::open(&root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A real text that is in the repository.
pub fn text() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/alice29.txt")).unwrap()
}

/// Small segments and blocks, so that short inputs have many of both; the model alone.
pub fn small() -> CompressOptions {
    CompressOptions {
        context: Some(24),
        overlap: Some(7),
        plan: SegmentPlan::fixed(200).unwrap(),
        mix: Mix::None,
        lanes: None,
        full: false,
        threads: 2,
        verify: false,
        prime: None,
    }
}

/// As many bytes as possible in one segment, by the model alone.
pub fn alone() -> CompressOptions {
    CompressOptions {
        mix: Mix::None,
        ..CompressOptions::default()
    }
}

pub fn packed(raw: &[u8], options: &CompressOptions) -> Vec<u8> {
    let mut out = Vec::new();
    compress(raw, &mut out, nano(), options, &()).unwrap();
    out
}

pub fn restored(packed: &[u8]) -> lmz_codec::Result<Vec<u8>> {
    let mut out = Vec::new();
    decompress(
        packed,
        &mut out,
        nano(),
        &DecompressOptions {
            threads: 2,
            ..Default::default()
        },
        &(),
    )?;
    Ok(out)
}

/// Bytes that nothing makes smaller.
pub fn noise(n: usize) -> Vec<u8> {
    lmz_testkit::noise(n, 1)
}
