//! Small members: one header of at most 24 bytes (more with a prime), then the coded bytes.

use std::io::Write;

use crate::error::{Fault, FormatError, Place, Result};
use crate::hash::{RawHash, agree};
use crate::header::{ContextPolicy, Form, Header, ModelId, parse_header};
use crate::ledger::ContainerBytes;
use crate::limits::{FORMAT_VERSION, MAGIC, MAX_SMALL_LEN};
use crate::plan::SegmentPlan;
use crate::prime::PrimeId;
use crate::record::{Payload, RecordHeader, SegmentInfo, SegmentKind};
use crate::varint::{Cursor, put_varint};
use crate::writer::Summary;

/// In the byte where other members have their format version, the bit that tells a small one.
pub(crate) const SMALL_BIT: u8 = 0x80;
/// More bytes than any small header has.
pub(crate) const MAX_SMALL_HEADER: usize = 4 + 1 + 1 + ModelId::SHORT + 2 * 10 + 4 + 2 * 10 + 4 + 2;

/// The second byte after the magic: kind in bits 0 and 1, the rest from here.
const PRIMED: u8 = 1 << 2;
const RECIPE_SHIFT: u32 = 3;
const NUMERICS_SHIFT: u32 = 5;

impl Header {
    /// Whether a member of `raw_len` bytes with this header can have the small form: everything that
    /// the form leaves out must follow from what it says, and one block must hold all symbols.
    pub fn fits_small(&self, raw_len: u64) -> bool {
        let primed = self.prime.map_or(0, |prime| u64::from(prime.tokens));
        raw_len <= MAX_SMALL_LEN as u64
            && raw_len <= self.plan.size_at(0)
            && primed + raw_len <= u64::from(self.context.context)
            && self.numerics_version < 1 << (8 - NUMERICS_SHIFT)
            && self.recipe < 1 << (NUMERICS_SHIFT - RECIPE_SHIFT)
    }
}

/// A small header as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SmallHeader {
    pub(crate) header: Header,
    /// None for a member without raw bytes.
    pub(crate) record: Option<RecordHeader>,
    /// Its size in bytes.
    pub(crate) len: usize,
}

impl SmallHeader {
    pub(crate) fn coded_len(&self) -> u64 {
        self.record.map_or(0, |record| record.coded_len.into())
    }

    /// Size of the member in bytes.
    pub(crate) fn member_len(&self) -> u64 {
        self.len as u64 + self.coded_len()
    }

    pub(crate) fn raw_len(&self) -> u64 {
        self.record.map_or(0, |record| record.raw_len.into())
    }

    /// The public view of the one segment of a member that starts at `start`. The coded bytes are
    /// its record.
    pub(crate) fn info(&self, member: u64, start: u64) -> Option<SegmentInfo> {
        let place = Place {
            offset: start + self.len as u64,
            member,
            segment: Some(0),
        };
        self.record.map(|record| record.info(place, 0, 0))
    }

    pub(crate) fn bytes(&self) -> ContainerBytes {
        ContainerBytes {
            header: self.len as u64,
            coded: self.coded_len(),
            ..ContainerBytes::default()
        }
    }
}

/// Whether `bytes`, which begin with the magic, begin a small member of any version.
pub(crate) fn is_small(bytes: &[u8]) -> bool {
    bytes.get(4).is_some_and(|byte| byte & SMALL_BIT != 0)
}

fn check_of(header: &[u8]) -> u16 {
    crc32fast::hash(header) as u16
}

/// Parses the header at the front of `bytes`.
pub(crate) fn parse_small(bytes: &[u8]) -> Result<SmallHeader, Fault> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(Fault::corrupt("the member does not begin with the magic"));
    }
    let version = cursor.u8()?;
    let flags = cursor.u8()?;
    let model_id = ModelId::beginning(cursor.array()?);
    let most = MAX_SMALL_LEN as u64;
    let raw_len = cursor.varint_max(most, "a small member's raw length");
    // A newer version may mean something else by what stands here.
    let newer = version != SMALL_BIT | FORMAT_VERSION;
    let fault = |fault| match fault {
        Fault::Short => Fault::Short,
        _ if newer => Fault::Version(version & !SMALL_BIT),
        other => other,
    };
    let raw_len = raw_len.map_err(fault)? as u32;
    let coded_len = cursor.varint_max(most, "a small member's coded length");
    let coded_len = coded_len.map_err(fault)? as u32;
    let prime = match flags & PRIMED != 0 {
        true => Some(PrimeId::take_small(&mut cursor).map_err(fault)?),
        false => None,
    };
    let raw_crc = cursor.u32()?;
    let covered = cursor.position();
    let check = cursor.u16()?;
    if newer {
        return Err(news_or_damage(bytes, covered, check));
    }
    if !agree(check, check_of(&bytes[..covered])) {
        return Err(Fault::corrupt("the header of a small member is damaged"));
    }
    let kind = match flags & 3 {
        0 => None,
        1 => Some(SegmentKind::Model),
        2 => Some(SegmentKind::Zstd),
        _ => Some(SegmentKind::Stored),
    };
    let record = kind.map(|kind| RecordHeader {
        kind,
        raw_len,
        coded_len,
        ideal_bits: None,
        raw_crc,
    });
    match &record {
        Some(record) => record.check_lengths().map_err(Fault::corrupt)?,
        None if (raw_len, coded_len, raw_crc) == (0, 0, 0) => {}
        None => return Err(Fault::corrupt("an empty small member holds something")),
    }
    let tokens = prime.map_or(0, |prime| prime.tokens);
    let context = ContextPolicy {
        context: raw_len.max(1).saturating_add(tokens),
        overlap: 0,
    };
    if let Some(prime) = &prime {
        prime.check(context).map_err(Fault::corrupt)?;
    }
    let header = Header {
        numerics_version: flags >> NUMERICS_SHIFT,
        recipe: flags >> RECIPE_SHIFT & 3,
        model_id,
        checkpoint: [0; 16],
        model_name: String::new(),
        context,
        plan: SegmentPlan::Default,
        prime,
        form: Form::Small,
    };
    Ok(SmallHeader {
        header,
        record,
        len: cursor.position(),
    })
}

/// One wrong byte in the version's place is damage, and not a newer version.
fn news_or_damage(bytes: &[u8], covered: usize, check: u16) -> Fault {
    let mut mended = bytes.to_vec();
    mended[4] = SMALL_BIT | FORMAT_VERSION;
    let small = agree(check, check_of(&mended[..covered]));
    mended[4] = FORMAT_VERSION;
    if small || parse_header(&mended).is_ok() {
        return Fault::corrupt("the member's version is damaged");
    }
    Fault::Version(bytes[4] & !SMALL_BIT)
}

/// Writes a whole small member: `payload` is the coded form of `raw`, none for no bytes at all. What
/// the header says of name, checkpoint, context and plan is left out.
///
/// # Errors
/// `InvalidArgument` unless [`Header::fits_small`], and for a payload that breaks the rules of the
/// format; `Io`.
pub fn write_small(
    mut out: impl Write,
    header: &Header,
    raw: &[u8],
    payload: Option<Payload<'_>>,
) -> Result<Summary> {
    if !header.fits_small(raw.len() as u64) || payload.is_none() != raw.is_empty() {
        return Err(FormatError::invalid(
            "these bytes do not fit a small member",
        ));
    }
    let (kind, coded, ideal_bits) = match payload {
        None => (0, &[][..], 0),
        Some(payload) => {
            let (coded, ideal_bits) = payload.parts(raw);
            (payload.kind().code(), coded, ideal_bits.unwrap_or(0))
        }
    };
    if let Some(payload) = payload {
        let record = RecordHeader {
            kind: payload.kind(),
            raw_len: raw.len() as u32,
            coded_len: u32::try_from(coded.len()).unwrap_or(u32::MAX),
            ideal_bits: Some(ideal_bits),
            raw_crc: 0,
        };
        record.check_lengths().map_err(FormatError::invalid)?;
    }
    let mut head = MAGIC.to_vec();
    head.push(SMALL_BIT | FORMAT_VERSION);
    let primed = if header.prime.is_some() { PRIMED } else { 0 };
    head.push(
        kind | primed | header.recipe << RECIPE_SHIFT | header.numerics_version << NUMERICS_SHIFT,
    );
    head.extend_from_slice(&header.model_id.start());
    put_varint(&mut head, raw.len() as u64);
    put_varint(&mut head, coded.len() as u64);
    if let Some(prime) = &header.prime {
        prime.put_small(&mut head);
    }
    head.extend_from_slice(&crc32fast::hash(raw).to_le_bytes());
    let check = check_of(&head);
    head.extend_from_slice(&check.to_le_bytes());
    out.write_all(&head)?;
    out.write_all(coded)?;
    out.flush()?;
    let bytes = ContainerBytes {
        header: head.len() as u64,
        coded: coded.len() as u64,
        ..ContainerBytes::default()
    };
    Ok(Summary {
        raw_len: raw.len() as u64,
        compressed_len: bytes.total(),
        segments: u64::from(!raw.is_empty()),
        raw_hash: RawHash::of(raw),
        ideal_bits,
        bytes,
    })
}
