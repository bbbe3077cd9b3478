//! What there is to say of a file as a whole, and of each of its segments.

use std::io::{Read, Seek};

use lmz_codec::trace::{MixedTrace, SegmentTrace, Tracer};
use lmz_codec::{Header, ModelSource, Result};
use lmz_format::SegmentKind;
use lmz_model::Symbol;
use serde::Serialize;

use super::facts::{Container, PrimeFacts, form, mixing_version, segment_size};
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
    /// Groups: by the model and what is learnt of them.
    pub mixed: Kind,
    /// Tokens that the model coded.
    pub tokens: u64,
    /// Bytes that no token spells, each behind an escape.
    pub escapes: u64,
    /// Symbols that the model of the last member codes, without the escape.
    pub vocabulary: u64,
    /// Raw bytes that tokens and escapes stand for.
    pub token_bytes: u64,
    /// What they cost in the file; the model's ideal, unless what was seen of a group helped it.
    pub token_bits: f64,
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
    /// Version of mixing; null for a file without it.
    pub mixing_version: Option<u8>,
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

/// A part of a mixed group.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Part {
    /// `text` (by model and contexts), `bytes` (by contexts alone), `stored` or `copy` (of earlier bytes).
    pub kind: &'static str,
    /// Raw bytes.
    pub raw_len: usize,
    /// What they cost, as far as that is known of each byte alone: the mean of what contexts coded; null for text.
    pub bits: Option<f64>,
}

/// A segment.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
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
    /// The sum of what was coded in it; null for what was not coded by a model or by contexts.
    pub ideal_bits: Option<f64>,
    /// What the model alone says that its tokens are worth.
    pub model_bits: Option<f64>,
    /// Blocks in lock step; of mixed groups.
    pub lanes: Option<usize>,
    /// What a mixed group is made of; of other segments nothing.
    pub parts: Vec<Part>,
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
            format_version: member.header.version().number(),
            mixing_version: mixing_version(&member.header),
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
            mixed: Kind::default(),
            tokens: 0,
            escapes: 0,
            vocabulary: 0,
            token_bytes: 0,
            token_bits: 0.0,
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
        let model = trace.ideal().bits();
        let ideal = trace
            .mixed
            .as_ref()
            .map_or(model, |group| group.ideal().bits());
        let coded = info.kind.has_ideal();
        let kind = match info.kind {
            SegmentKind::Model => &mut self.model,
            SegmentKind::Zstd => &mut self.zstd,
            SegmentKind::Stored => &mut self.stored,
            SegmentKind::Mixed => &mut self.mixed,
        };
        kind.segments += 1;
        kind.raw_bytes += u64::from(info.raw_len);
        kind.coded_bytes += u64::from(info.coded_len);
        kind.ideal_bits += ideal;
        let mut escapes = 0;
        for symbol in &trace.symbols {
            let bits = symbol.cost().bits();
            self.token_bits += bits;
            self.token_bytes += u64::from(symbol.raw_len);
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
            ideal_bits: coded.then_some(ideal),
            model_bits: coded.then_some(model),
            lanes: trace.mixed.as_ref().map(|group| group.lanes),
            parts: trace.mixed.as_ref().map_or(Vec::new(), parts),
            offset: info.record_offset,
            record_len: info.record_len,
            tokens,
            escapes,
            blocks: trace.blocks.len() as u64,
        });
    }

    /// The last member's header, if the model coded anything: for the bytes of its tokens.
    pub fn coded_by(&self) -> Option<&Header> {
        let modelled = self.model.segments + self.mixed.segments;
        self.header.as_ref().filter(|_| modelled > 0)
    }
}

/// The parts of a mixed group. What contexts code of it is not told apart: each byte of it gets its share.
fn parts(group: &MixedTrace) -> Vec<Part> {
    let learnt = group.parts.iter().filter(|part| part.kind == "bytes");
    let learnt = learnt.map(|part| part.len).sum::<usize>().max(1);
    let parts = group.parts.iter().map(|part| Part {
        kind: part.kind,
        raw_len: part.len,
        bits: match part.kind {
            "text" => None,
            "bytes" => Some(group.contexts.bits() * part.len as f64 / learnt as f64),
            "stored" => Some(8.0 * part.len as f64),
            _ => Some(0.0),
        },
    });
    parts.collect()
}
