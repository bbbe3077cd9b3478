//! Finding the members of a file, from its end or from its start.

use std::io::{Read, Seek, SeekFrom};

use super::member::Member;
use crate::error::{FormatError, Place, Result};
use crate::footer::{ParsedFooter, TRAILER_LEN, footer_len, parse_footer};
use crate::hash::agree;
use crate::header::{encode_header, parse_header};
use crate::limits::{MAGIC, MAX_SMALL_LEN};
use crate::record::END_BYTE;
use crate::scan::{
    Start, header_at, input_len, read_at, read_up_to, start_of, walk_records, window,
};
use crate::small::{MAX_SMALL_HEADER, is_small};
use crate::stream::{Event, StreamReader};

/// All members, and the length of the file.
pub(super) fn open_members<R: Read + Seek>(input: &mut R) -> Result<(Vec<Member>, u64)> {
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
pub(super) fn number(members: &mut [Member]) -> Result<()> {
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

    let expected = encode_header(header.version(), body);
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
pub(super) fn diagnose<R: Read + Seek>(input: &mut R) -> Option<FormatError> {
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
