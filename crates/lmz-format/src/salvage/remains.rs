//! What is left of a damaged file.

use std::ops::Range;

use crate::hash::RawHash;
use crate::header::Header;
use crate::record::SegmentInfo;

/// A piece of a file, in order.
#[derive(Clone, Debug)]
pub enum Part {
    /// What is left of a member.
    Member(Remains),
    /// Bytes in which nothing is recognised: the file offsets, and what is wrong.
    Rubbish(Range<u64>, String),
}

/// What is left of a member.
#[derive(Clone, Debug)]
pub struct Remains {
    /// Its number among the members that were found.
    pub number: u64,
    /// What its header says (or, if that is damaged, its copy in the footer).
    pub header: Header,
    /// Where it lies in the file, as far as that is known.
    pub file: Range<u64>,
    /// Its raw length; none if its end is lost.
    pub raw_len: Option<u64>,
    /// The hash of its raw bytes; none if the footer is lost, and in small members.
    pub raw_hash: Option<RawHash>,
    /// What stands in the hash's place of a damaged footer: it proves the raw bytes if it is theirs, and
    /// says nothing if it is not.
    pub likely_hash: Option<RawHash>,
    /// Header or end byte are damaged, and their copies are sound.
    pub repaired: bool,
    /// The index is of no use: the records were found one after the other.
    pub index_lost: bool,
    /// Its segments, in order.
    pub slots: Vec<Slot>,
}

/// One or more segments of a member.
#[derive(Clone, Debug)]
pub enum Slot {
    /// A segment with a sound record header. Its coded bytes may still be damaged: that shows when
    /// they are decoded.
    Found(SegmentInfo),
    /// Segments that are lost.
    Lost(Lost),
}

/// Raw bytes that cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Number of the member among those that were found.
    pub member: u64,
    /// Offset of the first lost byte in the member's raw bytes.
    pub from: u64,
    /// The end of the lost bytes; none if nobody knows how many there were.
    pub to: Option<u64>,
    /// The bytes of the file that stood for them.
    pub file: Range<u64>,
    /// What is wrong with these.
    pub why: String,
}

impl Part {
    /// Whether anything of it is lost.
    pub(super) fn lacks_something(&self) -> bool {
        match self {
            Self::Rubbish(..) => true,
            Self::Member(remains) => remains.slots.iter().any(|s| matches!(s, Slot::Lost(_))),
        }
    }
}
