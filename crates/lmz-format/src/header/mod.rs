//! The header of a member: what a decoder must know before the first segment.

mod context;
mod model_id;

use crate::error::{Fault, FormatError, Result};
use crate::hash::agree;
use crate::limits::{MAGIC, MAX_BODY_LEN, MAX_MODEL_NAME_LEN, MAX_SEGMENT_LEN};
use crate::plan::SegmentPlan;
use crate::prime::PrimeId;
use crate::varint::{Cursor, put_varint};
use crate::version::FormatVersion;
pub use context::ContextPolicy;
pub use model_id::ModelId;

/// How a member is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// Header, segment records, end byte and footer.
    #[default]
    Full,
    /// One short header and the coded bytes of a few raw ones.
    Small,
}

/// What a member's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the integer numerics.
    pub numerics_version: u8,
    /// The number of the recipe that prepared the model.
    pub recipe: u8,
    /// The version of mixing, or 0 without mixing, which makes a member of version 1.
    pub mixing: u8,
    /// The prepared model's identity.
    pub model_id: ModelId,
    /// The hash of the checkpoint that the model was prepared from (its first 16 bytes). Zeros in a
    /// small member.
    pub checkpoint: [u8; 16],
    /// A name for people: at most 255 bytes of UTF-8 without control characters. Empty in a short small
    /// member.
    pub model_name: String,
    /// Blocks inside a segment.
    pub context: ContextPolicy,
    /// Segments inside the member.
    pub plan: SegmentPlan,
    /// The text that the model was shown before each segment.
    pub prime: Option<PrimeId>,
    /// How the member is laid out.
    pub form: Form,
}

impl Header {
    /// The format version of the member.
    pub fn version(&self) -> FormatVersion {
        match self.mixing {
            0 => FormatVersion::V1,
            _ => FormatVersion::V2,
        }
    }

    /// Whether this is the header of a small member.
    pub fn is_small(&self) -> bool {
        self.form == Form::Small
    }

    /// The model's name, or where the header has none the beginning of its identity.
    pub fn model_label(&self) -> String {
        match self.model_name.as_str() {
            "" => self.model_id.to_string(),
            name => name.to_owned(),
        }
    }

    /// The header's body, which lies in the header and again in the footer.
    ///
    /// # Errors
    /// `InvalidArgument` for a field out of its range.
    pub(crate) fn encode_body(&self) -> Result<Vec<u8>> {
        check_name(&self.model_name).map_err(FormatError::invalid)?;
        self.context.check().map_err(FormatError::invalid)?;
        if let SegmentPlan::Fixed(n) = self.plan {
            SegmentPlan::fixed(u64::from(n))?;
        }
        if self.model_id.is_short() {
            return Err(FormatError::invalid("a header holds a whole model id"));
        }
        let mut body = vec![self.numerics_version, self.recipe];
        if self.version() == FormatVersion::V2 {
            body.push(self.mixing);
        }
        body.extend_from_slice(&self.model_id.bytes);
        body.extend_from_slice(&self.checkpoint);
        put_name(&mut body, &self.model_name);
        put_varint(&mut body, u64::from(self.context.context));
        put_varint(&mut body, u64::from(self.context.overlap));
        put_varint(&mut body, self.plan.code());
        if let Some(prime) = &self.prime {
            prime.check(self.context).map_err(FormatError::invalid)?;
            prime.put_extension(&mut body);
        }
        Ok(body)
    }

    /// Reads a body of this version; all of `body` must make sense.
    pub(crate) fn parse_body(version: FormatVersion, body: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        Self::parse_fields(version, &mut cursor)
            .and_then(|mut header| {
                header.prime = parse_extensions(&mut cursor)?;
                if let Some(prime) = &header.prime {
                    prime.check(header.context).map_err(Fault::corrupt)?;
                }
                Ok(header)
            })
            .map_err(|fault| match fault {
                Fault::Short => Fault::corrupt("the header's body ends inside a field"),
                other => other,
            })
    }

    fn parse_fields(version: FormatVersion, cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        let numerics_version = cursor.u8()?;
        let recipe = cursor.u8()?;
        let mixing = match version {
            FormatVersion::V1 => 0,
            FormatVersion::V2 => cursor.u8()?,
        };
        if version == FormatVersion::V2 && mixing == 0 {
            return Err(Fault::corrupt("the header has no version of mixing"));
        }
        let model_id = ModelId::new(cursor.array()?);
        let checkpoint = cursor.array()?;
        let model_name = take_name(cursor)?;
        let max = u64::from(u32::MAX);
        let context = ContextPolicy {
            context: cursor.varint_max(max, "the context")? as u32,
            overlap: cursor.varint_max(max, "the overlap")? as u32,
        };
        context.check().map_err(Fault::corrupt)?;
        let plan = match cursor.varint_max(u64::from(MAX_SEGMENT_LEN), "the segment size")? {
            0 => SegmentPlan::Default,
            n => SegmentPlan::Fixed(n as u32),
        };
        Ok(Self {
            numerics_version,
            recipe,
            mixing,
            model_id,
            checkpoint,
            model_name,
            context,
            plan,
            prime: None,
            form: Form::Full,
        })
    }
}

/// Appends a model's name, which has been checked.
pub(crate) fn put_name(out: &mut Vec<u8>, name: &str) {
    put_varint(out, name.len() as u64);
    out.extend_from_slice(name.as_bytes());
}

/// Reads a model's name.
pub(crate) fn take_name(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    let len = cursor.varint_max(MAX_MODEL_NAME_LEN as u64, "the length of the model's name")?;
    let name = std::str::from_utf8(cursor.take(len as usize)?)
        .map_err(|_| Fault::corrupt("the model's name is not UTF-8"))?;
    check_name(name).map_err(Fault::corrupt)?;
    Ok(name.to_owned())
}

/// The name is printed on terminals: a file must not smuggle control sequences into them.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.len() > MAX_MODEL_NAME_LEN {
        return Err(format!(
            "the model's name has {} bytes, more than {MAX_MODEL_NAME_LEN}",
            name.len()
        ));
    }
    if name.chars().any(char::is_control) {
        return Err("the model's name contains control characters".into());
    }
    Ok(())
}

/// Even tags that are not known are skipped, odd ones refused.
fn parse_extensions(cursor: &mut Cursor<'_>) -> Result<Option<PrimeId>, Fault> {
    let mut last = None;
    let mut prime = None;
    while !cursor.rest().is_empty() {
        let tag = cursor.varint()?;
        if last.is_some_and(|last| tag <= last) {
            return Err(Fault::corrupt("the header's extensions are out of order"));
        }
        last = Some(tag);
        let len = cursor.varint()?;
        let content = cursor.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        if tag == PrimeId::TAG {
            prime = Some(PrimeId::parse_extension(content)?);
        } else if tag % 2 == 1 {
            return Err(Fault::Extension(tag));
        }
    }
    Ok(prime)
}

/// `version, body_len, body`: what header and footer have in common.
pub(crate) fn put_versioned_body(out: &mut Vec<u8>, version: FormatVersion, body: &[u8]) {
    out.push(version.number());
    put_varint(out, body.len() as u64);
    out.extend_from_slice(body);
}

/// Reads `version, body_len, body` without judging the version.
pub(crate) fn take_versioned_body<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, &'a [u8]), Fault> {
    let version = cursor.u8()?;
    let len = cursor.varint_max(MAX_BODY_LEN as u64, "the length of the header's body")?;
    Ok((version, cursor.take(len as usize)?))
}

/// The whole header that holds `body`.
pub(crate) fn encode_header(version: FormatVersion, body: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_versioned_body(&mut out, version, body);
    let crc = crc32fast::hash(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// A header as it was read.
#[derive(Debug)]
pub(crate) struct ParsedHeader<'a> {
    pub(crate) header: Header,
    pub(crate) body: &'a [u8],
    /// The header's size in bytes, magic and crc included.
    pub(crate) len: usize,
}

/// Parses the header at the front of `bytes`, which begin with the magic.
pub(crate) fn parse_header(bytes: &[u8]) -> Result<ParsedHeader<'_>, Fault> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(Fault::corrupt("the member does not begin with the magic"));
    }
    let (version, body) = take_versioned_body(&mut cursor)?;
    let covered = cursor.position();
    // The envelope is the same in every version, so damage is told from news here.
    if !agree(cursor.u32()?, crc32fast::hash(&bytes[..covered])) {
        return Err(Fault::corrupt(
            "the header's checksum is wrong; the second copy, in the footer, is used when \
             the input is a file and not a pipe",
        ));
    }
    let version = FormatVersion::of_number(version).ok_or(Fault::Version(version))?;
    Ok(ParsedHeader {
        header: Header::parse_body(version, body)?,
        body,
        len: cursor.position(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            numerics_version: 3,
            recipe: 1,
            mixing: 0,
            model_id: ModelId::new([1; 16]),
            checkpoint: [2; 16],
            model_name: "größe".into(),
            context: ContextPolicy {
                context: 512,
                overlap: 64,
            },
            plan: SegmentPlan::Fixed(MAX_SEGMENT_LEN),
            prime: None,
            form: Form::Full,
        }
    }

    fn with_extensions(fields: &[u8]) -> Result<Header, Fault> {
        let mut body = header().encode_body().unwrap();
        body.extend_from_slice(fields);
        let bytes = encode_header(FormatVersion::V1, &body);
        parse_header(&bytes).map(|parsed| parsed.header)
    }

    #[test]
    fn bodies_round_trip_and_every_prefix_is_short() {
        let body = header().encode_body().unwrap();
        let bytes = encode_header(FormatVersion::V1, &body);
        let parsed = parse_header(&bytes).unwrap();
        assert_eq!((parsed.header, parsed.len), (header(), bytes.len()));
        for len in 0..bytes.len() {
            assert_eq!(parse_header(&bytes[..len]).unwrap_err(), Fault::Short);
        }
    }

    #[test]
    fn even_extensions_are_skipped_and_odd_ones_refused() {
        assert_eq!(with_extensions(&[0, 0, 2, 3, 9, 9, 9]), Ok(header()));
        assert_eq!(with_extensions(&[2, 0, 7, 1, 0]), Err(Fault::Extension(7)));
        for bad in [
            &[2, 0, 2, 0][..],
            &[4, 0, 2, 0],
            &[2, 5, 0],
            &[2],
            &[0x80, 0],
        ] {
            assert!(matches!(with_extensions(bad), Err(Fault::Corrupt(_))));
        }
    }

    #[test]
    fn fields_out_of_range_are_refused_on_both_sides() {
        let mut bad = [header(), header(), header(), header(), header()];
        bad[0].model_name = "x".repeat(256);
        bad[1].model_name = "\u{1b}[2J".into();
        bad[2].context.overlap = 512;
        bad[3].context.context = 0;
        bad[4].plan = SegmentPlan::Fixed(MAX_SEGMENT_LEN + 1);
        for header in bad {
            assert!(header.encode_body().is_err());
        }
        let good = header().encode_body().unwrap();
        let name_at = 34;
        let patch = |at: usize, with: &[u8]| {
            let mut body = good.clone();
            body[at..at + with.len()].copy_from_slice(with);
            Header::parse_body(FormatVersion::V1, &body)
        };
        let name_end = name_at + 1 + "größe".len();
        assert!(patch(name_at + 1, b"g").is_ok());
        assert!(patch(name_at + 1, b"\n").is_err());
        assert!(patch(name_at + 1, &[0xff]).is_err());
        // The context, 512, becomes 0 in an overlong encoding; the plan exceeds its limit.
        assert!(patch(name_end, &[0x80, 0x00]).is_err());
        assert!(patch(name_end, &[0x81, 0x01, 0x7f]).is_ok());
        assert!(patch(good.len() - 1, &[0x21]).is_err());
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let mut bytes = encode_header(FormatVersion::V1, &header().encode_body().unwrap());
        bytes[4] = 7;
        assert!(matches!(parse_header(&bytes), Err(Fault::Corrupt(_))));
        let covered = bytes.len() - 4;
        let crc = crc32fast::hash(&bytes[..covered]);
        bytes[covered..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(parse_header(&bytes).unwrap_err(), Fault::Version(7));
    }
}
