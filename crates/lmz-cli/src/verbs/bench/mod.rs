//! `lmz bench`: lmz beside other compressors, on the same bytes.

mod args;
#[cfg(feature = "bench")]
mod plot;
#[cfg(feature = "bench")]
mod run;
#[cfg(feature = "bench")]
mod sums;
#[cfg(feature = "bench")]
mod table;

pub use args::BenchArgs;

#[cfg(not(feature = "bench"))]
crate::verb::missing!(
    BenchArgs,
    "bench",
    <BenchArgs as clap::CommandFactory>::command,
    "the other compressors",
    "bench"
);
