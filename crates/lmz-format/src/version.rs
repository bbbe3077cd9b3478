//! Versions of the container, and what differs between them.

use crate::limits::MAX_SMALL_LEN;

/// A version of the container (docs/format.md, Versions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormatVersion {
    /// Segments that the model codes alone.
    V1 = 1,
    /// Groups that are coded by the model and by what is learnt of them.
    V2 = 2,
}

impl FormatVersion {
    /// All that this build reads and writes.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The number that a file has of it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The version of this number, if this build knows it.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.number() == number)
    }

    /// The most raw bytes that a small member may hold.
    pub fn max_small_len(self) -> usize {
        match self {
            Self::V1 => 4 << 10,
            Self::V2 => MAX_SMALL_LEN,
        }
    }
}
