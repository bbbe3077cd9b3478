//! `lmz bpc`: a corpus scored by a model.

pub mod args;
#[cfg(feature = "float")]
mod progress;
#[cfg(feature = "float")]
mod run;
#[cfg(feature = "float")]
mod sizes;

#[cfg(feature = "float")]
pub use run::run;

/// `lmz bpc` in a build without the engine.
///
/// # Errors
/// Always.
#[cfg(not(feature = "float"))]
pub fn run(_args: &args::BpcArgs) -> Result<bool, crate::message::Failure> {
    let message = "this lmz was built without the float engine (cargo feature `float`)";
    Err(crate::message::Failure::Fatal(anyhow::anyhow!(message)))
}
