//! `lmz bench`: lmz beside other compressors, on the same bytes.

pub mod args;
#[cfg(feature = "bench")]
mod measure;
#[cfg(feature = "bench")]
mod method;
#[cfg(feature = "bench")]
mod plot;
#[cfg(feature = "bench")]
mod run;
#[cfg(feature = "bench")]
mod table;

#[cfg(feature = "bench")]
pub use run::run;

/// `lmz bench` in a build without the other compressors.
///
/// # Errors
/// Always.
#[cfg(not(feature = "bench"))]
pub fn run(_args: &args::BenchArgs) -> Result<bool, crate::message::Failure> {
    let message = "this lmz was built without the other compressors (cargo feature `bench`)";
    Err(crate::message::Failure::Fatal(anyhow::anyhow!(message)))
}
