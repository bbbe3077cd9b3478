//! The ledger as JSON.

use serde::Serialize;

use super::account::{Ledger, Restored};
use super::bits::Bits;
use super::bounds::Verdict;

/// A ledger as `lmz verify --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerReport {
    /// The size of the compressed file in bytes.
    pub file_bytes: u64,
    /// Bytes that they restore to.
    pub raw_bytes: u64,
    /// Unicode code points; null if the raw bytes are not UTF-8.
    pub characters: Option<u64>,
    /// 8 x file bytes / raw bytes; null for an empty file.
    pub bits_per_byte: Option<f64>,
    /// 8 x file bytes / characters.
    pub bits_per_character: Option<f64>,
    /// `compared` with the original or checked by `checksums`; what does not restore is an error.
    pub restored: &'static str,
    /// Members of the file.
    pub members: u64,
    /// Segments by the model, by zstd, stored, and mixed groups.
    pub segments: SegmentCounts,
    /// The models that the file names.
    pub models: Vec<ModelName>,
    /// The number of tokens that the model coded.
    pub tokens: u64,
    /// Bytes coded behind an escape.
    pub escapes: u64,
    /// The lines: their units add up to `8 * file_bytes * 2^24`.
    pub lines: Vec<LineReport>,
    /// Every promise, and whether it is kept.
    pub bounds: Vec<BoundReport>,
    /// Whether none of them is broken.
    pub ok: bool,
}

/// Segments by kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SegmentCounts {
    /// Coded by the model.
    pub model: u64,
    /// Kept by zstd.
    pub zstd: u64,
    /// Segments that are stored as they are.
    pub stored: u64,
    /// Mixed groups.
    pub mixed: u64,
}

/// A model that a file names.
#[derive(Clone, Debug, Serialize)]
pub struct ModelName {
    /// The name that the header gives, for people to read.
    pub name: String,
    /// The identity of the prepared model, in hexadecimal.
    pub id: String,
}

/// A line of the ledger.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LineReport {
    /// What it stands for.
    pub step: &'static str,
    /// The bits that it adds.
    pub bits: f64,
    /// The same in units of 2^-24 bit, exactly.
    pub units: i64,
    /// Sum of the lines so far, in bits.
    pub total_bits: f64,
    /// What it adds to the sum of the lines before it, in percent; null for the first.
    pub percent: Option<f64>,
    /// The sum so far, per raw byte.
    pub bits_per_byte: Option<f64>,
    /// The sum so far, per character.
    pub bits_per_character: Option<f64>,
}

/// A promise of the ledger, and how it stands.
#[derive(Clone, Debug, Serialize)]
pub struct BoundReport {
    /// A stable name for programs.
    pub bound: &'static str,
    /// The promise in words, with its limit.
    pub promise: String,
    /// The measured value in words.
    pub found: String,
    /// Null if there is nothing to judge it by.
    pub kept: Option<bool>,
}

impl Ledger {
    /// The ledger as `lmz verify --json` prints it.
    pub fn report(&self) -> LedgerReport {
        let per = |bits: Bits, count: u64| (count > 0).then(|| bits.bits() / count as f64);
        let per_character = |bits| self.characters.and_then(|count| per(bits, count));
        let file = Bits::of_bytes(self.file_bytes);
        let lines = self.lines().into_iter().map(|line| {
            let before = line.total - line.bits;
            LineReport {
                step: line.step.key(),
                bits: line.bits.bits(),
                units: line.bits.0,
                total_bits: line.total.bits(),
                percent: (before.0 != 0).then(|| line.bits.bits() * 100.0 / before.bits()),
                bits_per_byte: per(line.total, self.raw_bytes),
                bits_per_character: per_character(line.total),
            }
        });
        let bounds = self.bounds().into_iter().map(|bound| BoundReport {
            bound: bound.key,
            promise: bound.promise,
            found: bound.found,
            kept: match bound.verdict {
                Verdict::Kept => Some(true),
                Verdict::Broken => Some(false),
                Verdict::Open => None,
            },
        });
        let [model, zstd, stored, mixed] = self.segments;
        LedgerReport {
            file_bytes: self.file_bytes,
            raw_bytes: self.raw_bytes,
            characters: self.characters,
            bits_per_byte: per(file, self.raw_bytes),
            bits_per_character: per_character(file),
            restored: match self.restored {
                Restored::Compared => "compared",
                Restored::Checksums => "checksums",
            },
            members: self.members,
            segments: SegmentCounts {
                model,
                zstd,
                stored,
                mixed,
            },
            models: self
                .models
                .iter()
                .map(|(id, name)| ModelName {
                    name: name.clone(),
                    id: id.to_string(),
                })
                .collect(),
            tokens: self.tokens,
            escapes: self.escapes,
            lines: lines.collect(),
            bounds: bounds.collect(),
            ok: self.broken().is_empty(),
        }
    }
}
