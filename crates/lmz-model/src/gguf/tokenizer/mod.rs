//! The tokenizer as a `tokenizer.json`: what the original one holds of merging, splitting, added
//! tokens and the first token of a context.

mod byte_level;
mod pre;
mod sentencepiece;
mod tokens;
mod write;

use super::model::Gguf;
use crate::error::{ModelError, Result};

const MODEL: &str = "tokenizer.ggml.model";

/// The bytes of the `tokenizer.json`.
///
/// # Errors
/// A kind of tokenizer that cannot be made exact, an unknown pre-tokenizer, lists that are
/// missing or do not fit each other.
pub(crate) fn tokenizer_json(gguf: &Gguf) -> Result<Vec<u8>> {
    let meta = gguf.meta();
    let Some(model) = meta.text(MODEL)? else {
        return Err(ModelError::GgufUnsupported {
            file: meta.file.into(),
            reason: format!(
                "it holds no tokenizer ({MODEL} is missing): take a file that has one, or \
                 convert the model again"
            ),
        });
    };
    match model {
        "gpt2" => byte_level::json(meta),
        "llama" => sentencepiece::json(meta),
        other => Err(ModelError::GgufUnsupported {
            file: meta.file.into(),
            reason: format!(
                "tokenizers of the kind {other:?} are not supported; supported are gpt2 \
                 (byte-level BPE) and llama (SentencePiece)"
            ),
        }),
    }
}
