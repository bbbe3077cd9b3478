//! Part `i` of `n` of a run, for several processes or machines.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::MetricError;

/// A shard: `2/5` is the second of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Its number, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Its part of a row of so many things.
    pub(crate) fn of(self, things: usize) -> Range<usize> {
        let bound = |shard: u32| {
            let bound = things as u128 * u128::from(shard) / u128::from(self.count);
            // No more than `things`.
            bound as usize
        };
        bound(self.index - 1)..bound(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = MetricError;

    fn from_str(text: &str) -> Result<Self, MetricError> {
        let parsed = text.split_once('/').and_then(|(index, count)| {
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (1..=count)
                .contains(&index)
                .then_some(Self { index, count })
        });
        parsed.ok_or_else(|| {
            MetricError::InvalidArgument(format!(
                "{text}: a shard is written I/N, with I from 1 to N"
            ))
        })
    }
}

impl TryFrom<String> for Shard {
    type Error = MetricError;

    fn try_from(text: String) -> Result<Self, MetricError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_tile_the_row() {
        for things in [0, 1, 7, 100] {
            for count in 1..=9 {
                let mut at = 0;
                for index in 1..=count {
                    let range = Shard { index, count }.of(things);
                    assert_eq!(range.start, at);
                    at = range.end;
                }
                assert_eq!(at, things);
            }
        }
    }

    #[test]
    fn only_shards_are_shards() {
        for bad in ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!("2/5".parse::<Shard>().unwrap().to_string(), "2/5");
    }
}
