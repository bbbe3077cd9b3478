//! The clock, which a build without the feature `clock` does not have: where there is none, asking for the time panics.

use std::time::Instant;

/// The time, if there is a clock.
pub fn now() -> Option<Instant> {
    cfg!(feature = "clock").then(Instant::now)
}
