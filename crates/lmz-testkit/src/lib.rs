//! What tests of several crates share: random numbers, texts, tiny models, and transcriptions of the normative texts.
//!
//! Everything here is the same on every machine and comes from the repository or is made on the spot: no test looks
//! outside the clone. Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).
#![forbid(unsafe_code)]

#[cfg(feature = "coder")]
pub mod coder;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "models")]
pub mod gguf;
#[cfg(feature = "models")]
pub mod models;
mod paths;
mod random;
mod text;

pub use paths::{read, repository};
pub use random::{Random, noise};
#[cfg(feature = "models")]
pub use text::sample;
pub use text::{alice, story};
