//! What is left in a damaged file.
//!
//! Members are found one after the other from the start of the file, by their headers or by sound footers;
//! records by the index, or without it one after the other and, behind damage, by their checks. A record's
//! check covers its number, so that what was lost between two records is known to the byte. What lies in a
//! record is its own, even if it looks like a member: no byte of the file is given out twice.

mod records;
mod remains;
mod resync;
mod search;

use std::io::{Read, Seek};

use crate::error::{FormatError, Result};
use crate::indexed::{Member, open_member, read_record, walk};
use crate::record::SegmentInfo;
use crate::scan::{Start, header_at, input_len, read_at, window};

pub use remains::{Lost, Part, Remains, Slot};

use records::Records;
use search::{crossing_budget, first_from, footers, next_start};

/// A damaged file, taken stock of. (A sound one has no losses.)
#[derive(Debug)]
pub struct Salvage<R> {
    input: R,
    file_len: u64,
    parts: Vec<Part>,
}

impl<R: Read + Seek> Salvage<R> {
    /// Takes stock of `input`. Nothing is decoded.
    ///
    /// # Errors
    /// `InsufficientData` for an empty input; `Compatibility` if the first member is sound but needs a
    /// newer build; `Io` where the input cannot be read at all. Damage is no error.
    pub fn open(mut input: R) -> Result<Self> {
        let file_len = input_len(&mut input)?;
        if file_len == 0 {
            return Err(FormatError::Empty);
        }
        // A sound file is what it is from its start on, whatever looks like a footer in it.
        if let Ok(members) = walk(&mut input, file_len, true) {
            let numbered = members.into_iter().zip(0..);
            let part = |(member, number)| Part::Member(indexed(&mut input, member, number));
            let parts = numbered.map(part).collect();
            return Ok(Self {
                input,
                file_len,
                parts,
            });
        }
        if matches!(header_at(&mut input, 0, file_len)?, Start::None)
            && let Err(error @ (FormatError::Version { .. } | FormatError::UnknownExtension { .. })) =
                open_member(&mut input, file_len)
        {
            return Err(error);
        }
        // From the start on: what a segment holds may look like a member, and is none of the file's own.
        let mut parts = Vec::new();
        let footers = footers(&mut input, file_len)?;
        front(&mut input, file_len, &footers, &mut parts)?;
        if parts.iter().any(Part::lacks_something) {
            // Where bytes vanished or slipped in, the records are not where an index says.
            let mut others = Vec::new();
            front(&mut input, file_len, &[], &mut others)?;
            if found_bytes(&others) > found_bytes(&parts) {
                parts = others;
            }
        }
        Ok(Self {
            input,
            file_len,
            parts,
        })
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// The pieces of the file, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Reads the coded bytes of a segment that was found.
    ///
    /// # Errors
    /// `InsufficientData` if they are cut off; `Io`.
    pub fn read_coded(&mut self, info: &SegmentInfo) -> Result<Vec<u8>> {
        let mut place = info.place();
        place.offset += u64::from(info.record_len - info.coded_len);
        let part = "a segment's coded bytes";
        read_at(&mut self.input, place, info.coded_len.into(), part)
    }

    /// Reads as many of a segment's coded bytes as the file has, if its end is cut off.
    ///
    /// # Errors
    /// `Io`.
    pub fn read_left(&mut self, info: &SegmentInfo) -> Result<Vec<u8>> {
        let at = info.record_offset + u64::from(info.record_len - info.coded_len);
        window(&mut self.input, at, self.file_len, info.coded_len.into())
    }
}

/// Raw bytes of all segments that were found.
fn found_bytes(parts: &[Part]) -> u64 {
    let slots = parts.iter().flat_map(|part| match part {
        Part::Member(remains) => &remains.slots[..],
        Part::Rubbish(..) => &[],
    });
    let found = slots.map(|slot| match slot {
        Slot::Found(info) => u64::from(info.raw_len),
        Slot::Lost(_) => 0,
    });
    found.sum()
}

/// The members before `end`, by these footers and their headers.
fn front<R: Read + Seek>(
    input: &mut R,
    end: u64,
    footers: &[Member],
    parts: &mut Vec<Part>,
) -> Result<()> {
    let (mut at, mut number) = (0, 0);
    let mut crossing = crossing_budget(end);
    while at < end {
        let start = header_at(input, at, end)?;
        // A small member may hold what looks like a footer of something that begins with it.
        let footed = |member: &&Member| {
            member.start == at && (!member.header_damaged || matches!(start, Start::None))
        };
        if let Some(member) = first_from(footers, at).filter(footed) {
            at += member.len;
            parts.push(Part::Member(indexed(input, member.clone(), number)));
            number += 1;
            continue;
        }
        match start {
            Start::Small(small) => {
                let member = Member::of_small(&small, at);
                at = (at + member.len).min(end);
                let mut remains = indexed(input, member, number);
                remains.file.end = at;
                parts.push(Part::Member(remains));
                number += 1;
            }
            Start::Full(open) => {
                let records = Records::new(input, &open, number, end, footers, &mut crossing);
                let found = records.collect()?;
                let next = found.next;
                parts.push(Part::Member(Remains {
                    number,
                    header: open.header,
                    file: at..next,
                    raw_len: found.raw_len,
                    raw_hash: None,
                    likely_hash: found.hash,
                    repaired: false,
                    index_lost: true,
                    slots: found.slots,
                }));
                number += 1;
                at = next;
            }
            Start::None => {
                let next = next_start(input, at + 1, end, footers)?;
                let why = match parts.is_empty() {
                    true => "no sound header, and no sound footer that has its copy",
                    false => "no member begins here",
                };
                parts.push(Part::Rubbish(at..next, why.to_owned()));
                at = next;
            }
        }
    }
    Ok(())
}

/// What the index says, record by record.
fn indexed<R: Read + Seek>(input: &mut R, mut member: Member, number: u64) -> Remains {
    member.number = number;
    let slots =
        (0..member.segment_count()).map(|segment| match read_record(input, &member, segment) {
            Ok((info, _)) => Slot::Found(info),
            Err(error) => {
                let from = member.header.plan.start_of(segment);
                Slot::Lost(Lost {
                    member: number,
                    from,
                    to: Some(from + member.segment_raw_len(segment)),
                    file: member.record_range(segment),
                    why: what(&error),
                })
            }
        });
    let slots = slots.collect();
    Remains {
        number,
        file: member.start..member.start + member.len,
        raw_len: Some(member.raw_len),
        raw_hash: member.raw_hash,
        likely_hash: None,
        repaired: member.header_damaged || member.end_byte_damaged,
        index_lost: false,
        slots,
        header: member.header,
    }
}

/// An error without its place, which the loss names itself.
fn what(error: &FormatError) -> String {
    match error {
        FormatError::Corrupt { what, .. } => what.to_string(),
        FormatError::Read { source, .. } => format!("cannot read: {source}"),
        FormatError::Truncated { part, .. } => format!("the file ends inside {part}"),
        other => other.to_string(),
    }
}
