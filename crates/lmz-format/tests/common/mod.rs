//! Members with a toy codec, and both ways of reading them back.
#![allow(dead_code)]

use std::io::{self, Cursor, Read};

use lmz_format::*;

/// A header as the default model would give it.
pub fn header(plan: SegmentPlan) -> Header {
    Header {
        numerics_version: 0,
        recipe: 1,
        mixing: 0,
        model_id: ModelId::new(*b"prepared-model-1"),
        checkpoint: *b"checkpoint-hash1",
        model_name: "bootstrap".into(),
        context: ContextPolicy::new(512, 64).unwrap(),
        plan,
        prime: None,
        form: Form::Full,
    }
}

/// The same with mixing: a member of version 2.
pub fn mixed_header(plan: SegmentPlan) -> Header {
    Header {
        mixing: 1,
        ..header(plan)
    }
}

/// A codec that changes no length, so that every flip in coded bytes shows in the raw ones.
pub fn toy_code(kind: SegmentKind, bytes: &[u8]) -> Vec<u8> {
    let key = match kind {
        SegmentKind::Model => 0x5a,
        SegmentKind::Zstd => 0xa5,
        SegmentKind::Stored => 0,
        SegmentKind::Mixed => 0x33,
    };
    bytes.iter().map(|b| b ^ key).collect()
}

/// One member with segments of the given kinds (repeated as needed); what the model codes is mixed in version 2.
pub fn member(header: &Header, raw: &[u8], kinds: &[SegmentKind]) -> (Vec<u8>, Summary) {
    let mut writer = Writer::new(Vec::new(), header).unwrap();
    let mut rest = raw;
    let mut kinds = kinds.iter().cycle();
    while !rest.is_empty() {
        let len = (writer.next_segment_len() as usize).min(rest.len());
        let (segment, tail) = rest.split_at(len);
        let kind = match (*kinds.next().unwrap(), header.version()) {
            (SegmentKind::Model, FormatVersion::V2) => SegmentKind::Mixed,
            (kind, _) => kind,
        };
        let coded = toy_code(kind, segment);
        let payload = toy_payload(kind, &coded);
        let info = writer.segment(segment, payload).unwrap();
        info.check_raw(segment).unwrap();
        rest = tail;
    }
    let (file, summary) = writer.finish().unwrap();
    assert_eq!(summary.compressed_len, file.len() as u64);
    assert_eq!(summary.bytes.total(), file.len() as u64);
    (file, summary)
}

/// The payload of coded bytes, with an ideal length that fits them.
pub fn toy_payload(kind: SegmentKind, coded: &[u8]) -> Payload<'_> {
    let ideal_bits = coded.len() as u64 * 8 * 256;
    match kind {
        SegmentKind::Model => Payload::Model { coded, ideal_bits },
        SegmentKind::Mixed => Payload::Mixed { coded, ideal_bits },
        SegmentKind::Zstd => Payload::Zstd(coded),
        SegmentKind::Stored => Payload::Stored,
    }
}

/// A member of a few segments of every kind, small enough for exhaustive damage.
pub fn small() -> (Vec<u8>, Vec<u8>) {
    let raw: Vec<u8> = (0..70u8).map(|i| i.wrapping_mul(37)).collect();
    let kinds = [SegmentKind::Model, SegmentKind::Zstd, SegmentKind::Stored];
    let (file, _) = member(&header(SegmentPlan::Fixed(16)), &raw, &kinds);
    (file, raw)
}

/// Why a file was not restored.
#[derive(Debug)]
pub enum Failure {
    Format(FormatError),
    /// The whole-file hash does not match.
    Hash,
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl Failure {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Format(error) => error.kind(),
            Self::Hash => ErrorKind::Corruption,
        }
    }
}

/// Restores what a pipe gives.
pub fn decode_stream(input: impl Read) -> Result<Vec<u8>, Failure> {
    let mut reader = StreamReader::new(input);
    let mut raw = Vec::new();
    let mut hasher = RawHasher::new();
    let result = loop {
        match reader.next_event() {
            Ok(Event::MemberStart(_)) => hasher = RawHasher::new(),
            Ok(Event::Segment(info, coded)) => {
                let segment = toy_code(info.kind, &coded);
                info.check_raw(&segment)?;
                hasher.update(&segment);
                raw.extend(segment);
            }
            Ok(Event::MemberEnd { raw_hash, .. }) => {
                if raw_hash.is_some_and(|hash| hasher.finish() != hash) {
                    return Err(Failure::Hash);
                }
            }
            Ok(Event::End) => break Ok(raw),
            Err(error) => break Err(Failure::Format(error)),
        }
    };
    // The end and an error are both final.
    match &result {
        Ok(_) => assert_eq!(reader.next_event().unwrap(), Event::End),
        Err(_) => assert_eq!(
            reader.next_event().unwrap_err().kind(),
            ErrorKind::InvalidArgument
        ),
    }
    result
}

/// Restores a file by its index; also says whether any member was flagged as damaged.
pub fn decode_indexed(file: &[u8]) -> Result<(Vec<u8>, bool), Failure> {
    let mut reader = IndexedReader::open(Cursor::new(file))?;
    let mut raw = Vec::new();
    let mut damaged = false;
    for member in reader.members().to_vec() {
        damaged |= member.header_damaged || member.end_byte_damaged;
        let start = raw.len();
        for segment in 0..member.segment_count() {
            let (info, coded) = reader.read_coded(member.number, segment)?;
            let segment = toy_code(info.kind, &coded);
            info.check_raw(&segment)?;
            raw.extend(segment);
        }
        let found = RawHash::of(&raw[start..]);
        if member.raw_hash.is_some_and(|hash| hash != found) {
            return Err(Failure::Hash);
        }
    }
    Ok((raw, damaged))
}

/// A pipe: gives a few bytes at a time and is interrupted now and then.
pub struct Trickle<'a>(pub &'a [u8], pub usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = (1 + self.1 % 7).min(out.len());
        self.0.read(&mut out[..len])
    }
}

/// A varint, written here again and not taken from the crate.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value % 128) as u8;
        value /= 128;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low + 128);
    }
}
