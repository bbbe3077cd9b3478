//! What was restored, and what was not.

use std::ops::Range;

/// Raw bytes that are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostRange {
    /// Number of the member among those that were found.
    pub member: u64,
    /// Offset of the first one in what the whole file held.
    pub from: u64,
    /// The end of the range; none if nobody knows how many there were.
    pub to: Option<u64>,
    /// The bytes of the damaged file that stood for them.
    pub file: Range<u64>,
    /// What is wrong with these.
    pub why: String,
}

/// What was restored, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvageReport {
    /// Raw bytes restored.
    pub restored: u64,
    /// Bytes written in the place of lost ones.
    pub filled: u64,
    /// Members found.
    pub members: u64,
    /// What is lost, in order; neighbours are one.
    pub lost: Vec<LostRange>,
    /// File offsets in which nothing was recognised, and why. Nobody knows what they stood for.
    pub rubbish: Vec<(Range<u64>, String)>,
    /// Members all of whose segments decode, but not to what their hash says.
    pub mismatched: Vec<u64>,
    /// Members all of whose segments were found and decode, but whose hash is lost with their footer: that nothing
    /// is missing between them is likely, and not proven.
    pub unhashed: Vec<u64>,
    /// Bytes given out that nothing vouches for, as [`Salvaging::unverified`](super::Salvaging::unverified) wants it: offsets in what the whole
    /// file held. They are neither restored nor lost.
    pub unverified: Vec<Range<u64>>,
    /// Coded bytes that there are of segments whose end is cut off, where [`Salvaging::unverified`](super::Salvaging::unverified) was not asked for: it may
    /// give something of them.
    pub cut: u64,
    /// Whether a header, an end byte or an index was damaged and not needed.
    pub repaired: bool,
}

impl SalvageReport {
    /// Whether every byte was restored, and checked as in a sound file.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
            && self.rubbish.is_empty()
            && self.mismatched.is_empty()
            && self.unhashed.is_empty()
            && self.unverified.is_empty()
    }

    /// Whether there is nothing worth writing.
    pub fn is_nothing(&self) -> bool {
        self.restored == 0 && self.unverified.is_empty()
    }
}
