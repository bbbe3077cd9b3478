//! How long a model's engine took, for those who predict how long it will take.

use std::time::{Duration, Instant};

use crate::model::Model;

/// Raw bytes that went through the engine, and the time that they took, one batch after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// Bytes of text, not of what it is compressed to.
    pub bytes: u64,
    /// What the engine took, without tokeniser, zstd and files.
    pub time: Duration,
}

/// Of both directions; decoding again for verification is decoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// All positions of a block at once.
    pub encoding: Timing,
    /// One position after the other.
    pub decoding: Timing,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    Encoding,
    Decoding,
}

/// A batch that the engine works on.
pub(crate) struct Stopwatch<'a> {
    model: &'a Model,
    direction: Direction,
    start: Instant,
}

impl<'a> Stopwatch<'a> {
    pub fn start(model: &'a Model, direction: Direction) -> Self {
        Self {
            model,
            direction,
            start: Instant::now(),
        }
    }

    /// The batch is done.
    pub fn stop(self, bytes: u64) {
        let time = self.start.elapsed();
        self.model.timed(|timings| {
            let timing = match self.direction {
                Direction::Encoding => &mut timings.encoding,
                Direction::Decoding => &mut timings.decoding,
            };
            timing.bytes += bytes;
            timing.time += time;
        });
    }
}
