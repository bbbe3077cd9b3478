//! Training of small language models on one's own text, as `zstd --train` makes dictionaries.
//!
//! [`train`] goes from files to a Hugging Face directory: it makes a tokenizer, writes the corpus
//! to disk as tokens, and trains a Llama of a [`Preset`]'s shape until the [`Budget`] is spent.
//! The model is `lmz-float`'s own modules under burn's automatic differentiation.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Preset`] | shape and recipe |
//! | [`Budget`], [`rate`] | when training ends, and the learning rate on the way |
//! | [`Corpus`] | files, documents, pieces, line habits |
//! | [`bpe`] | the tokenizer |
//! | `dataset` | tokens on disk, batches by step, held-out rows |
//! | `parameters` | first values, names, the way to a parameter in the modules |
//! | `optimiser` | Muon and AdamW |
//! | `run` | settings, the loop, saved states, metrics, the result |
//!
//! A run lives in its output directory. All that it needs to go on lies in `run/` there, in files
//! that are replaced as a whole, so that it survives being killed at any moment; the same call
//! with [`Options::resume`] goes on. The batches depend on the seed and the step alone: with a
//! budget of tokens a resumed run takes the very steps of an unbroken one.
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).

pub mod bpe;
mod corpus;
mod dataset;
mod error;
mod files;
mod optimiser;
mod parameters;
mod preset;
mod run;
mod schedule;
mod tokenizer;

pub use corpus::{Corpus, TextFile};
pub use error::{ErrorKind, Result, TrainError};
pub use preset::Preset;
pub use run::{Event, HeldOut, Options, Outcome, Row, Summary, Watch, train};
pub use schedule::{Budget, rate};

#[cfg(all(test, feature = "cpu"))]
mod tests;
