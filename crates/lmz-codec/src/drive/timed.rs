//! How long the model takes, told to the observer.

use std::time::Instant;

use super::context::Drive;
use crate::clock;
use crate::timing::{Direction, Timing};

/// A batch that workers are busy with.
pub struct Stopwatch {
    direction: Direction,
    start: Option<Instant>,
}

impl Stopwatch {
    pub fn start(direction: Direction) -> Self {
        Self {
            direction,
            start: clock::now(),
        }
    }

    /// The batch, of so many raw bytes, is done.
    pub fn stop(self, drive: &Drive<'_>, bytes: usize) {
        if let (Some(start), Some(end)) = (self.start, clock::now()) {
            let timing = Timing {
                bytes: bytes as u64,
                time: end - start,
            };
            drive.observer.timed(drive.model, self.direction, timing);
        }
    }
}
