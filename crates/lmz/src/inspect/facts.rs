//! What a header says, and what a container's bytes are for.

use lmz_format::{ContainerBytes, Form, Header, SegmentPlan};
use serde::Serialize;

use crate::figures::hex;

/// What a header says.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// `full` or `small`: a small member names its model by the beginning of its id alone.
    pub form: &'static str,
    /// The model that restores it.
    pub model: ModelFacts,
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

/// A model as a header names it.
#[derive(Clone, Debug, Serialize)]
pub struct ModelFacts {
    /// What people call it; unknown to a small member.
    pub name: Option<String>,
    /// Its identity, or the identity's first digits.
    pub id: String,
    /// Hash of the checkpoint that it was prepared from; unknown to a small member.
    pub checkpoint: Option<String>,
}

/// The text that the model was shown before each segment.
#[derive(Clone, Debug, Serialize)]
pub struct PrimeFacts {
    /// Its BLAKE3 hash, or the hash's beginning.
    pub hash: String,
    /// Bytes of the text.
    pub bytes: u64,
    /// How many of its last tokens were shown.
    pub tokens: u32,
}

/// The container's bytes by part.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Container {
    /// Bytes of headers.
    pub header: u64,
    /// Bytes of the heads of segment records.
    pub records: u64,
    /// Bytes of what the records hold.
    pub coded: u64,
    /// Bytes of indexes.
    pub index: u64,
    /// Bytes of footers and end bytes.
    pub footer: u64,
}

impl Facts {
    /// Those of a header.
    pub fn of(header: &Header) -> Self {
        let known = !header.is_small();
        Self {
            form: form(header),
            model: ModelFacts {
                name: (known || !header.model_name.is_empty()).then(|| header.model_name.clone()),
                id: header.model_id.to_string(),
                checkpoint: known.then(|| hex(&header.checkpoint)),
            },
            prime: PrimeFacts::of(header),
            format_version: header.version().number(),
            mixing_version: mixing_version(header),
            numerics_version: header.numerics_version,
            recipe: header.recipe,
            context: header.context.context,
            overlap: header.context.overlap,
            segment_size: segment_size(header),
        }
    }
}

impl PrimeFacts {
    /// Those of a header that names a prime.
    pub fn of(header: &Header) -> Option<Self> {
        header.prime.map(|prime| Self {
            hash: prime.hash_text(),
            bytes: prime.len,
            tokens: prime.tokens,
        })
    }
}

impl Container {
    pub(super) fn add(&mut self, other: &Self) {
        self.header += other.header;
        self.records += other.records;
        self.coded += other.coded;
        self.index += other.index;
        self.footer += other.footer;
    }
}

impl From<ContainerBytes> for Container {
    fn from(bytes: ContainerBytes) -> Self {
        Self {
            header: bytes.header,
            records: bytes.records,
            coded: bytes.coded,
            index: bytes.index,
            footer: bytes.footer,
        }
    }
}

/// How much a header says: `full`, or `small` with a part of the model's id and no name.
pub fn form(header: &Header) -> &'static str {
    match header.form {
        Form::Full => "full",
        Form::Small => "small",
    }
}

/// Version of mixing; none for a file without it.
pub(super) fn mixing_version(header: &Header) -> Option<u8> {
    (header.mixing > 0).then_some(header.mixing)
}

/// Bytes of each segment; none for the default schedule.
pub(super) fn segment_size(header: &Header) -> Option<u32> {
    match header.plan {
        SegmentPlan::Default => None,
        SegmentPlan::Fixed(bytes) => Some(bytes),
    }
}
