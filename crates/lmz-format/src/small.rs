//! Small members: one header of a few dozen bytes, then the coded bytes.

use std::io::Write;

use crate::error::{Fault, FormatError, Place, Result};
use crate::hash::{RawHash, agree};
use crate::header::{
    ContextPolicy, Form, Header, ModelId, check_name, parse_header, put_name, take_name,
};
use crate::ledger::ContainerBytes;
use crate::limits::{MAGIC, MAX_MODEL_NAME_LEN, MAX_NAMELESS_LEN};
use crate::plan::SegmentPlan;
use crate::prime::PrimeId;
use crate::record::{Payload, RecordHeader, SegmentInfo, SegmentKind};
use crate::varint::{Cursor, put_varint};
use crate::version::FormatVersion;
use crate::writer::Summary;

/// In the byte where other members have their format version, the bit that tells a small one.
pub(crate) const SMALL_BIT: u8 = 0x80;
/// More bytes than any small header has.
pub(crate) const MAX_SMALL_HEADER: usize =
    4 + 1 + 1 + ModelId::SHORT + 1 + 2 * 10 + 2 * 10 + 4 + 2 * 10 + 10 + MAX_MODEL_NAME_LEN + 4 + 2;

/// The second byte after the magic: kind in bits 0 and 1, the rest from here.
const PRIMED: u8 = 1 << 2;
const RECIPE_SHIFT: u32 = 3;
const NUMERICS_SHIFT: u32 = 5;
/// Recipes begin at 1: two bits of 0 stand for this one.
const LAST_RECIPE: u8 = 1 << (NUMERICS_SHIFT - RECIPE_SHIFT);
/// In the byte of version 2 that holds the version of mixing, the bit that says that context and overlap follow.
const BLOCKS: u8 = 1 << 7;

impl Header {
    /// Whether a member of `raw_len` bytes with this header can have the small form: everything that
    /// the form leaves out must follow from what it says. In version 1 one block must hold all symbols.
    pub fn fits_small(&self, raw_len: u64) -> bool {
        raw_len <= self.version().max_small_len() as u64
            && raw_len <= self.plan.size_at(0)
            && (self.version() == FormatVersion::V2 || self.has_one_block(raw_len))
            && self.numerics_version < 1 << (8 - NUMERICS_SHIFT)
            && (1..=LAST_RECIPE).contains(&self.recipe)
            && self.mixing < BLOCKS
    }

    /// Whether one block holds all symbols of so many bytes, whatever they are, and those of the prime.
    fn has_one_block(&self, raw_len: u64) -> bool {
        let primed = self.prime.map_or(0, |prime| u64::from(prime.tokens));
        primed + raw_len <= u64::from(self.context.context)
    }
}

/// Whether the header of a small member of so many bytes names the model: a few bytes that are nothing then, and that
/// say what to look for where the model is not at hand.
fn has_name(raw_len: u64) -> bool {
    raw_len > MAX_NAMELESS_LEN as u64
}

/// What the two bits of a small header say of a kind; 0 stands for no bytes.
fn code_of(kind: SegmentKind) -> u8 {
    match kind {
        SegmentKind::Model | SegmentKind::Mixed => 1,
        SegmentKind::Zstd => 2,
        SegmentKind::Stored => 3,
    }
}

fn kind_of(version: FormatVersion, code: u8) -> Option<SegmentKind> {
    let mut kinds = SegmentKind::ALL.into_iter();
    kinds.find(|&kind| kind.is_of(version) && code_of(kind) == code)
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
    let number = cursor.u8()? & !SMALL_BIT;
    let Some(version) = FormatVersion::of_number(number) else {
        return Err(news_or_damage(bytes, number));
    };
    let flags = cursor.u8()?;
    let model_id = ModelId::beginning(cursor.array()?);
    let mixing = match version {
        FormatVersion::V1 => 0,
        FormatVersion::V2 => cursor.u8()?,
    };
    let blocks = match mixing & BLOCKS != 0 {
        true => Some((
            cursor.varint_max(u32::MAX.into(), "the context")? as u32,
            cursor.varint_max(u32::MAX.into(), "the overlap")? as u32,
        )),
        false => None,
    };
    let mixing = mixing & !BLOCKS;
    let most = version.max_small_len() as u64;
    let raw_len = cursor.varint_max(most, "a small member's raw length")? as u32;
    let coded_len = cursor.varint_max(most, "a small member's coded length")? as u32;
    let prime = match flags & PRIMED != 0 {
        true => Some(PrimeId::take_small(&mut cursor)?),
        false => None,
    };
    let model_name = match has_name(raw_len.into()) {
        true => take_name(&mut cursor)?,
        false => String::new(),
    };
    let raw_crc = cursor.u32()?;
    let covered = cursor.position();
    if !agree(cursor.u16()?, check_of(&bytes[..covered])) {
        return Err(Fault::corrupt("the header of a small member is damaged"));
    }
    if version == FormatVersion::V2 && mixing == 0 {
        return Err(Fault::corrupt("the header has no version of mixing"));
    }
    let record = kind_of(version, flags & 3).map(|kind| RecordHeader {
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
    let context = match blocks {
        Some((context, overlap)) => ContextPolicy { context, overlap },
        None => ContextPolicy {
            context: raw_len.max(1).saturating_add(tokens),
            overlap: 0,
        },
    };
    context.check().map_err(Fault::corrupt)?;
    if let Some(prime) = &prime {
        prime.check(context).map_err(Fault::corrupt)?;
    }
    let header = Header {
        numerics_version: flags >> NUMERICS_SHIFT,
        recipe: match flags >> RECIPE_SHIFT & (LAST_RECIPE - 1) {
            0 => LAST_RECIPE,
            recipe => recipe,
        },
        mixing,
        model_id,
        checkpoint: [0; 16],
        model_name,
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

/// One wrong byte in the version's place is damage, and not a newer version: the header of a version that is known
/// is sound in its place then. What a newer version means by the bytes that follow nobody knows.
fn news_or_damage(bytes: &[u8], number: u8) -> Fault {
    let mut mended = bytes.to_vec();
    for version in FormatVersion::ALL {
        mended[4] = SMALL_BIT | version.number();
        match parse_small(&mended) {
            // The shortest header decides whether more must be read.
            Err(Fault::Short) if version == FormatVersion::V1 => return Fault::Short,
            Err(_) => {}
            Ok(_) => return Fault::corrupt("the member's version is damaged"),
        }
        mended[4] = version.number();
        if parse_header(&mended).is_ok() {
            return Fault::corrupt("the member's version is damaged");
        }
    }
    Fault::Version(number)
}

/// Writes a whole small member: `payload` is the coded form of `raw`, none for no bytes at all. What
/// the header says of checkpoint and plan is left out, and for short ones the model's name.
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
    check_name(&header.model_name).map_err(FormatError::invalid)?;
    if !header.fits_small(raw.len() as u64) || payload.is_none() != raw.is_empty() {
        return Err(FormatError::invalid(
            "these bytes do not fit a small member",
        ));
    }
    let version = header.version();
    let (kind, coded, ideal_bits) = match payload {
        None => (0, &[][..], 0),
        Some(payload) => {
            let (coded, ideal_bits) = payload.parts(raw);
            (code_of(payload.kind()), coded, ideal_bits.unwrap_or(0))
        }
    };
    if let Some(payload) = payload {
        let record = RecordHeader {
            kind: payload.kind(),
            raw_len: raw.len() as u32,
            coded_len: u32::try_from(coded.len()).unwrap_or(u32::MAX),
            ideal_bits: payload.kind().has_ideal().then_some(ideal_bits),
            raw_crc: 0,
        };
        record.check_lengths().map_err(FormatError::invalid)?;
        if !record.kind.is_of(version) {
            return Err(FormatError::invalid(format!(
                "a file of format version {} has no segment of kind {}",
                version.number(),
                record.kind.name()
            )));
        }
    }
    let mut head = MAGIC.to_vec();
    head.push(SMALL_BIT | version.number());
    let primed = if header.prime.is_some() { PRIMED } else { 0 };
    let recipe = header.recipe % LAST_RECIPE;
    head.push(kind | primed | recipe << RECIPE_SHIFT | header.numerics_version << NUMERICS_SHIFT);
    head.extend_from_slice(&header.model_id.start());
    if version == FormatVersion::V2 {
        let one = header.has_one_block(raw.len() as u64);
        head.push(header.mixing | if one { 0 } else { BLOCKS });
        if !one {
            put_varint(&mut head, header.context.context.into());
            put_varint(&mut head, header.context.overlap.into());
        }
    }
    put_varint(&mut head, raw.len() as u64);
    put_varint(&mut head, coded.len() as u64);
    if let Some(prime) = &header.prime {
        prime.put_small(&mut head);
    }
    if has_name(raw.len() as u64) {
        put_name(&mut head, &header.model_name);
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
