//! Reading any segment of a file, by the footers at its members' ends.

mod member;
mod open;

use std::io::{Read, Seek};

use crate::error::{FormatError, Place, Result};
use crate::ledger::ContainerBytes;
use crate::record::{MAX_RECORD_HEADER, RecordHeader, SegmentInfo};
use crate::scan::read_at;
pub use member::Member;
use open::{diagnose, open_members};
pub(crate) use open::{open_member, walk};

/// Where a raw byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Number of the member in the file.
    pub member: u64,
    /// Number of the segment in the member.
    pub segment: u64,
    /// Offset of the byte in the segment's raw bytes.
    pub within: u64,
}

/// Reads any segment of a file of concatenated members.
///
/// Opening reads a footer and a header per member; a segment's record is read when asked for.
/// Memory: 8 bytes per segment.
#[derive(Debug)]
pub struct IndexedReader<R> {
    input: R,
    file_len: u64,
    raw_len: u64,
    members: Vec<Member>,
}

impl<R: Read + Seek> IndexedReader<R> {
    /// Opens `input`, whose members end at its last byte.
    ///
    /// A damaged header is replaced by the footer's copy ([`Member::header_damaged`]). Where no
    /// footer ends, as after a small member, the input is walked through from its start; if that
    /// fails, the error says where it is cut or damaged ([`crate::Salvage`] reads such a file).
    ///
    /// # Errors
    /// Any kind but `InvalidArgument`.
    pub fn open(mut input: R) -> Result<Self> {
        match open_members(&mut input) {
            Ok((members, file_len)) => Ok(Self {
                input,
                file_len,
                raw_len: members.last().map_or(0, |m| m.raw_start + m.raw_len),
                members,
            }),
            Err(error @ FormatError::Read { .. }) => Err(error),
            Err(error) => Err(diagnose(&mut input).unwrap_or(error)),
        }
    }

    /// The members in the order of the file; at least one.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Raw bytes of all members.
    pub fn raw_len(&self) -> u64 {
        self.raw_len
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// Where the raw byte at `raw_offset` of the concatenation lies; `None` beyond the end.
    pub fn locate(&self, raw_offset: u64) -> Option<Location> {
        // An empty member starts where the next one does, so the last that starts here counts.
        let after = self.members.partition_point(|m| m.raw_start <= raw_offset);
        let member = &self.members[after.checked_sub(1)?];
        let offset = raw_offset - member.raw_start;
        if offset >= member.raw_len {
            return None;
        }
        let segment = member.header.plan.segment_at(offset);
        Some(Location {
            member: member.number,
            segment,
            within: offset - member.header.plan.start_of(segment),
        })
    }

    /// Reads the record header of a segment.
    ///
    /// # Errors
    /// `InvalidArgument` if there is no such segment; otherwise any kind.
    pub fn segment(&mut self, member: u64, segment: u64) -> Result<SegmentInfo> {
        Ok(self.record(member, segment)?.0)
    }

    /// Reads a segment's coded bytes. Decode them and call [`SegmentInfo::check_raw`].
    ///
    /// # Errors
    /// `InvalidArgument` if there is no such segment; otherwise any kind.
    pub fn read_coded(&mut self, member: u64, segment: u64) -> Result<(SegmentInfo, Vec<u8>)> {
        let (info, head) = self.record(member, segment)?;
        let mut place = info.place();
        place.offset += head as u64;
        let coded = read_at(
            &mut self.input,
            place,
            u64::from(info.coded_len),
            "a segment's coded bytes",
        )?;
        Ok((info, coded))
    }

    /// Reads the first coded bytes of a segment, at most `most` of them: what stands before the rest may tell more of
    /// it than its record does.
    ///
    /// # Errors
    /// As [`Self::read_coded`].
    pub fn read_coded_start(&mut self, member: u64, segment: u64, most: u64) -> Result<Vec<u8>> {
        let (info, head) = self.record(member, segment)?;
        let mut place = info.place();
        place.offset += head as u64;
        let len = most.min(info.coded_len.into());
        read_at(&mut self.input, place, len, "a segment's coded bytes")
    }

    /// The records of all segments of a member in order.
    pub fn segments(&mut self, member: u64) -> impl Iterator<Item = Result<SegmentInfo>> + '_ {
        let count = usize::try_from(member)
            .ok()
            .and_then(|m| self.members.get(m))
            .map_or(0, Member::segment_count);
        (0..count).map(move |segment| self.segment(member, segment))
    }

    /// A member's bytes by what they are for; reads all its record headers.
    ///
    /// # Errors
    /// Those of [`Self::segment`].
    pub fn container_bytes(&mut self, member: u64) -> Result<ContainerBytes> {
        let found = self.member(member)?;
        let mut bytes = ContainerBytes {
            header: found.header_len,
            index: found.index_len,
            footer: found.len - found.header_len - found.index_len - found.records_len(),
            ..ContainerBytes::default()
        };
        for info in self.segments(member) {
            let info = info?;
            bytes.coded += u64::from(info.coded_len);
            bytes.records += u64::from(info.record_len - info.coded_len);
        }
        Ok(bytes)
    }

    /// Gives the reader underneath back.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn member(&self, member: u64) -> Result<&Member> {
        usize::try_from(member)
            .ok()
            .and_then(|m| self.members.get(m))
            .ok_or_else(|| no_member(member))
    }

    /// The record of a segment and the size of its header in bytes.
    fn record(&mut self, member: u64, segment: u64) -> Result<(SegmentInfo, usize)> {
        let found = usize::try_from(member)
            .ok()
            .and_then(|m| self.members.get(m))
            .ok_or_else(|| no_member(member))?;
        read_record(&mut self.input, found, segment)
    }
}

fn no_member(member: u64) -> FormatError {
    FormatError::invalid(format!("the file has no member {member}"))
}

/// Reads the record header of a segment and compares it with index and plan.
pub(crate) fn read_record<R: Read + Seek>(
    input: &mut R,
    member: &Member,
    segment: u64,
) -> Result<(SegmentInfo, usize)> {
    if segment >= member.segment_count() {
        return Err(FormatError::invalid(format!(
            "member {} has no segment {segment}",
            member.number
        )));
    }
    let start = member.record_starts[segment as usize];
    let len = member.record_starts[segment as usize + 1] - start;
    let raw_offset = member.header.plan.start_of(segment);
    let raw_len = member.segment_raw_len(segment);
    let place = Place {
        offset: member.records_at + start,
        member: member.number,
        segment: Some(segment),
    };
    if let Some(record) = &member.small {
        return Ok((record.info(place, raw_offset, 0), 0));
    }
    let part = "a segment's record header";
    let bytes = read_at(input, place, len.min(MAX_RECORD_HEADER as u64), part)?;
    let (record, head) = RecordHeader::parse(member.header.version(), &bytes, segment)
        .map_err(|fault| fault.at(part, place))?;
    if head as u64 + u64::from(record.coded_len) != len {
        let what = "the segment's size differs from the index's";
        return Err(FormatError::corrupt(what, place));
    }
    if u64::from(record.raw_len) != raw_len {
        let what = "the segment's raw length does not follow the plan";
        return Err(FormatError::corrupt(what, place));
    }
    Ok((record.info(place, raw_offset, head), head))
}
