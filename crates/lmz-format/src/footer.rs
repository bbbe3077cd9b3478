//! The footer: a second copy of the header, the whole-file hash and the index.

use crate::error::{Fault, Result};
use crate::hash::{RawHash, agree};
use crate::header::{Header, put_versioned_body, take_versioned_body};
use crate::limits::END_MAGIC;
use crate::record::MIN_RECORD;
use crate::varint::{Cursor, put_varint};
use crate::version::FormatVersion;

/// The bytes after the part that `footer_len` counts: footer_len, crc, end magic.
pub(crate) const TRAILER_LEN: u64 = 4 + 4 + 4;

/// What a footer is made of. `index` holds the record sizes as varints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FooterParts<'a> {
    pub(crate) version: FormatVersion,
    pub(crate) body: &'a [u8],
    pub(crate) raw_hash: RawHash,
    pub(crate) raw_len: u64,
    pub(crate) segments: u64,
    pub(crate) index: &'a [u8],
}

impl FooterParts<'_> {
    /// The footer's bytes, or `None` if `footer_len` would not fit its field.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.body.len() + self.index.len() + 64);
        put_versioned_body(&mut out, self.version, self.body);
        out.extend_from_slice(&self.raw_hash.0);
        put_varint(&mut out, self.raw_len);
        put_varint(&mut out, self.segments);
        out.extend_from_slice(self.index);
        let len = u32::try_from(out.len()).ok()?;
        out.extend_from_slice(&len.to_le_bytes());
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&END_MAGIC);
        Some(out)
    }
}

/// A footer as it was read from the end of a member.
#[derive(Debug)]
pub(crate) struct ParsedFooter<'a> {
    pub(crate) header: Header,
    pub(crate) body: &'a [u8],
    pub(crate) raw_hash: RawHash,
    pub(crate) raw_len: u64,
    /// Bytes that the index takes.
    pub(crate) index_len: usize,
    /// Where each record starts, counted from the first one; then where the last one ends.
    pub(crate) record_starts: Vec<u64>,
}

/// Reads `footer_len` from the trailer, the last [`TRAILER_LEN`] bytes of a member.
pub(crate) fn footer_len(trailer: &[u8]) -> Result<u32, Fault> {
    let mut cursor = Cursor::new(trailer);
    let len = cursor.u32()?;
    cursor.u32()?;
    if cursor.take(END_MAGIC.len())? != END_MAGIC {
        return Err(Fault::corrupt("no footer ends here"));
    }
    Ok(len)
}

/// Parses a whole footer, trailer included.
pub(crate) fn parse_footer(bytes: &[u8]) -> Result<ParsedFooter<'_>, Fault> {
    let split = bytes.len().checked_sub(TRAILER_LEN as usize);
    let (content, trailer) = bytes.split_at(split.ok_or(Fault::Short)?);
    let mut trailer = Cursor::new(trailer);
    trailer.take(4)?;
    if !agree(trailer.u32()?, crc32fast::hash(&bytes[..content.len() + 4])) {
        return Err(Fault::corrupt("the footer's checksum is wrong"));
    }
    parse_content(content).map_err(|fault| match fault {
        Fault::Short => Fault::corrupt("the footer ends inside a field"),
        other => other,
    })
}

fn parse_content(content: &[u8]) -> Result<ParsedFooter<'_>, Fault> {
    let mut cursor = Cursor::new(content);
    let (version, body) = take_versioned_body(&mut cursor)?;
    let version = FormatVersion::of_number(version).ok_or(Fault::Version(version))?;
    let header = Header::parse_body(version, body)?;
    let raw_hash = RawHash(cursor.array()?);
    let raw_len = cursor.varint()?;
    let segments = cursor.varint()?;
    if segments != header.plan.count(raw_len) {
        return Err(Fault::corrupt(
            "the footer's number of segments does not follow from its length",
        ));
    }
    let index = cursor.rest();
    // Each entry has a byte at least: memory is bounded by what was read.
    if segments > index.len() as u64 {
        return Err(Fault::corrupt("the index is too short"));
    }
    let mut record_starts = Vec::with_capacity(segments as usize + 1);
    let mut start = 0u64;
    record_starts.push(start);
    for _ in 0..segments {
        let len = cursor.varint()?;
        if len < MIN_RECORD {
            return Err(Fault::corrupt("the index holds an impossible record size"));
        }
        start = start
            .checked_add(len)
            .ok_or_else(|| Fault::corrupt("the index overflows"))?;
        record_starts.push(start);
    }
    if !cursor.rest().is_empty() {
        return Err(Fault::corrupt("the index is too long"));
    }
    Ok(ParsedFooter {
        header,
        body,
        raw_hash,
        raw_len,
        index_len: index.len(),
        record_starts,
    })
}
