//! Over a file, batch by batch.

use std::io::{Read, Seek};

use lmz_format::{
    ContainerBytes, ContextPolicy, IndexedReader, Member, RawHasher, SegmentInfo, SegmentKind,
};
use lmz_model::Symbol;
use rayon::prelude::*;

use super::score::{Scored, Scorer};
use super::{SegmentTrace, Spent, TracedBlock};
use crate::blocks::{Block, blocks};
use crate::decode::segment_error;
use crate::decompress::{Ready, decode_batch, decode_plain};
use crate::encode::seal;
use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::options::pool;
use crate::prime::Prime;
use crate::shown::Shown;
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

/// Segments that are traced together, for each thread.
const SEGMENTS_PER_THREAD: usize = 8;
/// Raw bytes at which a batch is full: bounds memory (about 60 bytes for each symbol).
const BATCH_BYTES: u64 = 4 << 20;

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
pub struct Tracer<'a, R> {
    index: IndexedReader<R>,
    models: &'a dyn ModelSource,
    options: TraceOptions,
    pool: rayon::ThreadPool,
    /// The model of the current member, found at the first need.
    ready: Option<Ready>,
    member: usize,
    segment: u64,
    hasher: RawHasher,
}

impl<'a, R: Read + Seek> Tracer<'a, R> {
    /// Reads the index.
    ///
    /// # Errors
    /// A damaged index; an input that cannot be read.
    pub fn open(input: R, models: &'a dyn ModelSource, options: &TraceOptions) -> Result<Self> {
        Ok(Self {
            index: IndexedReader::open(input)?,
            models,
            options: options.clone(),
            pool: pool(options.threads)?,
            ready: None,
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
        self.ready.as_ref().map(|ready| &ready.model)
    }

    /// The next segments, in order; `None` after the last. All are of one member. Raw bytes pass
    /// [`Phase::Decode`], and those that the model codes then [`Phase::Encode`].
    ///
    /// # Errors
    /// A damaged segment, a member whose hash does not match, a missing model, or
    /// [`CodecError::OtherEncoder`].
    pub fn next_batch(&mut self, observer: &dyn Observer) -> Result<Option<Vec<SegmentTrace>>> {
        loop {
            let Some(member) = self.index.members().get(self.member).cloned() else {
                return Ok(None);
            };
            if self.segment < member.segment_count() {
                let batch = self.batch(&member, observer)?;
                // Fails before the last segments of a member are handed out.
                if self.segment == member.segment_count() {
                    self.check_hash(&member)?;
                }
                return Ok(Some(batch));
            }
            if member.segment_count() == 0 {
                check_versions(&member.header)?;
                self.check_hash(&member)?;
            }
            self.member += 1;
            self.segment = 0;
            self.ready = None;
            self.hasher = RawHasher::new();
        }
    }

    fn check_hash(&self, member: &Member) -> Result<()> {
        let found = self.hasher.finish();
        match member.raw_hash {
            Some(expected) if !expected.agrees_with(found) => Err(CodecError::Hash {
                member: member.number,
                found: found.to_string(),
                expected: expected.to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn batch(&mut self, member: &Member, observer: &dyn Observer) -> Result<Vec<SegmentTrace>> {
        check(observer)?;
        let most = SEGMENTS_PER_THREAD * self.pool.current_num_threads();
        let mut coded = Vec::new();
        let mut bytes = 0;
        while self.segment < member.segment_count() && coded.len() < most && bytes < BATCH_BYTES {
            let segment = self.index.read_coded(member.number, self.segment)?;
            bytes += u64::from(segment.0.raw_len);
            coded.push(segment);
            self.segment += 1;
        }
        let policy = member.header.context;
        let modelled = |info: &SegmentInfo| info.kind == SegmentKind::Model;
        if self.ready.is_none() && coded.iter().any(|(info, _)| modelled(info)) {
            let prime = self.options.prime.as_ref();
            self.ready = Some(Ready::find(&member.header, self.models, prime)?);
        }
        let Some(ready) = &self.ready else {
            check_versions(&member.header)?;
            let plain = coded.iter().map(|(info, coded)| {
                let raw = decode_plain(info, coded, observer)?;
                self.hasher.update(&raw);
                Ok(untraced(*info, raw))
            });
            return plain.collect();
        };
        let raw = self
            .pool
            .install(|| decode_batch(ready, &member.header, &coded, observer))?;
        let Ready { model, shown } = ready;
        let raw = raw.into_iter().collect::<Result<Vec<_>>>()?;
        for raw in &raw {
            self.hasher.update(raw);
        }
        let traced: Vec<&[u8]> = (coded.iter().zip(&raw))
            .filter(|((info, _), _)| modelled(info))
            .map(|(_, raw)| &raw[..])
            .collect();
        let each = self
            .options
            .alternatives
            .min(model.engine().symbols().len());
        let mut scored = self
            .pool
            .install(|| score(ready, policy, &traced, each, observer))?
            .into_iter();
        let segments = coded.into_iter().zip(raw).map(|((info, coded), raw)| {
            let mut segment = untraced(info, raw);
            if !modelled(&info) {
                return Ok(segment);
            }
            let (blocks, scored) = scored
                .next()
                .ok_or_else(|| segment_error(&info, "was not traced"))?;
            segment.symbols = scored.symbols;
            segment.alternatives = scored.alternatives;
            segment.alternatives_each = each;
            segment.blocks = blocks;
            segment.start_token = model.engine().start_token();
            segment.shown = shown.clone();
            let again = seal(segment.symbols.iter().map(|s| (s.interval, s.symbol)))?;
            if again != coded {
                let place = info.place();
                return Err(CodecError::OtherEncoder { place });
            }
            for symbol in &segment.symbols {
                segment.spent.take(symbol.interval);
                if let Symbol::Escape(byte) = symbol.symbol {
                    segment.spent.take(lmz_coder::Interval::of_byte(byte));
                }
            }
            Ok(segment)
        });
        segments.collect()
    }
}

/// A segment of which there is nothing to say but its bytes.
fn untraced(info: SegmentInfo, raw: Vec<u8>) -> SegmentTrace {
    SegmentTrace {
        info,
        raw,
        symbols: Vec::new(),
        blocks: Vec::new(),
        alternatives: Vec::new(),
        alternatives_each: 0,
        spent: Spent::default(),
        start_token: 0,
        shown: Shown::default(),
    }
}

/// The blocks and the symbols of each segment, with the current rayon pool.
fn score(
    ready: &Ready,
    policy: ContextPolicy,
    segments: &[&[u8]],
    each: usize,
    observer: &dyn Observer,
) -> Result<Vec<(Vec<TracedBlock>, Scored)>> {
    let Ready { model, shown } = ready;
    let known = shown.len();
    let tokenizer = model.tokenizer()?;
    let symbols: Vec<Vec<Symbol>> = segments
        .par_iter()
        .map(|raw| [shown, &tokenizer.encode(raw)[..]].concat())
        .collect();
    let tasks: Vec<(usize, Block)> = symbols
        .iter()
        .enumerate()
        .flat_map(|(n, symbols)| blocks(policy, known, symbols.len()).map(move |block| (n, block)))
        .collect();
    let scored: Vec<Scored> = tasks
        .par_iter()
        .map_init(
            || Scorer::new(model, policy, each),
            |scorer, &(segment, block)| {
                check(observer)?;
                let scored = scorer.score(&symbols[segment], block)?;
                let bytes: u64 = scored.symbols.iter().map(|s| u64::from(s.raw_len)).sum();
                observer.advance(Phase::Encode, bytes);
                Ok(scored)
            },
        )
        .collect::<Result<_>>()?;
    let mut by_segment: Vec<(Vec<TracedBlock>, Scored)> =
        segments.iter().map(|_| Default::default()).collect();
    for ((segment, block), scored) in tasks.into_iter().zip(scored) {
        let (blocks, all) = &mut by_segment[segment];
        blocks.push(TracedBlock {
            first: block.first - known,
            len: block.end - block.first,
            overlap: block.overlap,
        });
        all.symbols.extend(scored.symbols);
        all.alternatives.extend(scored.alternatives);
    }
    Ok(by_segment)
}
