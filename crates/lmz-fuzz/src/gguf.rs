//! Hostile GGUF files.

use lmz_model::{Checkpoint, ExactTokenizer, Weights};

/// Weights of the largest model that is read.
const MAX_WEIGHTS: usize = 1 << 20;
/// A text with what tokenizers differ in.
const TEXT: &[u8] = b"The  end, don't\r\n\n\t 123 \xe2\x96\x81\xff\xc3\xa9";

/// Bytes as a GGUF file: refused, or a model whose parts have the shapes that its blueprint says, a
/// hash, and a tokenizer that keeps every byte.
pub fn gguf(bytes: &[u8]) {
    let Ok(checkpoint) = Checkpoint::from_gguf("fuzzed.gguf", bytes.to_vec()) else {
        return;
    };
    let blueprint = &checkpoint.blueprint;
    let parts = blueprint.parts();
    let sizes = parts
        .iter()
        .map(|&part| elements(&blueprint.part_shape(part)));
    // Every tensor lies in the input, so this is no more than its bytes allow.
    if sizes.sum::<usize>() > MAX_WEIGHTS {
        return;
    }
    for part in parts {
        if let Ok(values) = checkpoint.load(part) {
            assert_eq!(
                values.len(),
                elements(&blueprint.part_shape(part)),
                "{part:?}"
            );
            assert!(values.iter().all(|value| value.is_finite()), "{part:?}");
        }
    }
    checkpoint.content_hash().expect("every tensor is there");
    let (json, vocabulary) = (&checkpoint.tokenizer_json, &checkpoint.vocabulary);
    if let Ok(tokenizer) = ExactTokenizer::new(json, vocabulary) {
        assert_eq!(tokenizer.decode(&tokenizer.encode(TEXT)), TEXT);
        let reduced = ExactTokenizer::new(tokenizer.reduced_json(), vocabulary);
        let reduced = reduced.expect("the reduced form of a tokenizer");
        assert_eq!(reduced.encode(TEXT), tokenizer.encode(TEXT));
    }
}

fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}
