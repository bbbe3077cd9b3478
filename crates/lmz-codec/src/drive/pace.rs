//! Whether the lanes of a device advance together or in two halves, whichever is faster. The bytes are the same.
//!
//! While the symbols of one half are decoded here, the device computes the other, and neither waits for the round
//! trip. But each half takes all launches, so a device that launches set the pace of is faster with all lanes
//! together. Which it is is measured, again and again: other work comes and goes.

use std::time::{Duration, Instant};

/// Rounds of a trial; its figure is their median, so a round in which blocks begin does not count.
const TRIAL: usize = 15;
/// Rounds from one pair of trials to the next.
const SETTLED: usize = 2000;
/// Groups that are tried.
const CHOICES: [usize; 2] = [1, 2];

/// Measures rounds, in each of which every lane advances by a symbol.
#[derive(Debug)]
pub struct Pace {
    /// Index into [`CHOICES`].
    choice: usize,
    /// The nanoseconds a symbol of the rounds of a trial.
    rounds: Vec<u64>,
    /// The median of the first choice, once it was tried.
    first: Option<u64>,
    /// Rounds to go until both are tried: no end of them where there is nothing to choose.
    settled: usize,
    /// When the last round of a trial ended.
    before: Option<Instant>,
}

impl Pace {
    /// For so many seats of lanes that advance one by one or, if `ahead`, while others are computed. Where passes are
    /// `long`, launches set no pace: that halves are faster need not be measured.
    pub fn new(seats: usize, ahead: bool, long: bool) -> Self {
        let halves = seats >= 2 && ahead;
        Self {
            choice: usize::from(halves && long),
            rounds: Vec::new(),
            first: None,
            settled: match halves && !long {
                true => 0,
                false => usize::MAX,
            },
            before: None,
        }
    }

    /// Groups of lanes that are to be queued now.
    pub fn groups(&self) -> usize {
        CHOICES[self.choice]
    }

    /// A round has ended, with so many symbols. Where there is no clock, all advance together.
    pub fn round(&mut self, now: impl FnOnce() -> Option<Instant>, symbols: usize) {
        if self.settled > 0 {
            self.settled -= 1;
            if self.settled == 0 {
                self.choice = 0;
            }
            return;
        }
        let Some(now) = now() else {
            return;
        };
        // The first round of a choice begins with nothing queued.
        let Some(before) = self.before.replace(now) else {
            return;
        };
        let took: Duration = now - before;
        let took = took.as_nanos() as u64 / symbols.max(1) as u64;
        self.rounds.push(took);
        if self.rounds.len() < TRIAL {
            return;
        }
        self.rounds.sort_unstable();
        let median = self.rounds[TRIAL / 2];
        self.rounds.clear();
        self.before = None;
        match self.first.take() {
            None => (self.first, self.choice) = (Some(median), 1),
            Some(first) => {
                self.choice = usize::from(median < first);
                self.settled = SETTLED;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_computed_ahead_nothing_is_measured() {
        let mut pace = Pace::new(100, false, false);
        for _ in 0..3 * TRIAL {
            pace.round(|| panic!("the time is asked for"), 100);
            assert_eq!(pace.groups(), 1);
        }
    }

    /// The groups of so many rounds, of 100 symbols each, which take so many microseconds.
    fn groups(lanes: usize, rounds: usize, micros: impl Fn(usize, usize) -> u64) -> Vec<usize> {
        let mut pace = Pace::new(lanes, true, false);
        let mut now = Instant::now();
        let round = |number| {
            let groups = pace.groups();
            now += Duration::from_micros(micros(number, groups));
            pace.round(|| Some(now), 100);
            groups
        };
        (0..rounds).map(round).collect()
    }

    #[test]
    fn the_faster_one_is_kept() {
        for best in CHOICES {
            // Every seventh round has blocks that begin.
            let micros = |round: usize, groups| {
                let begins = if round.is_multiple_of(7) { 10_000 } else { 0 };
                begins + if groups == best { 800 } else { 900 }
            };
            let all = groups(100, 2 * SETTLED, micros);
            assert_eq!(all[..=TRIAL], [1; TRIAL + 1]);
            assert_eq!(all[TRIAL + 1..2 * TRIAL + 2], [2; TRIAL + 1]);
            let settled = &all[2 * TRIAL + 2..];
            assert!(settled[..SETTLED].iter().all(|&groups| groups == best));
            // Both are tried again.
            for groups in CHOICES {
                assert!(settled[SETTLED..].contains(&groups));
            }
        }
    }

    #[test]
    fn it_changes_when_the_device_does() {
        let all = groups(100, 3 * SETTLED, |round, groups| {
            let swapped = round > SETTLED;
            if (groups == 2) == swapped { 700 } else { 900 }
        });
        assert_eq!(all[SETTLED / 2], 1);
        assert_eq!(all[2 * SETTLED], 2);
    }

    #[test]
    fn one_lane_has_no_halves() {
        let all = groups(1, 3 * TRIAL, |_, groups| 1000 / groups as u64);
        assert!(all.iter().all(|&groups| groups == 1));
    }
}
