//! Compression: a [`std::io::Write`] that collects segments, codes them in batches and writes them.

use std::io::{Read, Write};

use lmz_format::{ContainerBytes, Form, Header, RawHash, SegmentKind, Summary, write_small};
use lmz_mix::Version;

use crate::batching::{Batch, Batching};
use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::fallback::Packed;
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::options::{CompressOptions, Mix};
use crate::pack::{How, pack};
use crate::pool::Pool;
use crate::shown::Shown;

/// What compression did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CompressReport {
    /// Bytes read.
    pub raw_len: u64,
    /// Bytes written.
    pub compressed_len: u64,
    /// Segments that the model coded, that zstd coded, that are stored, and that are mixed groups.
    pub segments: [u64; 4],
    /// Sum of the ideal bits over the segments that the model coded, or that are mixed.
    pub ideal_bits: f64,
    /// The container's bytes by part.
    pub container: ContainerBytes,
    /// Hash of the raw bytes.
    pub raw_hash: Option<RawHash>,
}

/// Compresses what is written to it. [`Writer::finish`] completes the file; dropping does not.
///
/// ```
/// use std::io::Write;
/// use lmz_codec::{CompressOptions, Model, Writer};
///
/// let model = Model::open("../../models/archive/bootstrap/bootstrap.lmzm".as_ref())?;
/// let options = CompressOptions::default();
/// let mut writer = Writer::new(Vec::new(), &model, &options, &())?;
/// writer.write_all(b"first part, ")?;
/// writer.write_all(b"second part")?;
/// let (file, report) = writer.finish()?;
/// assert_eq!((report.raw_len, report.compressed_len), (23, file.len() as u64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It owns its observer, which may be a shared one: a reference, an [`Arc`](std::sync::Arc).
pub struct Writer<W: Write, O = ()> {
    /// Taken by the container once the first batch is full.
    output: Option<W>,
    container: Option<lmz_format::Writer<W>>,
    model: Model,
    options: CompressOptions,
    how: How,
    observer: O,
    pool: Pool,
    /// Whole segments.
    batch: Batch<Vec<u8>>,
    /// The one that is being filled.
    segment: Vec<u8>,
    /// Raw offset of the batch's first byte.
    offset: u64,
    /// Its context, and how much of the prime is shown, are known when the first segment ends.
    header: Header,
    /// What the model is shown before each segment.
    shown: Shown,
    report: CompressReport,
}

impl<W: Write, O: Observer> Writer<W, O> {
    /// Nothing is written before the first batch of segments is full: an input of one group becomes a small member,
    /// whose header holds its length.
    ///
    /// # Errors
    /// Impossible options; a model that cannot compress.
    pub fn new(output: W, model: &Model, options: &CompressOptions, observer: O) -> Result<Self> {
        options.check_lanes()?;
        // Fails now rather than after the first batch.
        model.tokenizer()?;
        let header = Header {
            numerics_version: model.prepared().numerics,
            recipe: model.prepared().recipe,
            mixing: match options.mix {
                Mix::None => 0,
                Mix::Auto => Version::NEWEST.number(),
            },
            model_id: model.id(),
            checkpoint: model.checkpoint(),
            model_name: model.name().to_owned(),
            // That of long segments, which leaves an overlap less room.
            context: options.context_policy(model, usize::MAX)?,
            plan: options.segments(),
            prime: None,
            form: Form::Full,
        };
        let mut writer = Self {
            output: Some(output),
            container: None,
            model: model.clone(),
            options: options.clone(),
            how: How {
                mix: options.mix,
                lanes: options.lanes,
                verify: options.verify,
            },
            observer,
            pool: Pool::new(options.threads)?,
            batch: Batch::default(),
            segment: Vec::new(),
            offset: 0,
            header,
            shown: Shown::default(),
            report: CompressReport::default(),
        };
        // As do these.
        writer.settle(0)?;
        lmz_format::Writer::new(std::io::sink(), &writer.header)?;
        writer.begin(None);
        Ok(writer)
    }

    /// Tells the observer how many bytes will be written in all.
    pub fn expect(&self, raw_len: u64) {
        self.begin(Some(raw_len));
    }

    /// Chooses the context for segments of at most so many bytes, and what the model is shown with it.
    fn settle(&mut self, longest: usize) -> Result<()> {
        let policy = self.options.context_policy(&self.model, longest)?;
        self.header.context = policy;
        if let Some(prime) = &self.options.prime {
            let (id, shown) = prime.begin(&self.model, policy)?;
            (self.header.prime, self.shown) = (Some(id), shown);
        }
        Ok(())
    }

    fn begin(&self, raw_len: Option<u64>) {
        let phases = [Phase::Encode, Phase::Verify];
        let phases = if self.how.verify {
            &phases
        } else {
            &phases[..1]
        };
        self.observer.begin(phases, raw_len);
    }

    /// Codes what is left and writes the footer.
    ///
    /// # Errors
    /// As for writing.
    pub fn finish(mut self) -> Result<(W, CompressReport)> {
        self.end_segment()?;
        let raw_len = self.batch.bytes();
        let (output, summary) = match self.output.take() {
            Some(mut output) if !self.options.full && self.header.fits_small(raw_len) => {
                let summary = self.small(&mut output)?;
                (output, summary)
            }
            output => {
                self.output = output;
                self.flush_batch()?;
                self.open_container()?.finish()?
            }
        };
        self.report.raw_len = summary.raw_len;
        self.report.compressed_len = summary.compressed_len;
        self.report.container = summary.bytes;
        self.report.raw_hash = Some(summary.raw_hash);
        self.report.ideal_bits = summary.ideal_bits as f64 / 256.0;
        Ok((output, self.report))
    }

    /// Takes bytes up to the end of the current segment; returns how many.
    fn take(&mut self, bytes: &[u8]) -> Result<usize> {
        let start = self.offset + self.batch.bytes();
        let wanted = self.header.plan.size_at(start) as usize - self.segment.len();
        if wanted == 0 {
            self.end_segment()?;
            let batching = match self.how.mix {
                Mix::None => Batching::new(Some(&self.model), self.pool.threads()),
                Mix::Auto => Batching::groups(self.pool.threads()),
            };
            if self.batch.is_full(batching) {
                self.flush_batch()?;
            }
            return Ok(0);
        }
        let n = wanted.min(bytes.len());
        self.segment.try_reserve(n).map_err(|_| {
            CodecError::InvalidArgument(format!(
                "there is no memory for a segment of {} bytes (smaller ones: --segment)",
                self.segment.len() + wanted
            ))
        })?;
        self.segment.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn end_segment(&mut self) -> Result<()> {
        if self.segment.is_empty() {
            return Ok(());
        }
        if self.output.is_some() && self.batch.items.is_empty() {
            // The first: of those that are mixed no later one is longer.
            self.settle(self.segment.len())?;
        }
        let segment = std::mem::take(&mut self.segment);
        self.batch.push(segment.len() as u64, segment);
        Ok(())
    }

    /// The whole input as a small member.
    fn small(&mut self, output: &mut W) -> Result<Summary> {
        let batch = std::mem::take(&mut self.batch).items;
        let raw = batch.first().map_or(&[][..], |raw| raw);
        let mut packed = self.pack(&batch, self.how, &self.observer)?;
        let mut header = &self.header;
        // Of a message of a few words, what was seen is less than what it takes to say that it was looked at.
        let plain = Header {
            mixing: 0,
            ..self.header.clone()
        };
        if self.how.mix == Mix::Auto && plain.fits_small(raw.len() as u64) {
            let how = How {
                mix: Mix::None,
                ..self.how
            };
            let alone = self.pack(&batch, how, &())?;
            let size = |header: &Header, packed: &[Packed]| -> Result<u64> {
                let payload = packed.first().map(Packed::payload);
                Ok(write_small(std::io::sink(), header, raw, payload)?.compressed_len)
            };
            if size(&plain, &alone)? <= size(header, &packed)? {
                (header, packed) = (&plain, alone);
            }
        }
        let payload = packed.first().map(Packed::payload);
        let summary = write_small(output, header, raw, payload)?;
        if let Some(payload) = payload {
            self.count(payload.kind());
        }
        Ok(summary)
    }

    fn flush_batch(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch).items;
        let packed = self.pack(&batch, self.how, &self.observer)?;
        let mut container = self.open_container()?;
        for (raw, packed) in batch.iter().zip(&packed) {
            let info = container.segment(raw, packed.payload())?;
            self.offset += raw.len() as u64;
            self.count(info.kind);
        }
        self.container = Some(container);
        Ok(())
    }

    /// The container, with its header written.
    fn open_container(&mut self) -> Result<lmz_format::Writer<W>> {
        match (self.container.take(), self.output.take()) {
            (Some(container), _) => Ok(container),
            (None, Some(output)) => Ok(lmz_format::Writer::new(output, &self.header)?),
            (None, None) => Err(CodecError::InvalidArgument(
                "this writer failed before: what it wrote is not complete".into(),
            )),
        }
    }

    /// The coded forms of the segments collected so far.
    fn pack(&self, batch: &[Vec<u8>], how: How, observer: &dyn Observer) -> Result<Vec<Packed>> {
        check(&self.observer)?;
        let drive = Drive::new(
            &self.model,
            self.header.context,
            &self.shown,
            Version::NEWEST,
            observer,
        );
        let offset = self.offset;
        self.pool.install(|| pack(&drive, batch, how, offset))
    }

    fn count(&mut self, kind: SegmentKind) {
        self.report.segments[match kind {
            SegmentKind::Model => 0,
            SegmentKind::Zstd => 1,
            SegmentKind::Stored => 2,
            SegmentKind::Mixed => 3,
        }] += 1;
    }
}

impl<W: Write, O: Observer> Write for Writer<W, O> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut taken = 0;
        while taken < bytes.len() {
            taken += self.take(&bytes[taken..]).map_err(std::io::Error::other)?;
        }
        Ok(taken)
    }

    /// Does nothing: a segment is only coded when it is whole.
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Compresses a stream.
///
/// # Errors
/// Input that cannot be read, output that cannot be written, impossible options, a failed
/// verification, cancellation. What was written by then is not a complete file.
pub fn compress(
    mut input: impl Read,
    output: impl Write,
    model: &Model,
    options: &CompressOptions,
    observer: &dyn Observer,
) -> Result<CompressReport> {
    let mut writer = Writer::new(output, model, options, observer)?;
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        check(observer)?;
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                let mut taken = 0;
                while taken < n {
                    taken += writer.take(&buffer[taken..n])?;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CodecError::Read(error)),
        }
    }
    let (mut output, report) = writer.finish()?;
    output.flush().map_err(CodecError::Write)?;
    Ok(report)
}

/// Compresses bytes that are in memory.
///
/// ```
/// use lmz_codec::{CompressOptions, DecompressOptions, Model, compress_to_vec, decompress_to_vec};
///
/// let model = Model::open("../../models/archive/bootstrap/bootstrap.lmzm".as_ref())?;
/// let file = compress_to_vec(b"some text", &model, &CompressOptions::default())?;
/// let text = decompress_to_vec(&file, &model, &DecompressOptions::default())?;
/// assert_eq!(text, b"some text");
/// # Ok::<(), lmz_codec::CodecError>(())
/// ```
///
/// # Errors
/// As [`compress`].
pub fn compress_to_vec(raw: &[u8], model: &Model, options: &CompressOptions) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    compress(raw, &mut file, model, options, &())?;
    Ok(file)
}
