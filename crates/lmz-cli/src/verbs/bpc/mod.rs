//! `lmz bpc`: a corpus scored by a model.

mod args;
#[cfg(feature = "float")]
mod progress;
#[cfg(feature = "float")]
mod run;

pub use args::BpcArgs;

#[cfg(not(feature = "float"))]
crate::verb::missing!(
    BpcArgs,
    "bpc",
    args::definition,
    "the float engine",
    "float"
);
