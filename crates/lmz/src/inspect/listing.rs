//! A file by its headers, index and footers, without decoding anything.

use std::io::{Read, Seek};

use lmz_format::{FormatError, IndexedReader, SegmentInfo, SegmentKind};
use serde::Serialize;

use super::facts::{Container, Facts};
use crate::figures::bits_per_byte;

/// Ideal bits are counted in units of 1/256 bit.
const BIT: f64 = 256.0;

/// What a file's containers say.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// What the file is called.
    pub file: String,
    /// The first member's header.
    #[serde(flatten)]
    pub first: Facts,
    /// The sums over all members.
    #[serde(flatten)]
    pub sizes: Sizes,
    /// Each with its own facts and sizes; a file that was not concatenated has one.
    pub members: Vec<MemberListing>,
    /// The segments of all members.
    pub segments: Vec<SegmentListing>,
}

/// What a file or a member takes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sizes {
    /// Bytes that it restores to.
    pub raw_bytes: u64,
    /// Bytes that it has.
    pub compressed_bytes: u64,
    /// What the model says that its segments are worth.
    pub ideal_bits: f64,
    /// Compressed bits for a raw byte; null for nothing.
    pub bits_per_byte: Option<f64>,
    /// What the bytes are for.
    pub container: Container,
    /// The header's copy in the footer was used.
    pub header_damaged: bool,
    /// The byte that ends a member is another.
    pub end_byte_damaged: bool,
}

/// A member.
#[derive(Clone, Debug, Serialize)]
pub struct MemberListing {
    /// Where it lies in the file.
    pub offset: u64,
    /// Where what it restores to lies in the concatenation of all members.
    pub raw_offset: u64,
    /// BLAKE3 of what it restores to.
    pub raw_hash: Option<String>,
    /// What its header says.
    #[serde(flatten)]
    pub facts: Facts,
    /// What it takes.
    #[serde(flatten)]
    pub sizes: Sizes,
}

/// A segment.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentListing {
    /// The member's number.
    pub member: u64,
    /// Its number in the member.
    pub index: u64,
    /// `model`, `zstd`, `stored` or `mixed`.
    pub kind: &'static str,
    /// In the concatenation of all members.
    pub raw_offset: u64,
    /// Bytes that it restores to.
    pub raw_len: u32,
    /// Bytes that it is coded in.
    pub coded_len: u32,
    /// Null for what neither model nor contexts coded.
    pub ideal_bits: Option<f64>,
    /// Blocks in lock step; null for what is not mixed.
    pub lanes: Option<usize>,
    /// Where the record lies in the file.
    pub offset: u64,
    /// Bytes of the record.
    pub record_len: u32,
}

impl Listing {
    /// Reads what the containers of `input` say.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or is no `.lmz` file.
    pub fn read(file: String, input: impl Read + Seek) -> Result<Self, FormatError> {
        let mut reader = IndexedReader::open(input)?;
        let mut members = Vec::new();
        let mut segments = Vec::new();
        let mut total = Sizes::default();
        let found = reader.members().to_vec();
        let first = found.first().map(|member| Facts::of(&member.header));
        for found in found {
            let bytes = reader.container_bytes(found.number)?;
            let mut sizes = Sizes {
                raw_bytes: found.raw_len,
                compressed_bytes: found.len,
                container: bytes.into(),
                header_damaged: found.header_damaged,
                end_byte_damaged: found.end_byte_damaged,
                ..Sizes::default()
            };
            for index in 0..found.segment_count() {
                let info = reader.segment(found.number, index)?;
                let mut segment = SegmentListing::new(&info, found.raw_start);
                if info.kind == SegmentKind::Mixed {
                    let start = reader.read_coded_start(found.number, index, 1)?;
                    segment.lanes = lmz_codec::mixed::lanes(&start);
                }
                sizes.ideal_bits += segment.ideal_bits.unwrap_or(0.0);
                segments.push(segment);
            }
            sizes.bits_per_byte = bits_per_byte(sizes.raw_bytes, sizes.compressed_bytes);
            total.add(&sizes);
            members.push(MemberListing {
                offset: found.start,
                raw_offset: found.raw_start,
                raw_hash: found.raw_hash.map(|hash| hash.to_string()),
                facts: Facts::of(&found.header),
                sizes,
            });
        }
        Ok(Self {
            file,
            // An index has a member at least.
            first: first.ok_or(FormatError::Empty)?,
            sizes: total,
            members,
            segments,
        })
    }
}

impl SegmentListing {
    fn new(info: &SegmentInfo, raw_start: u64) -> Self {
        Self {
            member: info.member,
            index: info.index,
            kind: info.kind.name(),
            raw_offset: raw_start + info.raw_offset,
            raw_len: info.raw_len,
            coded_len: info.coded_len,
            ideal_bits: info.ideal_bits.map(|bits| bits as f64 / BIT),
            lanes: None,
            offset: info.record_offset,
            record_len: info.record_len,
        }
    }
}

impl Sizes {
    /// Adds the sizes of another file.
    pub fn add(&mut self, other: &Self) {
        self.raw_bytes += other.raw_bytes;
        self.compressed_bytes += other.compressed_bytes;
        self.ideal_bits += other.ideal_bits;
        self.container.add(&other.container);
        self.header_damaged |= other.header_damaged;
        self.end_byte_damaged |= other.end_byte_damaged;
        self.bits_per_byte = bits_per_byte(self.raw_bytes, self.compressed_bytes);
    }
}
