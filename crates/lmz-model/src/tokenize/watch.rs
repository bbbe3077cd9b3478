//! A bound on the time that a model's regular expressions take.
//!
//! They are the model's, and some take time that grows with the square of the text, or faster. The bound is on time, and not
//! on steps, which the library does not tell: a text is cut into the same words wherever they are found in time, and
//! elsewhere it is refused.

use std::time::{Duration, Instant};

/// The most that a single match counts: a program that was stopped for a while is not slow.
const LONGEST_MATCH: Duration = Duration::from_millis(500);

/// Adds up the time of matches.
pub(crate) struct Watch {
    limit: Duration,
    spent: Duration,
    last: Instant,
}

/// The time is over.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl Watch {
    /// One that never ends.
    pub(crate) fn endless() -> Self {
        Self::new(Duration::MAX)
    }

    /// So much time.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            spent: Duration::ZERO,
            last: Instant::now(),
        }
    }

    /// Begins to look for the next match.
    pub(crate) fn start(&mut self) {
        self.last = Instant::now();
    }

    /// A match was found, or none.
    pub(crate) fn matched(&mut self) -> Result<(), TooSlow> {
        let now = Instant::now();
        let took = now.duration_since(self.last).min(LONGEST_MATCH);
        self.last = now;
        self.spent = self.spent.saturating_add(took);
        match self.spent > self.limit {
            true => Err(TooSlow),
            false => Ok(()),
        }
    }
}
