//! The prepared model: a checkpoint in integers, and its file (docs/lmzm.md).

#[cfg(feature = "prepare")]
mod build;
mod dequantise;
mod file;
mod model;

#[cfg(feature = "prepare")]
pub(crate) use build::{Builder, Facts};
pub use model::{
    LMZM_VERSION, NUMERICS, NUMERICS_VERSION, Prepared, RECIPE, RECIPES, WIDE_NUMERICS, WIDE_RECIPE,
};
