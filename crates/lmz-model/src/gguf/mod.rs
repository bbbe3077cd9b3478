//! GGUF files: a whole model in one file, or in parts.
//!
//! A file of version 2 or 3 is a header (metadata as typed keys and values, then the names,
//! shapes and types of tensors) and the tensors' blocks, which stay memory-mapped. Everything
//! after this module is what a Hugging Face directory gives: metadata become the fields of the
//! `config.json` that they were made from, and so the same [`Blueprint`](crate::Blueprint);
//! tensors become the [`Part`](crate::Part)s of that blueprint, with the converter's changes
//! undone; the tokenizer becomes a `tokenizer.json`.
//!
//! The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. The blocks: ggml's
//! `ggml-quants.c`. What llama.cpp's converter changes: `conversion/` in its repository.

mod config;
mod cursor;
mod dequant;
mod header;
mod kind;
mod metadata;
mod model;
mod places;
mod split;
#[cfg(test)]
mod tests;
#[cfg(feature = "tokenizers")]
mod tokenizer;

pub(crate) use config::read_config;
pub(crate) use header::MAGIC;
pub(crate) use model::Gguf;
pub(crate) use places::Places;
#[cfg(feature = "tokenizers")]
pub(crate) use tokenizer::tokenizer_json;
