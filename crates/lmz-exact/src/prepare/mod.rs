//! A checkpoint in integers: recipe 1, recipe 2 for models some of whose scores are large or for which int8 is too
//! coarse, recipe 3 for those that are stored in blocks of small integers, and recipe 4 for those of them some of whose scores are large
//! (docs/lmzm.md).
//!
//! They are frozen: a better recipe gets the next number, and these stay.

#[cfg(feature = "prepare")]
mod blocks;
#[cfg(feature = "prepare")]
mod fine;
#[cfg(feature = "prepare")]
mod heads;
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
mod scores;
#[cfg(feature = "prepare")]
mod stored;

#[cfg(feature = "prepare")]
pub use recipe::{prepare, prepare_as};
pub(crate) use scope::check;
