//! Hostile prepared models.

use std::io::Cursor;

use lmz_codec::{CompressOptions, DecompressOptions, Model, compress, decompress_seekable};
use lmz_exact::Prepared;

use crate::engine::on_every_kernel;

/// Weights of the largest model that is run.
const MAX_WEIGHTS: u64 = 1 << 20;

/// Bytes as a `.lmzm`: refused, or a model that runs with the same bits on every kernel, and that restores
/// what it compressed.
pub fn lmzm(bytes: &[u8]) {
    let Ok(prepared) = Prepared::from_bytes(bytes.to_vec()) else {
        return;
    };
    if prepared.weights() > MAX_WEIGHTS {
        return;
    }
    if let Some(model) = on_every_kernel(&prepared) {
        compressed(&model);
    }
}

fn compressed(model: &Model) {
    let text = b"one, two \xff";
    let options = CompressOptions {
        context: Some(8),
        threads: 1,
        verify: false,
        ..CompressOptions::default()
    };
    let mut file = Vec::new();
    if compress(&text[..], &mut file, model, &options, &()).is_err() {
        // Without a tokenizer there is nothing to compress.
        return assert!(model.tokenizer().is_err());
    }
    let options = DecompressOptions {
        threads: 1,
        prime: None,
    };
    let mut out = Vec::new();
    decompress_seekable(Cursor::new(file), &mut out, model, &options, &()).expect("its own file");
    assert_eq!(out, text);
}
