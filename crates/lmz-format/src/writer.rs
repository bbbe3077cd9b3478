//! Writing a member as a stream.

use std::io::Write;

use crate::error::{FormatError, Place, Result};
use crate::footer::FooterParts;
use crate::hash::{RawHash, RawHasher};
use crate::header::{Header, encode_header};
use crate::ledger::ContainerBytes;
use crate::limits::MAX_BODY_LEN;
use crate::plan::SegmentPlan;
use crate::record::{END_BYTE, Payload, RecordHeader, SegmentInfo};
use crate::varint::put_varint;
use crate::version::FormatVersion;

/// The index may grow to this, so that `footer_len` fits 32 bits.
const MAX_INDEX_LEN: usize = u32::MAX as usize - MAX_BODY_LEN - 64;

/// What a finished member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The length of the raw bytes.
    pub raw_len: u64,
    /// Bytes of the member: `bytes.total()`.
    pub compressed_len: u64,
    /// The number of segments.
    pub segments: u64,
    /// The hash of the raw bytes.
    pub raw_hash: RawHash,
    /// Ideal bits of all model segments, in units of 1/256 bit.
    pub ideal_bits: u64,
    /// The member's bytes by what they are for.
    pub bytes: ContainerBytes,
}

/// Writes one member. Nothing is sought or read back, so a pipe will do.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    version: FormatVersion,
    body: Vec<u8>,
    plan: SegmentPlan,
    hasher: RawHasher,
    index: Vec<u8>,
    raw_len: u64,
    segments: u64,
    ideal_bits: u64,
    bytes: ContainerBytes,
    /// Set while bytes are under way: what follows a failed write would make no sense.
    broken: bool,
}

impl<W: Write> Writer<W> {
    /// Writes the header to `out`, in the full form whatever [`Header::form`] says.
    ///
    /// # Errors
    /// `InvalidArgument` for a header field out of range; `Io`.
    pub fn new(mut out: W, header: &Header) -> Result<Self> {
        let body = header.encode_body()?;
        let encoded = encode_header(header.version(), &body);
        out.write_all(&encoded)?;
        Ok(Self {
            out,
            version: header.version(),
            body,
            plan: header.plan,
            hasher: RawHasher::new(),
            index: Vec::new(),
            raw_len: 0,
            segments: 0,
            ideal_bits: 0,
            bytes: ContainerBytes {
                header: encoded.len() as u64,
                ..ContainerBytes::default()
            },
            broken: false,
        })
    }

    /// Raw bytes that the next segment holds if enough are left.
    pub fn next_segment_len(&self) -> u64 {
        self.plan.size_at(self.raw_len)
    }

    /// Writes the next segment: `raw` is its raw bytes, `payload` their coded form.
    ///
    /// Only the last segment may be shorter than the plan says. The returned info counts its
    /// offsets from the start of this member and gives the member number 0.
    ///
    /// # Errors
    /// `InvalidArgument` if a length breaks the plan or the rules of the format, or after an
    /// earlier error of the writer underneath; `Io`.
    pub fn segment(&mut self, raw: &[u8], payload: Payload<'_>) -> Result<SegmentInfo> {
        self.check_usable()?;
        let want = self.next_segment_len();
        if raw.is_empty() || raw.len() as u64 > want {
            return Err(FormatError::invalid(format!(
                "segment {} has {} bytes where the plan says {want}",
                self.segments,
                raw.len()
            )));
        }
        if self.plan.start_of(self.segments) != self.raw_len {
            return Err(FormatError::invalid(
                "a segment follows one that is shorter than the plan says",
            ));
        }
        if self.index.len() >= MAX_INDEX_LEN {
            return Err(FormatError::invalid(
                "too many segments: use larger ones (--segment)",
            ));
        }
        let (coded, ideal_bits) = payload.parts(raw);
        let record = RecordHeader {
            kind: payload.kind(),
            raw_len: raw.len() as u32,
            coded_len: u32::try_from(coded.len()).unwrap_or(u32::MAX),
            ideal_bits,
            raw_crc: crc32fast::hash(raw),
        };
        record.check_lengths().map_err(FormatError::invalid)?;
        if !record.kind.is_of(self.version) {
            return Err(FormatError::invalid(format!(
                "a file of format version {} has no segment of kind {}",
                self.version.number(),
                record.kind.name()
            )));
        }

        let mut head = Vec::with_capacity(32);
        record.encode(self.segments, &mut head);
        self.broken = true;
        self.out.write_all(&head)?;
        self.out.write_all(coded)?;
        self.broken = false;

        let place = Place {
            offset: self.bytes.header + self.bytes.records + self.bytes.coded,
            member: 0,
            segment: Some(self.segments),
        };
        let info = record.info(place, self.raw_len, head.len());
        let index_len = self.index.len();
        put_varint(&mut self.index, u64::from(info.record_len));
        self.bytes.index += (self.index.len() - index_len) as u64;
        self.bytes.records += head.len() as u64;
        self.bytes.coded += coded.len() as u64;
        self.hasher.update(raw);
        self.raw_len += raw.len() as u64;
        self.segments += 1;
        self.ideal_bits += ideal_bits.unwrap_or(0);
        Ok(info)
    }

    /// Writes the end byte and the footer, flushes, and gives the writer underneath back.
    ///
    /// # Errors
    /// `InvalidArgument` after an earlier error of the writer underneath; `Io`.
    pub fn finish(mut self) -> Result<(W, Summary)> {
        self.check_usable()?;
        let raw_hash = self.hasher.finish();
        let footer = FooterParts {
            version: self.version,
            body: &self.body,
            raw_hash,
            raw_len: self.raw_len,
            segments: self.segments,
            index: &self.index,
        };
        let footer = footer
            .encode()
            .ok_or_else(|| FormatError::invalid("the index is too large"))?;
        self.out.write_all(&[END_BYTE])?;
        self.out.write_all(&footer)?;
        self.out.flush()?;
        self.bytes.footer = 1 + footer.len() as u64 - self.bytes.index;
        let summary = Summary {
            raw_len: self.raw_len,
            compressed_len: self.bytes.total(),
            segments: self.segments,
            raw_hash,
            ideal_bits: self.ideal_bits,
            bytes: self.bytes,
        };
        Ok((self.out, summary))
    }

    fn check_usable(&self) -> Result<()> {
        if self.broken {
            return Err(FormatError::invalid(
                "this writer failed before: what it wrote is not complete",
            ));
        }
        Ok(())
    }
}
