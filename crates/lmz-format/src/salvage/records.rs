//! The records of a member without a sound footer, one after the other.

use std::io::{Read, Seek};

use super::remains::{Lost, Slot};
use super::search::next_start;
use crate::error::{Fault, Place, Result};
use crate::hash::RawHash;
use crate::header::put_versioned_body;
use crate::indexed::Member;
use crate::plan::SegmentPlan;
use crate::record::{END_BYTE, MAX_RECORD_HEADER, RecordHeader};
use crate::scan::{Opened, window};
use crate::version::FormatVersion;

/// How many checks of record headers may be tried for numbers that are far from the expected one.
const CHECK_BUDGET: u64 = 1 << 23;

/// The records of a member whose footer is lost.
pub(super) struct Records<'a, R> {
    pub(super) input: &'a mut R,
    pub(super) open: &'a Opened,
    member: u64,
    pub(super) end: u64,
    pub(super) footers: &'a [Member],
    pub(super) budget: u64,
    /// What is left of [`crossing_budget`](super::search::crossing_budget).
    pub(super) crossing: &'a mut u64,
    /// Where the next member begins, once it was looked for.
    limit: u64,
    slots: Vec<Slot>,
}

/// What was found of a member whose footer is lost.
pub(super) struct Collected {
    /// All segments.
    pub(super) slots: Vec<Slot>,
    /// The member's raw length if its end is known.
    pub(super) raw_len: Option<u64>,
    /// What stands where its footer has the hash.
    pub(super) hash: Option<RawHash>,
    /// Where the next member begins.
    pub(super) next: u64,
}

/// What lies where a record may be.
pub(super) enum Next {
    Record(RecordHeader, usize),
    /// The end byte and the beginning of a footer, or what is left of them.
    End,
    Nothing(&'static str),
}

impl<'a, R: Read + Seek> Records<'a, R> {
    pub(super) fn new(
        input: &'a mut R,
        open: &'a Opened,
        member: u64,
        end: u64,
        footers: &'a [Member],
        crossing: &'a mut u64,
    ) -> Self {
        Self {
            input,
            open,
            member,
            end,
            footers,
            budget: CHECK_BUDGET,
            crossing,
            limit: 0,
            slots: Vec::new(),
        }
    }

    pub(super) fn version(&self) -> FormatVersion {
        self.open.header.version()
    }

    pub(super) fn plan(&self) -> SegmentPlan {
        self.open.header.plan
    }

    /// Reads them one after the other.
    pub(super) fn collect(mut self) -> Result<Collected> {
        let (mut at, mut index) = (self.open.records_at, 0);
        loop {
            let raw = self.plan().start_of(index);
            let why = match self.next(at, index)? {
                Next::End => return self.ended(raw, at),
                Next::Record(record, head) => {
                    let place = Place {
                        offset: at,
                        member: self.member,
                        segment: Some(index),
                    };
                    let info = record.info(place, raw, head);
                    at += u64::from(info.record_len);
                    index += 1;
                    self.slots.push(Slot::Found(info));
                    if u64::from(record.raw_len) < self.plan().size_at(raw) {
                        let at = at.min(self.end);
                        return self.ended(raw + u64::from(record.raw_len), at);
                    }
                    continue;
                }
                Next::Nothing(why) => why,
            };
            let (found, to) = match self.resync(at, index)? {
                Some((found, next)) => (found, Some((next, self.plan().start_of(next)))),
                None => (self.next_member(at.min(self.end))?, None),
            };
            let to_raw = to.map(|(_, raw)| raw);
            // Bytes that slipped in between two records cost nothing.
            if to_raw != Some(raw) {
                self.slots.push(Slot::Lost(Lost {
                    member: self.member,
                    from: raw,
                    to: to_raw,
                    file: at.min(found)..found,
                    why: why.to_owned(),
                }));
            }
            match to {
                Some((next, _)) => (at, index) = (found, next),
                None => {
                    return Ok(Collected {
                        slots: self.slots,
                        raw_len: None,
                        hash: None,
                        next: found,
                    });
                }
            }
        }
    }

    /// The raw length is known; what is left of the footer belongs to this member.
    fn ended(mut self, raw_len: u64, at: u64) -> Result<Collected> {
        let hash = match self.is_end(at)? {
            true => self.hash_at(at)?,
            false => None,
        };
        let next = self.next_member(at)?;
        Ok(Collected {
            slots: self.slots,
            raw_len: Some(raw_len),
            hash,
            next,
        })
    }

    /// What stands where the footer behind the end byte at `at` has the hash.
    fn hash_at(&mut self, at: u64) -> Result<Option<RawHash>> {
        let mut content = vec![END_BYTE];
        put_versioned_body(&mut content, self.version(), &self.open.body);
        let bytes = window(self.input, at + content.len() as u64, self.end, 16)?;
        Ok(bytes.try_into().ok().map(RawHash))
    }

    /// Where the next member begins, from `at` on. Each piece of damage asks for it, and it may be far.
    fn next_member(&mut self, at: u64) -> Result<u64> {
        if self.limit < at {
            self.limit = next_start(self.input, at, self.end, self.footers)?;
        }
        Ok(self.limit)
    }

    /// What lies at `at`, where record number `index` belongs.
    pub(super) fn next(&mut self, at: u64, index: u64) -> Result<Next> {
        if at >= self.end {
            return Ok(Next::Nothing("the file ends here"));
        }
        if self.is_end(at)? {
            return Ok(Next::End);
        }
        let bytes = window(self.input, at, self.end, MAX_RECORD_HEADER as u64)?;
        Ok(match RecordHeader::parse(self.version(), &bytes, index) {
            Ok((record, head)) if self.follows_plan(&record, index) => Next::Record(record, head),
            Ok(_) => Next::Nothing("a segment's length does not follow the plan"),
            Err(Fault::Short) => Next::Nothing("the file ends inside a segment's record header"),
            Err(Fault::Kind(_)) => {
                Next::Nothing("a segment of a kind that this build does not know")
            }
            Err(_) => Next::Nothing("a segment's record header is damaged"),
        })
    }

    fn follows_plan(&self, record: &RecordHeader, index: u64) -> bool {
        let size = self.plan().size_at(self.plan().start_of(index));
        u64::from(record.raw_len) <= size
    }

    /// Whether the end byte lies at `at` and a footer's beginning behind it.
    fn is_end(&mut self, at: u64) -> Result<bool> {
        let mut content = vec![END_BYTE];
        put_versioned_body(&mut content, self.version(), &self.open.body);
        content.truncate(24);
        let found = window(self.input, at, self.end, content.len() as u64)?;
        // A footer that is cut off has at least this in common with a whole one.
        let same = found
            .iter()
            .zip(&content)
            .skip(1)
            .filter(|(a, b)| a == b)
            .count();
        Ok(found.first() == Some(&END_BYTE) && same + 1 == found.len()
            || (found.len() == content.len() && same + 1 >= content.len() - 1))
    }
}
