//! `lmz train`: a model of one's own.

mod args;
#[cfg(feature = "train")]
mod progress;
#[cfg(feature = "train")]
mod run;

pub use args::TrainArgs;

#[cfg(not(feature = "train"))]
crate::verb::missing!(TrainArgs, "train", args::definition, "the trainer", "train");
