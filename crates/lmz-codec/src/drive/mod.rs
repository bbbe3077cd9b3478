//! How a model is driven: workers, each with [lanes](lmz_exact::Lanes) of the CPU or of another device, share a queue of
//! tasks.
//!
//! * [`Task`]: a sequence that is run in a lane. Its symbols are known ([`Drive::score`], of which [`Drive::encode`] and a
//!   trace are made) or come one after the other ([`Drive::decode`]);
//! * `Drive::run`: who the workers are; `Crew`: tasks that they share; `Worker`: one of them, with its lanes;
//! * `Exchange`: tasks under way go from one worker to another; `Pace`: how a device's lanes advance.

mod context;
mod crew;
mod decode;
#[cfg(feature = "encode")]
mod encode;
mod exchange;
mod pace;
#[cfg(feature = "encode")]
mod score;
mod task;
mod tasks;
#[cfg(all(test, feature = "encode"))]
mod tests;
mod timed;
mod worker;
mod workers;

pub use context::Drive;
pub use decode::Decoded;
#[cfg(feature = "encode")]
pub use encode::{Coded, seal};
#[cfg(feature = "encode")]
pub use score::{Keep, Scored};
pub use timed::Stopwatch;
pub use workers::{Sizes, Stop};
