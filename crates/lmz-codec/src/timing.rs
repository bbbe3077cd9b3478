//! How long the engine took, for those who predict how long it will take.

use std::time::Duration;

/// Raw bytes that went through the engine, and the time that they took, one batch after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// Bytes of text, not of what it is compressed to.
    pub bytes: u64,
    /// What the engine took, without tokeniser, zstd and files.
    pub time: Duration,
}

impl std::ops::AddAssign for Timing {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.time += other.time;
    }
}

/// Of both directions; decoding again for verification is decoding, where no known text is read ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// All positions of a block at once.
    pub encoding: Timing,
    /// One position after the other.
    pub decoding: Timing,
}

impl Timings {
    /// Adds what an [observer](crate::Observer::timed) is told.
    pub fn add(&mut self, direction: Direction, timing: Timing) {
        match direction {
            Direction::Encoding => self.encoding += timing,
            Direction::Decoding => self.decoding += timing,
        }
    }
}

/// Which way bytes go through the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// All positions of a block at once: encoding, and tracing.
    Encoding,
    /// One position after the other: decoding, also for verification.
    Decoding,
}
