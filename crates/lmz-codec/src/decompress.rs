//! Decompression of a whole file, from a pipe or from a file whose header may be damaged.

use std::io::{Read, Seek, Write};

use lmz_format::{
    Event, FormatError, Header, IndexedReader, RawHash, RawHasher, SegmentInfo, SegmentKind,
    StreamReader,
};

use crate::decode::{Job, decode, segment_error};
use crate::error::{CodecError, Result};
use crate::fallback::unzstd;
use crate::model::{Model, SEGMENTS_PER_THREAD};
use crate::observer::{Observer, Phase, check};
use crate::options::{DecompressOptions, pool};
use crate::prime::{Prime, shown};
use crate::shown::Shown;
use crate::source::{ModelSource, check_versions};

/// What decompression did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecompressReport {
    /// Bytes written.
    pub raw_len: u64,
    /// Members of the file.
    pub members: u64,
    /// Segments of all members.
    pub segments: u64,
    /// Whether a member's header was damaged and the footer's copy was used.
    pub header_damaged: bool,
}

/// Raw bytes at which a batch is full: bounds memory.
const BATCH_BYTES: u64 = 16 << 20;

/// Decompresses a stream: all members, one after the other.
///
/// Bytes are written as they are decoded and checked, segment by segment; the hash of a whole member
/// is checked at its end. An error means that the output is not the whole file.
///
/// # Errors
/// Damage, with its place; a model that `models` does not have; output that cannot be written.
pub fn decompress(
    input: impl Read,
    output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    observer: &dyn Observer,
) -> Result<DecompressReport> {
    let mut reader = StreamReader::new(input);
    let mut sink = Sink::new(output, models, options, observer)?;
    loop {
        check(observer)?;
        match reader.next_event() {
            Ok(Event::MemberStart(header)) => sink.start(&header)?,
            Ok(Event::Segment(info, coded)) => sink.push(info, coded)?,
            Ok(Event::MemberEnd { raw_hash, .. }) => sink.end(raw_hash)?,
            Ok(Event::End) => return sink.finish(),
            Err(error) => {
                // What came before the damage is sound, and is the caller's.
                sink.drain()?;
                return Err(error.into());
            }
        }
    }
}

/// As [`decompress`], for a file: a damaged header is survived through the footer's copy.
///
/// # Errors
/// As [`decompress`].
pub fn decompress_seekable(
    mut input: impl Read + Seek,
    output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    observer: &dyn Observer,
) -> Result<DecompressReport> {
    let rewind = |input: &mut dyn Seek| input.rewind().map_err(CodecError::Read);
    let damaged = match IndexedReader::open(&mut input) {
        Ok(reader) => reader
            .members()
            .iter()
            .any(|m| m.header_damaged || m.end_byte_damaged),
        // The stream reader finds the place, and restores what comes before it.
        Err(error @ FormatError::Read { .. }) => return Err(error.into()),
        Err(_) => false,
    };
    rewind(&mut input)?;
    if !damaged {
        return decompress(
            std::io::BufReader::new(input),
            output,
            models,
            options,
            observer,
        );
    }
    let mut reader = IndexedReader::open(input)?;
    let mut sink = Sink::new(output, models, options, observer)?;
    sink.report.header_damaged = true;
    for member in reader.members().to_vec() {
        sink.start(&member.header)?;
        for segment in 0..member.segment_count() {
            check(observer)?;
            let (info, coded) = reader.read_coded(member.number, segment)?;
            sink.push(info, coded)?;
        }
        sink.end(member.raw_hash)?;
    }
    sink.finish()
}

/// What the segments of a member are decoded with.
#[derive(Clone)]
pub(crate) struct Ready {
    pub model: Model,
    pub shown: Shown,
}

impl Ready {
    /// Finds the model, and takes of the prime what the model is shown.
    pub fn find(header: &Header, models: &dyn ModelSource, prime: Option<&Prime>) -> Result<Self> {
        let model = model_for(header, models)?;
        let shown = shown(header, &model, prime)?;
        Ok(Self { model, shown })
    }
}

/// Decodes a batch of segments of one member and checks each.
pub(crate) fn decode_batch(
    ready: &Ready,
    header: &Header,
    batch: &[(SegmentInfo, Vec<u8>)],
    observer: &dyn Observer,
) -> Result<Vec<Result<Vec<u8>>>> {
    let is_model = |info: &SegmentInfo| info.kind == SegmentKind::Model;
    let jobs: Vec<Job<'_>> = batch
        .iter()
        .filter(|(info, _)| is_model(info))
        .map(|(info, coded)| Job {
            coded,
            raw_len: info.raw_len as usize,
        })
        .collect();
    let Ready { model, shown } = ready;
    let decoded = decode(model, header.context, shown, &jobs, Phase::Decode, observer)?;
    let mut decoded = decoded.into_iter();
    let results = batch.iter().map(|(info, coded)| {
        if !is_model(info) {
            return decode_plain(info, coded, observer);
        }
        let raw = decoded
            .next()
            .unwrap_or_else(|| Err("was not decoded".into()));
        checked(info, raw)
    });
    Ok(results.collect())
}

/// Refuses what this build cannot decode, and finds the model.
fn model_for(header: &Header, models: &dyn ModelSource) -> Result<Model> {
    check_versions(header)?;
    if header.context.context as usize > lmz_exact::MAX_CONTEXT {
        return Err(CodecError::Unsupported {
            what: "a context of",
            found: header.context.context.into(),
            supported: lmz_exact::MAX_CONTEXT as u64,
        });
    }
    models.find(header)
}

/// Collects segments, decodes them in batches and writes them in order.
struct Sink<'a, W> {
    output: W,
    models: &'a dyn ModelSource,
    prime: Option<&'a Prime>,
    observer: &'a dyn Observer,
    pool: rayon::ThreadPool,
    member: Option<(Header, Option<Ready>)>,
    batch: Vec<(SegmentInfo, Vec<u8>)>,
    hasher: RawHasher,
    report: DecompressReport,
}

impl<'a, W: Write> Sink<'a, W> {
    fn new(
        output: W,
        models: &'a dyn ModelSource,
        options: &'a DecompressOptions,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        Ok(Self {
            output,
            models,
            prime: options.prime.as_ref(),
            observer,
            pool: pool(options.threads)?,
            member: None,
            batch: Vec::new(),
            hasher: RawHasher::new(),
            report: DecompressReport::default(),
        })
    }

    fn start(&mut self, header: &Header) -> Result<()> {
        self.member = Some((header.clone(), None));
        self.hasher = RawHasher::new();
        self.report.members += 1;
        Ok(())
    }

    fn push(&mut self, info: SegmentInfo, coded: Vec<u8>) -> Result<()> {
        self.batch.push((info, coded));
        self.report.segments += 1;
        let bytes: u64 = self
            .batch
            .iter()
            .map(|(info, _)| u64::from(info.raw_len))
            .sum();
        let threads = self.pool.current_num_threads();
        let (most, most_bytes) = match &self.member {
            Some((_, Some(Ready { model, .. }))) => (
                model.segments_at_once(threads),
                model.bytes_at_once(BATCH_BYTES),
            ),
            _ => (SEGMENTS_PER_THREAD * threads, BATCH_BYTES),
        };
        let full = bytes >= most_bytes || self.batch.len() >= most;
        if full { self.drain() } else { Ok(()) }
    }

    /// Decodes and writes what has been collected; up to the first damaged segment.
    fn drain(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let Some((header, ready)) = &mut self.member else {
            return Ok(());
        };
        let needs_model = batch
            .iter()
            .any(|(info, _)| info.kind == SegmentKind::Model);
        let results = if needs_model {
            if ready.is_none() {
                *ready = Some(Ready::find(header, self.models, self.prime)?);
            }
            let Some(ready) = ready else { return Ok(()) };
            self.pool
                .install(|| decode_batch(ready, header, &batch, self.observer))?
        } else {
            check_versions(header)?;
            batch
                .iter()
                .map(|(info, coded)| decode_plain(info, coded, self.observer))
                .collect()
        };
        for result in results {
            let raw = result?;
            self.hasher.update(&raw);
            self.output.write_all(&raw).map_err(CodecError::Write)?;
            self.report.raw_len += raw.len() as u64;
        }
        Ok(())
    }

    fn end(&mut self, expected: Option<RawHash>) -> Result<()> {
        self.drain()?;
        let found = self.hasher.finish();
        // A small member has none: its one segment's checksum covers it.
        let Some(expected) = expected.filter(|expected| !expected.agrees_with(found)) else {
            return Ok(());
        };
        let member = self.report.members - 1;
        Err(CodecError::Hash {
            member,
            found: found.to_string(),
            expected: expected.to_string(),
        })
    }

    fn finish(mut self) -> Result<DecompressReport> {
        self.output.flush().map_err(CodecError::Write)?;
        Ok(self.report)
    }
}

/// A segment that needs no model.
pub(crate) fn decode_plain(
    info: &SegmentInfo,
    coded: &[u8],
    observer: &dyn Observer,
) -> Result<Vec<u8>> {
    let raw = match info.kind {
        SegmentKind::Zstd => unzstd(coded, info.raw_len as usize),
        _ => Ok(coded.to_vec()),
    };
    observer.advance(Phase::Decode, info.raw_len.into());
    checked(info, raw)
}

fn checked(info: &SegmentInfo, raw: Result<Vec<u8>, String>) -> Result<Vec<u8>> {
    let raw = raw.map_err(|why| segment_error(info, why))?;
    info.check_raw(&raw)
        .map_err(|_| segment_error(info, "its checksum does not match"))?;
    Ok(raw)
}
