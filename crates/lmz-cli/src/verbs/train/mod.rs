//! `lmz train`: a model of one's own.

mod args;
#[cfg(not(feature = "train"))]
mod missing;
#[cfg(feature = "train")]
mod progress;
#[cfg(feature = "train")]
mod run;

pub use args::TrainArgs;
