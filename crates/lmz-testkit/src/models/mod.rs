//! Models that tests make themselves, and those of `tests/fixtures`.

mod blocks;
mod coarse;
mod directory;
mod fixtures;
mod large;
mod llama;
mod model;
mod tokenizers;
mod weights;

pub use blocks::{in_blocks, scale_blocks};
pub use coarse::{coarse_rows, coarsen};
pub use directory::{ModelDirectory, Tensor, write_index};
pub use fixtures::{checkpoint, with_tokenizer};
pub use large::{enlarge_scores, large_scores};
pub use llama::{NARROW, ODD, Tiny, VOCABULARY, WIDE};
pub use model::Model;
pub use tokenizers::{byte_char, byte_level, few_letters, sentencepiece};
pub use weights::RandomWeights;
