//! What there is to say of a file as a whole, and of each of its segments.

use std::io::{Read, Seek};

use lmz_codec::trace::{SegmentTrace, Tracer};
use lmz_codec::{Header, ModelSource, Result};
use lmz_format::{FORMAT_VERSION, SegmentKind};
use lmz_model::Symbol;
use serde::Serialize;

use super::facts::{Container, PrimeFacts, form, segment_size};
use crate::figures::bits_per_byte;

/// Upper ends of the classes of costs, in bits; the last class has none. The page colours by them.
pub const CLASSES: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];

/// A file.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What the file is called.
    pub file: String,
    /// False for a file that was compressed for this.
    pub was_compressed: bool,
    /// Bytes that it restores to.
    pub raw_bytes: u64,
    /// Bytes that it has.
    pub file_bytes: u64,
    /// File bits for a raw byte; null for nothing.
    pub bits_per_byte: Option<f64>,
    /// What was concatenated.
    pub members: Vec<Member>,
    /// What the file's bytes are for.
    pub container: Container,
    /// Segments that the model coded.
    pub model: Kind,
    /// Segments that zstd keeps.
    pub zstd: Kind,
    /// Segments that are kept as they are.
    pub stored: Kind,
    /// Tokens that the model coded.
    pub tokens: u64,
    /// Bytes that no token spells, each behind an escape.
    pub escapes: u64,
    /// Symbols that the model of the last member codes, without the escape.
    pub vocabulary: u64,
    /// Tokens by what they cost.
    pub costs: Vec<Class>,
    /// All segments, in order.
    pub segments: Vec<Segment>,
    #[serde(skip)]
    header: Option<Header>,
}

/// A member's header.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Where it lies in the file.
    pub offset: u64,
    /// Where what it restores to lies in the concatenation of all members.
    pub raw_offset: u64,
    /// Bytes that it restores to.
    pub raw_bytes: u64,
    /// Bytes that it has.
    pub file_bytes: u64,
    /// BLAKE3 of what it restores to.
    pub raw_hash: Option<String>,
    /// See [`form`].
    pub form: &'static str,
    /// What people call the model.
    pub model: String,
    /// The model's identity, or its first digits.
    pub model_id: String,
    /// The text that the model was shown before each segment.
    pub prime: Option<PrimeFacts>,
    /// Version of the container.
    pub format_version: u8,
    /// Version of the numerics that the model runs in.
    pub numerics_version: u8,
    /// Number of the recipe that prepared the model.
    pub recipe: u8,
    /// Tokens of a block.
    pub context: u32,
    /// Tokens that a block repeats from the one before.
    pub overlap: u32,
    /// Bytes of each segment; null for the default schedule.
    pub segment_size: Option<u32>,
}

/// All segments of one kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Kind {
    /// How many there are.
    pub segments: u64,
    /// Bytes that they restore to.
    pub raw_bytes: u64,
    /// Bytes that they are coded in.
    pub coded_bytes: u64,
    /// What the model says that they are worth.
    pub ideal_bits: f64,
}

/// Tokens of similar costs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Class {
    /// Costs below this, in bits; null for the last class.
    pub below: Option<f64>,
    /// How many there are.
    pub tokens: u64,
    /// What they cost together.
    pub bits: f64,
}

/// A segment.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
    /// The member's number.
    pub member: u64,
    /// Its number in the member.
    pub index: u64,
    /// `model`, `zstd` or `stored`.
    pub kind: &'static str,
    /// In the concatenation of all members.
    pub raw_offset: u64,
    /// Bytes that it restores to.
    pub raw_len: u32,
    /// Bytes that it is coded in.
    pub coded_len: u32,
    /// What the model says that it is worth; null for what it did not code.
    pub ideal_bits: Option<f64>,
    /// Where its record lies in the file.
    pub offset: u64,
    /// Bytes of the record.
    pub record_len: u32,
    /// Tokens in it.
    pub tokens: u64,
    /// Bytes behind an escape in it.
    pub escapes: u64,
    /// Blocks of context that it was coded in.
    pub blocks: u64,
}

impl Summary {
    /// What is known before the file is traced.
    pub fn new<R: Read + Seek, S: ModelSource>(
        file: &str,
        was_compressed: bool,
        tracer: &mut Tracer<R, S>,
    ) -> Result<Self> {
        let bytes = tracer.container_bytes()?;
        let members = tracer.members().iter().map(|member| Member {
            offset: member.start,
            raw_offset: member.raw_start,
            raw_bytes: member.raw_len,
            file_bytes: member.len,
            raw_hash: member.raw_hash.map(|hash| hash.to_string()),
            form: form(&member.header),
            model: member.header.model_label(),
            model_id: member.header.model_id.to_string(),
            prime: PrimeFacts::of(&member.header),
            format_version: FORMAT_VERSION,
            numerics_version: member.header.numerics_version,
            recipe: member.header.recipe,
            context: member.header.context.context,
            overlap: member.header.context.overlap,
            segment_size: segment_size(&member.header),
        });
        let ends = CLASSES.iter().copied().map(Some).chain([None]);
        Ok(Self {
            file: file.to_owned(),
            was_compressed,
            raw_bytes: tracer.raw_len(),
            file_bytes: tracer.file_len(),
            bits_per_byte: bits_per_byte(tracer.raw_len(), tracer.file_len()),
            members: members.collect(),
            container: bytes.into(),
            model: Kind::default(),
            zstd: Kind::default(),
            stored: Kind::default(),
            tokens: 0,
            escapes: 0,
            vocabulary: 0,
            costs: ends
                .map(|below| Class {
                    below,
                    ..Class::default()
                })
                .collect(),
            segments: Vec::new(),
            header: tracer.members().last().map(|member| member.header.clone()),
        })
    }

    /// Takes the next segment.
    pub fn push(&mut self, trace: &SegmentTrace) {
        let info = &trace.info;
        let ideal = trace.ideal().bits();
        let is_model = info.kind == SegmentKind::Model;
        let kind = match info.kind {
            SegmentKind::Model => &mut self.model,
            SegmentKind::Zstd => &mut self.zstd,
            SegmentKind::Stored => &mut self.stored,
        };
        kind.segments += 1;
        kind.raw_bytes += u64::from(info.raw_len);
        kind.coded_bytes += u64::from(info.coded_len);
        kind.ideal_bits += ideal;
        let mut escapes = 0;
        for symbol in &trace.symbols {
            let bits = symbol.ideal().bits();
            let class = CLASSES.partition_point(|&end| end <= bits);
            self.costs[class].tokens += 1;
            self.costs[class].bits += bits;
            escapes += u64::from(matches!(symbol.symbol, Symbol::Escape(_)));
        }
        let tokens = trace.symbols.len() as u64 - escapes;
        self.tokens += tokens;
        self.escapes += escapes;
        let start = self.members.get(info.member as usize);
        self.segments.push(Segment {
            member: info.member,
            index: info.index,
            kind: info.kind.name(),
            raw_offset: start.map_or(0, |m| m.raw_offset) + info.raw_offset,
            raw_len: info.raw_len,
            coded_len: info.coded_len,
            ideal_bits: is_model.then_some(ideal),
            offset: info.record_offset,
            record_len: info.record_len,
            tokens,
            escapes,
            blocks: trace.blocks.len() as u64,
        });
    }

    /// The last member's header, if the model coded anything: for the bytes of its tokens.
    pub fn coded_by(&self) -> Option<&Header> {
        self.header.as_ref().filter(|_| self.model.segments > 0)
    }
}
