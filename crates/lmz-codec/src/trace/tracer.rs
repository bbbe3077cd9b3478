//! Over a file, batch by batch.

use std::io::{Read, Seek};

use lmz_format::{ContainerBytes, IndexedReader, Member, SegmentKind};

use super::mixed;
use super::score::Told;
use super::segment::SegmentTrace;
use super::symbol::TracedSymbol;
use crate::batches::{Batches, Indexed, Restored};
use crate::batching::Batching;
use crate::drive::{Drive, seal};
use crate::error::{CodecError, Result};
use crate::member::segment_error;
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::prime::Prime;
use crate::source::ModelSource;

/// How to trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceOptions {
    /// Threads; 0 for as many as there are processors.
    pub threads: usize,
    /// How many alternatives are wanted for each symbol; at most as many as there are symbols.
    pub alternatives: usize,
    /// The text that the file was primed with, if it was.
    pub prime: Option<Prime>,
}

/// Walks over the segments of a file and tells what was coded.
///
/// ```
/// use lmz_codec::{CompressOptions, Model, compress, trace::{TraceOptions, Tracer}};
///
/// let model = Model::open("../../tests/models/stories260K.lmzm".as_ref())?;
/// let text = b"Once upon a time there was a little dog. He wanted to play in the park.";
/// let mut file = Vec::new();
/// compress(&text[..], &mut file, &model, &CompressOptions::default(), &())?;
///
/// let options = TraceOptions { alternatives: 3, ..Default::default() };
/// let mut tracer = Tracer::open(std::io::Cursor::new(file), &model, &options)?;
/// while let Some(batch) = tracer.next_batch(&())? {
///     for segment in batch {
///         println!("{} symbols, {:.1} bits", segment.symbols.len(), segment.ideal().bits());
///     }
/// }
/// # Ok::<(), lmz_codec::CodecError>(())
/// ```
///
/// It owns its models, which may be shared ones: a reference, an [`Arc`](std::sync::Arc).
pub struct Tracer<R, S> {
    batches: Batches<Indexed<R>, S>,
    /// Alternatives that are wanted for each symbol.
    alternatives: usize,
}

impl<R: Read + Seek, S: ModelSource> Tracer<R, S> {
    /// Reads the index.
    ///
    /// # Errors
    /// A damaged index; an input that cannot be read.
    pub fn open(input: R, models: S, options: &TraceOptions) -> Result<Self> {
        let events = Indexed::new(IndexedReader::open(input)?);
        Ok(Self {
            batches: Batches::new(events, models, options.prime.clone(), options.threads)?,
            alternatives: options.alternatives,
        })
    }

    /// The members, for their headers and lengths.
    pub fn members(&self) -> &[Member] {
        self.batches.events.index.members()
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> u64 {
        self.batches.events.index.file_len()
    }

    /// Bytes that it restores to.
    pub fn raw_len(&self) -> u64 {
        self.batches.events.index.raw_len()
    }

    /// The file's bytes by what they are for, all members taken together.
    ///
    /// # Errors
    /// A damaged record.
    pub fn container_bytes(&mut self) -> Result<ContainerBytes> {
        let mut sum = ContainerBytes::default();
        for member in 0..self.batches.events.index.members().len() as u64 {
            sum += self.batches.events.index.container_bytes(member)?;
        }
        Ok(sum)
    }

    /// The model of the member of the last batch; `None` if nothing of it has needed one.
    pub fn model(&self) -> Option<&Model> {
        self.batches.member.as_ref()?.model()
    }

    /// The next segments, in order; `None` after the last. All are of one member. Raw bytes pass
    /// [`Phase::Decode`], and those that the model codes then [`Phase::Encode`].
    ///
    /// # Errors
    /// A damaged segment, a member whose hash does not match, a missing model, or
    /// [`CodecError::OtherEncoder`].
    pub fn next_batch(&mut self, observer: &dyn Observer) -> Result<Option<Vec<SegmentTrace>>> {
        if self.batches.report.members == 0 {
            observer.begin(&[Phase::Decode, Phase::Encode], Some(self.raw_len()));
        }
        if !self.batches.next(observer, Batching::bounded)? {
            return Ok(None);
        }
        let batch = std::mem::take(&mut self.batches.ready);
        let member = self.batches.member.as_ref();
        let Some(drive) = member.and_then(|member| member.drive(observer)) else {
            let plain = batch.into_iter();
            let plain = plain.map(|plain| SegmentTrace::untraced(plain.info, plain.raw));
            return Ok(Some(plain.collect()));
        };
        let table = drive.model.engine().symbols();
        let each = self.alternatives.min(table.len());
        let told = Told { table, each };
        let pool = &self.batches.pool;
        pool.install(|| traced(&drive, told, batch)).map(Some)
    }
}

/// The segments, those that the model codes with all that was coded in them.
fn traced(drive: &Drive<'_>, told: Told<'_>, batch: Vec<Restored>) -> Result<Vec<SegmentTrace>> {
    let own = batch.iter();
    let own = own.filter(|segment| segment.info.kind == SegmentKind::Model);
    let own: Vec<&[u8]> = own.map(|segment| &segment.raw[..]).collect();
    let mut scored = drive.score(&drive.tokenize(&own)?, &told)?.into_iter();
    let traced = batch
        .into_iter()
        .map(|Restored { info, coded, raw }| match info.kind {
            SegmentKind::Zstd | SegmentKind::Stored => Ok(SegmentTrace::untraced(info, raw)),
            SegmentKind::Mixed => mixed::traced(drive, told, info, &coded, raw),
            SegmentKind::Model => {
                let missing = || segment_error(&info, "was not traced");
                let blocks = scored.next().ok_or_else(missing)?;
                let segment = SegmentTrace::new(drive, told.each, info, raw, blocks);
                let intervals = segment.symbols.iter().flat_map(TracedSymbol::intervals);
                let (same, place) = (seal(intervals)? == coded, info.place());
                same.then_some(segment)
                    .ok_or(CodecError::OtherEncoder { place })
            }
        });
    traced.collect()
}
