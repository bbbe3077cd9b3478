//! Segment records: a checked header of at most 21 bytes, then the coded bytes.

use crate::error::{Fault, FormatError, Place, Result};
use crate::hash::agree;
use crate::limits::{MAX_IDEAL_PER_RAW_BYTE, MAX_SEGMENT_LEN};
use crate::varint::{Cursor, MAX_VARINT_LEN, put_varint};
use crate::version::FormatVersion;

/// The byte in place of a segment kind that ends the segments of a member.
pub(crate) const END_BYTE: u8 = 0;

/// More bytes than any record header has, however its varints are encoded.
pub(crate) const MAX_RECORD_HEADER: usize = 1 + 3 * MAX_VARINT_LEN + 4 + 2;

/// The fewest bytes that a record has: kind, two lengths, checksum and check.
pub(crate) const MIN_RECORD: u64 = 1 + 2 + 4 + 2;

/// How a segment is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SegmentKind {
    /// Arithmetic-coded under the model.
    Model,
    /// One zstd frame.
    Zstd,
    /// The raw bytes themselves.
    Stored,
    /// A group: by the model together with what is learnt of it.
    Mixed,
}

impl SegmentKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Model, Self::Zstd, Self::Stored, Self::Mixed];

    /// The kind's number in the format.
    pub fn code(self) -> u8 {
        match self {
            Self::Model => 1,
            Self::Zstd => 2,
            Self::Stored => 3,
            Self::Mixed => 4,
        }
    }

    /// A name for people and for JSON: `model`, `zstd`, `stored` or `mixed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Zstd => "zstd",
            Self::Stored => "stored",
            Self::Mixed => "mixed",
        }
    }

    /// Whether members of this version may have segments of this kind.
    pub fn is_of(self, version: FormatVersion) -> bool {
        match self {
            Self::Model => version == FormatVersion::V1,
            Self::Zstd | Self::Stored => true,
            Self::Mixed => version == FormatVersion::V2,
        }
    }

    /// Whether its record has the ideal code length.
    pub fn has_ideal(self) -> bool {
        matches!(self, Self::Model | Self::Mixed)
    }

    /// The kind of this number in members of a version.
    pub(crate) fn of_code(version: FormatVersion, code: u8) -> Option<Self> {
        let mut kinds = Self::ALL.into_iter();
        kinds.find(|kind| kind.code() == code && kind.is_of(version))
    }
}

/// What a writer is given for a segment beside its raw bytes.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// Coded under the model.
    Model {
        /// The coded bytes: not more than the raw ones.
        coded: &'a [u8],
        /// The model's ideal code length, in units of 1/256 bit.
        ideal_bits: u64,
    },
    /// Coded by the model and what is learnt of the group.
    Mixed {
        /// The coded bytes: not more than the raw ones.
        coded: &'a [u8],
        /// The sum of the costs of all coded decisions, in units of 1/256 bit.
        ideal_bits: u64,
    },
    /// One zstd frame of the raw bytes: not longer than they are.
    Zstd(&'a [u8]),
    /// The raw bytes themselves.
    Stored,
}

impl Payload<'_> {
    /// The segment kind that this payload makes.
    pub fn kind(&self) -> SegmentKind {
        match self {
            Self::Model { .. } => SegmentKind::Model,
            Self::Mixed { .. } => SegmentKind::Mixed,
            Self::Zstd(_) => SegmentKind::Zstd,
            Self::Stored => SegmentKind::Stored,
        }
    }
}

impl<'a> Payload<'a> {
    /// The coded bytes, and the ideal length of what has one; `raw` are the raw bytes.
    pub(crate) fn parts(&self, raw: &'a [u8]) -> (&'a [u8], Option<u64>) {
        match *self {
            Self::Model { coded, ideal_bits } | Self::Mixed { coded, ideal_bits } => {
                (coded, Some(ideal_bits))
            }
            Self::Zstd(coded) => (coded, None),
            Self::Stored => (raw, None),
        }
    }
}

/// What the container knows about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Number of the member in the file.
    pub member: u64,
    /// Number of the segment in the member.
    pub index: u64,
    /// Offset in the member's raw bytes at which the segment starts.
    pub raw_offset: u64,
    /// How it is coded.
    pub kind: SegmentKind,
    /// Raw bytes, 1 to [`MAX_SEGMENT_LEN`].
    pub raw_len: u32,
    /// Coded bytes, at most `raw_len`.
    pub coded_len: u32,
    /// The ideal code length in units of 1/256 bit; for kinds [`SegmentKind::Model`] and
    /// [`SegmentKind::Mixed`], but not in small members.
    pub ideal_bits: Option<u64>,
    /// CRC-32 of the raw bytes.
    pub raw_crc: u32,
    /// Offset in the file at which the record starts.
    pub record_offset: u64,
    /// Size of the record in bytes: its header and the coded bytes.
    pub record_len: u32,
}

impl SegmentInfo {
    /// Where the segment's record starts.
    pub fn place(&self) -> Place {
        Place {
            offset: self.record_offset,
            member: self.member,
            segment: Some(self.index),
        }
    }

    /// Compares decoded bytes with the record's length and checksum.
    ///
    /// # Errors
    /// `Corruption` if they differ.
    pub fn check_raw(&self, raw: &[u8]) -> Result<()> {
        if raw.len() as u64 != u64::from(self.raw_len) {
            return Err(FormatError::corrupt(
                format!(
                    "the segment decodes to {} bytes instead of {}",
                    raw.len(),
                    self.raw_len
                ),
                self.place(),
            ));
        }
        if !agree(self.raw_crc, crc32fast::hash(raw)) {
            return Err(FormatError::corrupt(
                "the segment's decoded bytes do not have its checksum",
                self.place(),
            ));
        }
        Ok(())
    }
}

/// The fields of a record before its coded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) kind: SegmentKind,
    pub(crate) raw_len: u32,
    pub(crate) coded_len: u32,
    pub(crate) ideal_bits: Option<u64>,
    pub(crate) raw_crc: u32,
}

impl RecordHeader {
    /// Appends the header of segment number `index`.
    pub(crate) fn encode(&self, index: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(self.kind.code());
        put_varint(out, u64::from(self.raw_len));
        put_varint(out, u64::from(self.coded_len));
        if let Some(bits) = self.ideal_bits {
            put_varint(out, bits);
        }
        out.extend_from_slice(&self.raw_crc.to_le_bytes());
        let check = check_of(index, &out[start..]);
        out.extend_from_slice(&check.to_le_bytes());
    }

    /// Parses the header of segment number `index` of a member of `version` at the front of `bytes`;
    /// returns its size in bytes too.
    pub(crate) fn parse(
        version: FormatVersion,
        bytes: &[u8],
        index: u64,
    ) -> Result<(Self, usize), Fault> {
        let mut cursor = Cursor::new(bytes);
        let code = cursor.u8()?;
        let kind = SegmentKind::of_code(version, code);
        let max = u64::from(MAX_SEGMENT_LEN);
        let raw_len = cursor.varint_max(max, "the segment's raw length")? as u32;
        let coded_len = cursor.varint_max(max, "the segment's coded length")? as u32;
        let ideal_bits = match kind.is_some_and(SegmentKind::has_ideal) {
            true => Some(cursor.varint()?),
            false => None,
        };
        let raw_crc = cursor.u32()?;
        let covered = cursor.position();
        if !agree(cursor.u16()?, check_of(index, &bytes[..covered])) {
            return Err(Fault::corrupt("the segment's record header is damaged"));
        }
        // Later kinds keep these fields, so that damage is told from news before this.
        let kind = match (kind, code) {
            (Some(kind), _) => kind,
            (None, END_BYTE) => {
                return Err(Fault::corrupt("an end byte stands in a segment's place"));
            }
            (None, other) => return Err(Fault::Kind(other)),
        };
        let header = Self {
            kind,
            raw_len,
            coded_len,
            ideal_bits,
            raw_crc,
        };
        header.check_lengths().map_err(Fault::corrupt)?;
        Ok((header, cursor.position()))
    }

    /// The lengths at the front of `bytes`, if they may be those of a record header, whatever its
    /// check says: a quick look before all numbers are tried.
    pub(crate) fn shape(version: FormatVersion, bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let kind = SegmentKind::of_code(version, cursor.u8().ok()?)?;
        let max = u64::from(MAX_SEGMENT_LEN);
        let raw_len = cursor.varint_max(max, "a length").ok()? as u32;
        let coded_len = cursor.varint_max(max, "a length").ok()? as u32;
        let ideal_bits = match kind.has_ideal() {
            true => Some(cursor.varint().ok()?),
            false => None,
        };
        let header = Self {
            kind,
            raw_len,
            coded_len,
            ideal_bits,
            raw_crc: cursor.u32().ok()?,
        };
        cursor.u16().ok()?;
        header.check_lengths().ok().map(|()| header)
    }

    /// The rules between the lengths.
    pub(crate) fn check_lengths(&self) -> Result<(), &'static str> {
        if self.raw_len == 0 {
            return Err("a segment holds no byte");
        }
        if self.coded_len > self.raw_len {
            return Err("a segment's coded bytes are more than its raw bytes");
        }
        if self.kind == SegmentKind::Stored && self.coded_len != self.raw_len {
            return Err("a stored segment's two lengths differ");
        }
        let most = u64::from(self.raw_len) * MAX_IDEAL_PER_RAW_BYTE;
        if self.ideal_bits.is_some_and(|bits| bits > most) {
            return Err("a segment's ideal length exceeds 64 bits per byte");
        }
        Ok(())
    }

    /// The public view of this record.
    pub(crate) fn info(&self, place: Place, raw_offset: u64, header_len: usize) -> SegmentInfo {
        SegmentInfo {
            member: place.member,
            index: place.segment.unwrap_or(0),
            raw_offset,
            kind: self.kind,
            raw_len: self.raw_len,
            coded_len: self.coded_len,
            ideal_bits: self.ideal_bits,
            raw_crc: self.raw_crc,
            record_offset: place.offset,
            record_len: header_len as u32 + self.coded_len,
        }
    }
}

/// The segment's number is part of the check, so that records cannot change places.
fn check_of(index: u64, header: &[u8]) -> u16 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&index.to_le_bytes());
    hasher.update(header);
    hasher.finalize() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_change_in_a_record_header_is_detected() {
        let header = RecordHeader {
            kind: SegmentKind::Model,
            raw_len: 65536,
            coded_len: 20000,
            ideal_bits: Some(20000 * 8 * 256),
            raw_crc: 0x1234_5678,
        };
        let mut bytes = Vec::new();
        header.encode(5, &mut bytes);
        assert_eq!(
            RecordHeader::parse(FormatVersion::V1, &bytes, 5),
            Ok((header, bytes.len()))
        );
        assert!(RecordHeader::parse(FormatVersion::V1, &bytes, 6).is_err());
        bytes.extend([0; MAX_RECORD_HEADER]);
        for at in 0..bytes.len() - MAX_RECORD_HEADER {
            for change in 1..=255 {
                bytes[at] ^= change;
                assert!(
                    RecordHeader::parse(FormatVersion::V1, &bytes, 5).is_err(),
                    "{at} {change}"
                );
                bytes[at] ^= change;
            }
        }
    }

    #[test]
    fn the_rules_between_lengths_hold() {
        let good = RecordHeader {
            kind: SegmentKind::Model,
            raw_len: 10,
            coded_len: 10,
            ideal_bits: Some(10 * 64 * 256),
            raw_crc: 0,
        };
        assert!(good.check_lengths().is_ok());
        let bad = [
            RecordHeader {
                raw_len: 0,
                coded_len: 0,
                ..good
            },
            RecordHeader {
                coded_len: 11,
                ..good
            },
            RecordHeader {
                ideal_bits: Some(10 * 64 * 256 + 1),
                ..good
            },
            RecordHeader {
                kind: SegmentKind::Stored,
                coded_len: 9,
                ideal_bits: None,
                ..good
            },
        ];
        for header in bad {
            let mut bytes = Vec::new();
            header.encode(0, &mut bytes);
            assert!(matches!(
                RecordHeader::parse(FormatVersion::V1, &bytes, 0),
                Err(Fault::Corrupt(_))
            ));
        }
    }
}
