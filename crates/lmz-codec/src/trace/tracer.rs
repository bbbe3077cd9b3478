//! Over a file, batch by batch.

use std::io::{Read, Seek};

use lmz_format::{ContainerBytes, IndexedReader, Member, RawHasher, SegmentInfo, SegmentKind};

use super::mixed;
use super::score::Told;
use super::segment::SegmentTrace;
use crate::batching::{Batch, Batching};
use crate::drive::{Drive, seal};
use crate::error::{CodecError, Result};
use crate::member::{CodedSegment, Means, MemberDecoder, Ready, check_hash, segment_error};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::pool::Pool;
use crate::prime::Prime;
use crate::source::{ModelSource, check_versions};

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
    index: IndexedReader<R>,
    models: S,
    options: TraceOptions,
    pool: Pool,
    /// Of the current member.
    decoder: Option<MemberDecoder>,
    member: usize,
    segment: u64,
    hasher: RawHasher,
}

impl<R: Read + Seek, S: ModelSource> Tracer<R, S> {
    /// Reads the index.
    ///
    /// # Errors
    /// A damaged index; an input that cannot be read.
    pub fn open(input: R, models: S, options: &TraceOptions) -> Result<Self> {
        Ok(Self {
            index: IndexedReader::open(input)?,
            models,
            options: options.clone(),
            pool: Pool::new(options.threads)?,
            decoder: None,
            member: 0,
            segment: 0,
            hasher: RawHasher::new(),
        })
    }

    /// The members, for their headers and lengths.
    pub fn members(&self) -> &[Member] {
        self.index.members()
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> u64 {
        self.index.file_len()
    }

    /// Bytes that it restores to.
    pub fn raw_len(&self) -> u64 {
        self.index.raw_len()
    }

    /// The file's bytes by what they are for, all members taken together.
    ///
    /// # Errors
    /// A damaged record.
    pub fn container_bytes(&mut self) -> Result<ContainerBytes> {
        let mut sum = ContainerBytes::default();
        for member in 0..self.index.members().len() as u64 {
            sum += self.index.container_bytes(member)?;
        }
        Ok(sum)
    }

    /// The model of the member of the last batch; `None` if nothing of it has needed one.
    pub fn model(&self) -> Option<&Model> {
        self.decoder.as_ref()?.model()
    }

    /// The next segments, in order; `None` after the last. All are of one member. Raw bytes pass
    /// [`Phase::Decode`], and those that the model codes then [`Phase::Encode`].
    ///
    /// # Errors
    /// A damaged segment, a member whose hash does not match, a missing model, or
    /// [`CodecError::OtherEncoder`].
    pub fn next_batch(&mut self, observer: &dyn Observer) -> Result<Option<Vec<SegmentTrace>>> {
        if (self.member, self.segment) == (0, 0) {
            observer.begin(&[Phase::Decode, Phase::Encode], Some(self.raw_len()));
        }
        loop {
            let Some(member) = self.index.members().get(self.member).cloned() else {
                return Ok(None);
            };
            if self.segment < member.segment_count() {
                let batch = self.batch(&member, observer)?;
                // Fails before the last segments of a member are handed out.
                if self.segment == member.segment_count() {
                    check_hash(member.number, self.hasher.finish(), member.raw_hash)?;
                }
                return Ok(Some(batch));
            }
            if member.segment_count() == 0 {
                check_versions(&member.header)?;
                check_hash(member.number, self.hasher.finish(), member.raw_hash)?;
            }
            self.member += 1;
            self.segment = 0;
            self.decoder = None;
            self.hasher = RawHasher::new();
        }
    }

    fn batch(&mut self, member: &Member, observer: &dyn Observer) -> Result<Vec<SegmentTrace>> {
        check(observer)?;
        let decoder = self
            .decoder
            .get_or_insert_with(|| MemberDecoder::new(member.header.clone()));
        let batching = Batching::new(decoder.model(), self.pool.threads()).bounded();
        let mut batch = Batch::default();
        while self.segment < member.segment_count() && !batch.is_full(batching) {
            let (info, coded) = self.index.read_coded(member.number, self.segment)?;
            batch.push(info.raw_len.into(), (info, coded));
            self.segment += 1;
        }
        let means = Means {
            models: &self.models,
            prime: self.options.prime.as_ref(),
            pool: &self.pool,
            observer,
        };
        let raw = decoder.decode(&batch.items, means)?;
        let raw = raw.into_iter().collect::<Result<Vec<_>>>()?;
        for raw in &raw {
            self.hasher.update(raw);
        }
        let batch: Vec<_> = batch.items.into_iter().zip(raw).collect();
        let Some(Ready { model, shown }) = decoder.ready() else {
            let plain = batch.into_iter();
            return Ok(plain
                .map(|((info, _), raw)| SegmentTrace::untraced(info, raw))
                .collect());
        };
        let drive = Drive::new(model, member.header.context, shown, observer);
        let most = model.engine().symbols().len();
        let each = self.options.alternatives.min(most);
        self.pool.install(|| traced(&drive, each, batch))
    }
}

/// The segments, those that the model codes with all that was coded in them.
fn traced(
    drive: &Drive<'_>,
    each: usize,
    batch: Vec<(CodedSegment, Vec<u8>)>,
) -> Result<Vec<SegmentTrace>> {
    let modelled = |info: &SegmentInfo| info.kind == SegmentKind::Model;
    let segments = batch.iter().filter(|((info, _), _)| modelled(info));
    let segments: Vec<&[u8]> = segments.map(|(_, raw)| &raw[..]).collect();
    let raw_len = segments.iter().map(|raw| raw.len()).sum();
    let symbols = drive.tokenize(&segments)?;
    let told = Told {
        table: drive.model.engine().symbols(),
        each,
    };
    let mut scored = drive.score(&symbols, &told, raw_len)?.into_iter();
    let segments = batch.into_iter().map(|((info, coded), raw)| {
        match info.kind {
            SegmentKind::Model => {}
            SegmentKind::Mixed => return mixed::traced(drive, told, info, &coded, raw),
            SegmentKind::Zstd | SegmentKind::Stored => {
                return Ok(SegmentTrace::untraced(info, raw));
            }
        }
        let blocks = scored
            .next()
            .ok_or_else(|| segment_error(&info, "was not traced"))?;
        let mut segment = SegmentTrace::begin(drive, each, info);
        segment.raw = raw;
        for (block, told) in blocks {
            segment.add(block, told);
        }
        let again = seal(segment.symbols.iter().map(|s| (s.interval, s.symbol)))?;
        if again != coded {
            let place = info.place();
            return Err(CodecError::OtherEncoder { place });
        }
        Ok(segment)
    });
    segments.collect()
}
