//! How a model is driven: workers, each with [lanes](lmz_exact::Lanes) of the CPU or of another device, share tasks.
//!
//! * `Task`: symbols that are asked about in a lane by a `Side`. All are known ([`Drive::score`], of which
//!   [`Drive::encode`] and a trace are made), or the answers say which they are ([`Drive::decode`]);
//! * [`Crew`]: tasks that workers share; `worker`: one of these, with its lanes; [`Drive::run`]: who they are;
//! * `Pace`: how a device's lanes advance.

mod context;
mod crew;
mod decode;
#[cfg(feature = "encode")]
mod encode;
mod pace;
#[cfg(feature = "encode")]
mod score;
mod task;
#[cfg(all(test, feature = "encode"))]
mod tests;
mod worker;
mod workers;

pub use context::Drive;
pub use crew::Crew;
pub use decode::Decoded;
#[cfg(feature = "encode")]
pub use encode::{Coded, seal};
#[cfg(feature = "encode")]
pub use score::{Keep, Known, Scored};
pub use workers::Sizes;
