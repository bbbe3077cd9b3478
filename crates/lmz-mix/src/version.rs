//! Versions of the arithmetic.

/// A version of `docs/mixing.md`. All are kept: files of each are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The first.
    V1,
    /// [`Bytes`](crate::Bytes) has one more context, the place in the record; a group's list of parts knows padding.
    V2,
}

impl Version {
    /// The one that is written.
    pub const NEWEST: Self = Self::V2;

    /// By the number that a file has; none if this build does not know it.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }

    /// The number that a file has.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}
