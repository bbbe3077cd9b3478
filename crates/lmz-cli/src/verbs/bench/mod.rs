//! `lmz bench`: lmz beside other compressors, on the same bytes.

mod args;
#[cfg(not(feature = "bench"))]
mod missing;
#[cfg(feature = "bench")]
mod plot;
#[cfg(feature = "bench")]
mod run;
#[cfg(feature = "bench")]
mod sums;
#[cfg(feature = "bench")]
mod table;

pub use args::BenchArgs;
