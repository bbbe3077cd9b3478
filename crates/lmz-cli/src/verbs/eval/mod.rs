//! `lmz eval`: a model scored in benchmarks.

mod args;
#[cfg(feature = "float")]
mod progress;
#[cfg(feature = "float")]
mod run;
#[cfg(feature = "float")]
mod say;
#[cfg(feature = "float")]
mod show;
#[cfg(feature = "float")]
mod table;

pub use args::EvalArgs;

#[cfg(not(feature = "float"))]
crate::verb::missing!(
    EvalArgs,
    "eval",
    args::definition,
    "the float engine",
    "float"
);
