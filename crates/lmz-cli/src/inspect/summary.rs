//! What there is to say of a file as a whole, and of each of its segments.

use std::io::{Read, Seek};

use anyhow::Result;
use lmz::format::{FORMAT_VERSION, SegmentKind};
use lmz::{Header, Model, SegmentPlan};
use lmz_codec::trace::{SegmentTrace, Tracer};
use lmz_model::Symbol;
use serde::Serialize;

use crate::list::{PrimeFacts, form};
use crate::models::Models;

/// Upper ends of the classes of costs, in bits; the last class has none. The page colours by them.
pub const CLASSES: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];

/// A file.
#[derive(Serialize)]
pub struct Summary {
    pub file: String,
    /// False for a file that was compressed for this.
    pub was_compressed: bool,
    pub raw_bytes: u64,
    pub file_bytes: u64,
    pub bits_per_byte: Option<f64>,
    pub members: Vec<Member>,
    pub container: Container,
    pub model: Kind,
    pub zstd: Kind,
    pub stored: Kind,
    pub tokens: u64,
    pub escapes: u64,
    /// Symbols that the model of the last member codes, without the escape.
    pub vocabulary: u64,
    /// Tokens by what they cost.
    pub costs: Vec<Class>,
    pub segments: Vec<Segment>,
    #[serde(skip)]
    header: Option<Header>,
}

/// A member's header.
#[derive(Serialize)]
pub struct Member {
    pub offset: u64,
    pub raw_offset: u64,
    pub raw_bytes: u64,
    pub file_bytes: u64,
    pub raw_hash: Option<String>,
    pub form: &'static str,
    pub model: String,
    pub model_id: String,
    pub prime: Option<PrimeFacts>,
    pub format_version: u8,
    pub numerics_version: u8,
    pub recipe: u8,
    pub context: u32,
    pub overlap: u32,
    /// Bytes of each segment; null for the default schedule.
    pub segment_size: Option<u32>,
}

/// The container's bytes by part.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Container {
    pub header: u64,
    pub records: u64,
    pub coded: u64,
    pub index: u64,
    pub footer: u64,
}

/// All segments of one kind.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Kind {
    pub segments: u64,
    pub raw_bytes: u64,
    pub coded_bytes: u64,
    pub ideal_bits: f64,
}

/// Tokens of similar costs.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Class {
    /// Costs below this, in bits; null for the last class.
    pub below: Option<f64>,
    pub tokens: u64,
    pub bits: f64,
}

/// A segment.
#[derive(Serialize)]
pub struct Segment {
    pub member: u64,
    pub index: u64,
    pub kind: &'static str,
    /// In the concatenation of all members.
    pub raw_offset: u64,
    pub raw_len: u32,
    pub coded_len: u32,
    pub ideal_bits: Option<f64>,
    /// Where its record lies in the file.
    pub offset: u64,
    pub record_len: u32,
    pub tokens: u64,
    pub escapes: u64,
    pub blocks: u64,
}

impl Summary {
    /// What is known before the file is traced.
    pub fn new<R: Read + Seek>(
        file: &str,
        was_compressed: bool,
        tracer: &mut Tracer<'_, R>,
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
            segment_size: match member.header.plan {
                SegmentPlan::Default => None,
                SegmentPlan::Fixed(bytes) => Some(bytes),
            },
        });
        let ends = CLASSES.iter().copied().map(Some).chain([None]);
        Ok(Self {
            file: file.to_owned(),
            was_compressed,
            raw_bytes: tracer.raw_len(),
            file_bytes: tracer.file_len(),
            bits_per_byte: crate::report::bits_per_byte(tracer.raw_len(), tracer.file_len()),
            members: members.collect(),
            container: Container {
                header: bytes.header,
                records: bytes.records,
                coded: bytes.coded,
                index: bytes.index,
                footer: bytes.footer,
            },
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

    /// The last member's model, for the bytes of its tokens; none if no segment needed it.
    pub fn model(&self, models: &Models) -> Result<Option<Model>> {
        let Some(header) = self.header.as_ref().filter(|_| self.model.segments > 0) else {
            return Ok(None);
        };
        if !self.was_compressed {
            return models.for_compressing().map(Some);
        }
        Ok(Some(models.for_decompressing()?.find(header)?))
    }
}
