//! Reading a file that can be sought in: pieces of it, and a member's parts from its start.

use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{Fault, FormatError, Place, Result};
use crate::footer::TRAILER_LEN;
use crate::header::{Header, parse_header, put_versioned_body};
use crate::limits::{MAGIC, MAX_BODY_LEN};
use crate::record::{END_BYTE, MAX_RECORD_HEADER, RecordHeader};
use crate::small::{MAX_SMALL_HEADER, SmallHeader, is_small, parse_small};
use crate::varint::{MAX_VARINT_LEN, put_varint};

/// More bytes than any header has.
const MAX_HEADER: u64 = (4 + 1 + MAX_VARINT_LEN + MAX_BODY_LEN + 4) as u64;

/// The length of the input.
pub(crate) fn input_len<R: Seek>(input: &mut R) -> Result<u64> {
    input
        .seek(SeekFrom::End(0))
        .map_err(|source| FormatError::Read {
            source,
            place: Place::default(),
        })
}

/// Reads exactly `len` bytes at `place.offset`; memory grows with what arrives.
pub(crate) fn read_at<R: Read + Seek>(
    input: &mut R,
    place: Place,
    len: u64,
    part: &'static str,
) -> Result<Vec<u8>> {
    let out = read_up_to(input, place, len)?;
    if (out.len() as u64) < len {
        return Err(FormatError::Truncated { part, place });
    }
    Ok(out)
}

/// As [`read_at`], but fewer bytes at the end of the input.
pub(crate) fn read_up_to<R: Read + Seek>(input: &mut R, place: Place, len: u64) -> Result<Vec<u8>> {
    let mut read = || -> io::Result<Vec<u8>> {
        input.seek(SeekFrom::Start(place.offset))?;
        let mut out = Vec::with_capacity(len.min(64 << 10) as usize);
        input.by_ref().take(len).read_to_end(&mut out)?;
        Ok(out)
    };
    read().map_err(|source| FormatError::Read { source, place })
}

/// At most `len` bytes at `offset`, none of them from `end` on.
pub(crate) fn window<R: Read + Seek>(
    input: &mut R,
    offset: u64,
    end: u64,
    len: u64,
) -> Result<Vec<u8>> {
    let place = Place {
        offset,
        ..Place::default()
    };
    read_up_to(input, place, len.min(end.saturating_sub(offset)))
}

/// What begins at some offset.
#[derive(Debug)]
pub(crate) enum Start {
    /// A small member; its coded bytes may be cut off.
    Small(SmallHeader),
    /// A sound header.
    Full(Box<Opened>),
    None,
}

/// A sound header and where it lies.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) header: Header,
    pub(crate) body: Vec<u8>,
    /// Where the first record lies.
    pub(crate) records_at: u64,
}

/// The header at `offset`, if a sound one lies there before `end`.
pub(crate) fn header_at<R: Read + Seek>(input: &mut R, offset: u64, end: u64) -> Result<Start> {
    let bytes = window(input, offset, end, MAX_HEADER)?;
    Ok(start_of(&bytes, offset))
}

/// As [`header_at`], for bytes at hand.
pub(crate) fn start_of(bytes: &[u8], offset: u64) -> Start {
    if !bytes.starts_with(&MAGIC) {
        return Start::None;
    }
    if is_small(bytes) {
        let front = &bytes[..bytes.len().min(MAX_SMALL_HEADER)];
        return parse_small(front).map_or(Start::None, Start::Small);
    }
    parse_header(bytes).map_or(Start::None, |parsed| {
        Start::Full(Box::new(Opened {
            records_at: offset + parsed.len as u64,
            body: parsed.body.to_vec(),
            header: parsed.header,
        }))
    })
}

/// Walks over the records of a member, none of which is damaged; gives the end of its footer, which
/// is not looked at, or none if there is anything else on the way.
pub(crate) fn walk_records<R: Read + Seek>(
    input: &mut R,
    open: &Opened,
    end: u64,
) -> Result<Option<u64>> {
    let (mut at, mut raw_len, mut segments) = (open.records_at, 0u64, 0u64);
    let mut index_len = 0;
    let mut scratch = Vec::new();
    loop {
        let bytes = window(input, at, end, MAX_RECORD_HEADER as u64)?;
        if bytes.first() == Some(&END_BYTE) {
            break;
        }
        let (record, head) = match RecordHeader::parse(open.header.version(), &bytes, segments) {
            Ok(found) => found,
            Err(Fault::Short | Fault::Corrupt(_)) => return Ok(None),
            Err(fault) => {
                let place = Place {
                    offset: at,
                    ..Place::default()
                };
                return Err(fault.at("a segment's record header", place));
            }
        };
        let len = head as u64 + u64::from(record.coded_len);
        scratch.clear();
        put_varint(&mut scratch, len);
        index_len += scratch.len() as u64;
        at += len;
        raw_len = raw_len.saturating_add(record.raw_len.into());
        segments += 1;
    }
    let mut content = Vec::new();
    put_versioned_body(&mut content, open.header.version(), &open.body);
    put_varint(&mut content, raw_len);
    put_varint(&mut content, segments);
    let footer_end = at + 1 + content.len() as u64 + 16 + index_len + TRAILER_LEN;
    Ok((footer_end <= end).then_some(footer_end))
}
