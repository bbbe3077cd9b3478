//! `lmz bpc`: a corpus scored by a model.

mod args;
#[cfg(not(feature = "float"))]
mod missing;
#[cfg(feature = "float")]
mod progress;
#[cfg(feature = "float")]
mod run;

pub use args::BpcArgs;
