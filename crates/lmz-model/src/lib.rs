//! Published models, read as plain data.
//!
//! A Hugging Face directory holds `config.json`, one or many safetensors files and
//! `tokenizer.json`; a GGUF file holds all of a model. [`Checkpoint::open`] turns either into
//!
//! * a [`Blueprint`]: what the model computes, as data that any engine can build from;
//! * the weights, memory-mapped and read part by part ([`Tensors`], of a directory, also by name);
//! * a [`Vocabulary`]: for each token id the exact bytes that it stands for;
//! * the bytes of `tokenizer.json`, from which an [`ExactTokenizer`] is built.
//!
//! A [`Network`] is the first two alone, for what needs no vocabulary. Both give an engine its
//! [`Weights`] part by part, whatever the checkpoint's family calls, fuses or transposes.
//!
//! This crate knows no engine. What it cannot represent exactly it refuses by name: an
//! architecture, a field of the configuration that changes the mathematics, a kind of
//! tokenizer, a missing, misshapen or non-finite tensor.
//!
//! ```no_run
//! # fn main() -> Result<(), lmz_model::ModelError> {
//! use lmz_model::{Checkpoint, ExactTokenizer, LayerPart, Part, Weights};
//!
//! let checkpoint = Checkpoint::open("path/to/model")?;
//! let queries = checkpoint.load(Part::Layer(0, LayerPart::Query))?;
//! let tokenizer = ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary)?;
//! let symbols = tokenizer.encode(b"any bytes \xff at all");
//! # let _ = (queries, symbols);
//! # Ok(())
//! # }
//! ```
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).

// The one exception is `mapped`, which says why.
#![deny(unsafe_code)]

mod blueprint;
#[cfg(feature = "tokenizers")]
mod checkpoint;
mod config;
mod error;
mod files;
#[cfg_attr(
    not(feature = "tokenizers"),
    allow(dead_code, reason = "a network needs no tokenizer's metadata")
)]
mod gguf;
#[cfg_attr(
    not(feature = "tokenizers"),
    allow(dead_code, reason = "only whole checkpoints are read from memory")
)]
mod mapped;
mod name;
mod network;
mod notice;
mod tensors;
mod tokenize;
mod vocab;

pub use blueprint::{
    Activation, Attention, Block, Blueprint, Ends, FeedForward, FeedForwardKind, Grid, HeadNorm,
    LayerPart, Layout, Norm, NormPlacement, Part, Position, Residual, RopeScaling, TensorSpec,
    Weights, Window,
};
#[cfg(feature = "tokenizers")]
pub use checkpoint::Checkpoint;
pub use config::{ParsedConfig, parse_config};
pub use error::{ErrorKind, ModelError, Result};
pub use files::{check_regular, is_gguf};
pub use network::Network;
pub use tensors::{Dtype, TensorRef, Tensors};
pub use tokenize::Symbol;
#[cfg(feature = "tokenizers")]
pub use tokenize::{ExactTokenizer, PATIENCE, PIECE_BYTES};
pub use vocab::Vocabulary;
