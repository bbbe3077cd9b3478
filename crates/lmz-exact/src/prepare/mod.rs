//! Recipe 1: a checkpoint in integers (docs/lmzm.md, "Recipe 1").
//!
//! Frozen. A better recipe gets the next number and its own module; this one stays.

#[cfg(feature = "prepare")]
mod layer;
#[cfg(feature = "prepare")]
mod matrix;
#[cfg(feature = "prepare")]
mod norms;
#[cfg(feature = "prepare")]
mod recipe;
#[cfg(feature = "prepare")]
mod rope;
mod scope;

#[cfg(feature = "prepare")]
pub use recipe::prepare;
pub(crate) use scope::check;
