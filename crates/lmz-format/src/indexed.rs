//! Reading any segment of a file, by the footers at its members' ends.

use std::io::{Read, Seek, SeekFrom};

use crate::error::{FormatError, Place, Result};
use crate::footer::{ParsedFooter, TRAILER_LEN, footer_len, parse_footer};
use crate::hash::{RawHash, agree};
use crate::header::{Header, encode_header, parse_header};
use crate::ledger::ContainerBytes;
use crate::record::{END_BYTE, MAX_RECORD_HEADER, RecordHeader, SegmentInfo};
use crate::scan::{
    Start, header_at, input_len, read_at, read_up_to, start_of, walk_records, window,
};
use crate::small::{MAX_SMALL_HEADER, SmallHeader, is_small};
use crate::stream::{Event, StreamReader};
use crate::{MAGIC, MAX_SMALL_LEN};

/// A member of an opened file.
#[derive(Clone, Debug)]
pub struct Member {
    /// Number of the member in the file.
    pub number: u64,
    /// What its header says (or, if that is damaged, its copy in the footer).
    pub header: Header,
    /// Offset in the file at which the member starts.
    pub start: u64,
    /// Size of the member in bytes.
    pub len: u64,
    /// Offset of the member's first raw byte in the concatenation of all members.
    pub raw_start: u64,
    /// Raw bytes of the member.
    pub raw_len: u64,
    /// The hash of its raw bytes; a small member has none.
    pub raw_hash: Option<RawHash>,
    /// The header is damaged and was replaced by its copy in the footer: worth a warning.
    pub header_damaged: bool,
    /// The end byte before the footer is damaged: a stream reader would refuse the member.
    pub end_byte_damaged: bool,
    header_len: u64,
    index_len: u64,
    records_at: u64,
    record_starts: Vec<u64>,
    /// The record of a small member's segment, which its header holds.
    small: Option<RecordHeader>,
}

impl Member {
    pub(crate) fn of_small(small: &SmallHeader, start: u64) -> Self {
        let coded = small.record.map(|record| u64::from(record.coded_len));
        Self {
            number: 0,
            header: small.header.clone(),
            start,
            len: small.member_len(),
            raw_start: 0,
            raw_len: small.raw_len(),
            raw_hash: None,
            header_damaged: false,
            end_byte_damaged: false,
            header_len: small.len as u64,
            index_len: 0,
            records_at: start + small.len as u64,
            record_starts: [0].into_iter().chain(coded).collect(),
            small: small.record,
        }
    }

    /// Where the record of a segment lies in the file; empty for none.
    pub(crate) fn record_range(&self, segment: u64) -> std::ops::Range<u64> {
        let bounds = usize::try_from(segment).ok().and_then(|segment| {
            let [from, to] = self.record_starts.get(segment..segment + 2)? else {
                return None;
            };
            Some(self.records_at + from..self.records_at + to)
        });
        bounds.unwrap_or_default()
    }

    /// Segments of the member.
    pub fn segment_count(&self) -> u64 {
        self.record_starts.len() as u64 - 1
    }

    /// Bytes of all segment records, coded bytes included.
    pub fn records_len(&self) -> u64 {
        self.record_starts.last().copied().unwrap_or(0)
    }

    /// Raw bytes of segment `segment`, as the plan and the length give them; 0 beyond the last.
    pub fn segment_raw_len(&self, segment: u64) -> u64 {
        let start = self.header.plan.start_of(segment);
        let left = self.raw_len.saturating_sub(start);
        self.header.plan.size_at(start).min(left)
    }
}

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
    let (record, head) =
        RecordHeader::parse(&bytes, segment).map_err(|fault| fault.at(part, place))?;
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

/// All members, and the length of the file.
fn open_members<R: Read + Seek>(input: &mut R) -> Result<(Vec<Member>, u64)> {
    let file_len = input_len(input)?;
    if file_len == 0 {
        return Err(FormatError::Empty);
    }
    // What a small member holds may look like a footer: such a file is read from its start.
    let start = read_up_to(input, Place::default(), 5)?;
    let mut members = Vec::new();
    let mut end = file_len;
    let mut doubtful = false;
    while end > 0 && !(start.starts_with(&MAGIC) && is_small(&start)) {
        match open_member(input, end) {
            Ok(member) => {
                doubtful = doubtful || small_ends(input, end)?;
                end = member.start;
                members.push(member);
            }
            Err(FormatError::Corrupt { .. }) => break,
            Err(error @ FormatError::Read { .. }) => return Err(error),
            Err(error) => {
                // Of another version, unless it is a small member that stores such a file.
                let mut members = walk(input, file_len).map_err(|_| error)?;
                number(&mut members)?;
                return Ok((members, file_len));
            }
        }
    }
    members.reverse();
    if doubtful && let Ok(walked) = walk(input, file_len) {
        members = walked;
    } else if end > 0 {
        match walk(input, end) {
            Ok(mut front) => {
                front.append(&mut members);
                members = front;
            }
            // The footers found were inside a small member.
            Err(_) if end < file_len => members = walk(input, file_len)?,
            Err(error) => return Err(error),
        }
    }
    number(&mut members)?;
    Ok((members, file_len))
}

/// Whether a small member may end at `end`, where a footer seems to: what it holds is then no footer.
fn small_ends<R: Read + Seek>(input: &mut R, end: u64) -> Result<bool> {
    let from = end.saturating_sub((MAX_SMALL_HEADER + MAX_SMALL_LEN) as u64);
    let bytes = window(input, from, end, end - from)?;
    let mut starts = bytes.windows(MAGIC.len()).zip(from..);
    let ends = |at: u64| match start_of(&bytes[(at - from) as usize..], at) {
        Start::Small(small) => at + small.member_len() == end,
        Start::Full(_) | Start::None => false,
    };
    Ok(starts.any(|(found, at)| found == MAGIC && ends(at)))
}

/// The members from the start of the file to `end`; an error if anything is damaged there.
pub(crate) fn walk<R: Read + Seek>(input: &mut R, end: u64) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    let mut at = 0;
    while at < end {
        let place = Place {
            offset: at,
            member: members.len() as u64,
            segment: None,
        };
        let found = match header_at(input, at, end)? {
            Start::Small(small) if at + small.member_len() <= end => {
                Some(Member::of_small(&small, at))
            }
            Start::Full(open) => match walk_records(input, &open, end)? {
                Some(footer_end) => Some(open_member(input, footer_end)?),
                None => None,
            },
            Start::Small(_) | Start::None => None,
        };
        let member = found
            .filter(|member| member.start == at)
            .ok_or_else(|| FormatError::corrupt("no member begins here", place))?;
        at += member.len;
        members.push(member);
    }
    Ok(members)
}

/// Gives members their numbers and the offsets of their raw bytes.
pub(crate) fn number(members: &mut [Member]) -> Result<()> {
    let mut raw_start = 0u64;
    for (number, member) in members.iter_mut().enumerate() {
        member.number = number as u64;
        member.raw_start = raw_start;
        raw_start = raw_start
            .checked_add(member.raw_len)
            .ok_or_else(|| FormatError::corrupt("the raw length overflows", Place::default()))?;
    }
    Ok(())
}

/// Opens the member that ends at offset `end`. Its number is not known yet.
pub(crate) fn open_member<R: Read + Seek>(input: &mut R, end: u64) -> Result<Member> {
    let at = |offset| Place {
        offset,
        ..Place::default()
    };
    let part = "the footer";
    let too_long = || FormatError::corrupt("the footer claims more than the file holds", at(end));
    let trailer_at = end.checked_sub(TRAILER_LEN).ok_or_else(too_long)?;
    let trailer = read_at(input, at(trailer_at), TRAILER_LEN, part)?;
    let content_len = u64::from(footer_len(&trailer).map_err(|f| f.at(part, at(end)))?);
    let footer_at = trailer_at.checked_sub(content_len).ok_or_else(too_long)?;
    let footer = read_at(input, at(footer_at), content_len + TRAILER_LEN, part)?;
    let ParsedFooter {
        header,
        body,
        raw_hash,
        raw_len,
        index_len,
        record_starts,
    } = parse_footer(&footer).map_err(|fault| fault.at(part, at(footer_at)))?;

    let expected = encode_header(body);
    let header_len = expected.len() as u64;
    let records_len = record_starts.last().copied().unwrap_or(0);
    let start = footer_at
        .checked_sub(1)
        .and_then(|at| at.checked_sub(records_len)?.checked_sub(header_len))
        .ok_or_else(too_long)?;
    let found = read_at(input, at(start), header_len, "a header")?;
    let header_damaged = !same_header(&found, &expected);
    if header_damaged && parse_header(&found).is_ok() {
        let what = "the header and its copy in the footer contradict each other";
        return Err(FormatError::corrupt(what, at(start)));
    }
    let end_byte = read_at(input, at(footer_at - 1), 1, "the end byte")?;
    Ok(Member {
        number: 0,
        header,
        start,
        len: end - start,
        raw_start: 0,
        raw_len,
        raw_hash: Some(raw_hash),
        header_damaged,
        end_byte_damaged: end_byte != [END_BYTE],
        header_len,
        index_len: index_len as u64,
        records_at: start + header_len,
        record_starts,
        small: None,
    })
}

/// Whether a header is the one that its copy in the footer makes.
fn same_header(found: &[u8], expected: &[u8]) -> bool {
    let (content, crc) = expected.split_at(expected.len() - 4);
    found.starts_with(content) && agree(&found[content.len()..], crc)
}

/// Reads the file from its start to find where it is damaged.
fn diagnose<R: Read + Seek>(input: &mut R) -> Option<FormatError> {
    input.seek(SeekFrom::Start(0)).ok()?;
    let mut reader = StreamReader::new(input);
    loop {
        match reader.next_event() {
            Ok(Event::End) => return None,
            Ok(_) => {}
            Err(error) => return Some(error),
        }
    }
}
