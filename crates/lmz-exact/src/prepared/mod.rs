//! The prepared model: a checkpoint in integers, and its file (docs/lmzm.md).

#[cfg(feature = "prepare")]
mod build;
mod dequantise;
mod file;
mod fine;
mod model;
mod rows;

#[cfg(feature = "prepare")]
pub(crate) use build::{Builder, Facts, Remainder};
pub use fine::FineRows;
pub use model::{
    BLOCK_RECIPE, LEVEL_RECIPE, LMZM_VERSION, NUMERICS, NUMERICS_VERSION, Prepared, RECIPE,
    RECIPES, WIDE_NUMERICS, WIDE_RECIPE,
};
pub use rows::{Blocks, MAX_FACTOR, MAX_OFFSET, Rows};
