//! How a model is driven: workers, each with [lanes](lmz_exact::Lanes) of the CPU or of another device, share a queue of
//! blocks (when symbols are known) or of groups of lanes (when they are not).
//!
//! * [`Drive::score`]: what the model says of known symbols, for encoding ([`Drive::encode`]) and for a trace;
//! * [`Drive::decode`]: one symbol after the other;
//! * [`Stage`]: between prediction and coder.

mod context;
mod decode;
#[cfg(feature = "encode")]
mod encode;
mod exchange;
mod lane;
mod pace;
#[cfg(feature = "encode")]
mod score;
mod stage;
#[cfg(all(test, feature = "encode"))]
mod tests;
mod timed;
mod workers;

pub use context::Drive;
pub use decode::{Decoded, Job};
#[cfg(feature = "encode")]
pub use encode::{Coded, seal};
#[cfg(feature = "encode")]
pub use score::{Keep, Scored};
pub use timed::Stopwatch;
pub use workers::{Sizes, Stop};
