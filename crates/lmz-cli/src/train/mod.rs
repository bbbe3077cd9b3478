//! `lmz train`: a model of one's own.

pub mod args;
#[cfg(feature = "train")]
mod progress;
#[cfg(feature = "train")]
mod run;

#[cfg(feature = "train")]
pub use run::run;

/// `lmz train` in a build without the trainer.
///
/// # Errors
/// Always.
#[cfg(not(feature = "train"))]
pub fn run(_args: &args::TrainArgs) -> Result<bool, crate::message::Failure> {
    let message = "this lmz was built without the trainer (cargo feature `train`)";
    Err(crate::message::Failure::Fatal(anyhow::anyhow!(message)))
}
