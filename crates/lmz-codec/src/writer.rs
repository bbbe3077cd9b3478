//! Compression: a [`std::io::Write`] that collects segments, codes them in batches and writes them.

use std::io::{Read, Write};

use lmz_format::{
    ContainerBytes, ContextPolicy, Form, Header, RawHash, SegmentKind, Summary, write_small,
};
use rayon::prelude::*;

use crate::decode::{Job, decode};
use crate::encode::encode;
use crate::error::{CodecError, Result};
use crate::fallback::{Packed, worth_modelling};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::options::{CompressOptions, pool};
use crate::shown::Shown;

/// What compression did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CompressReport {
    /// Bytes read.
    pub raw_len: u64,
    /// Bytes written.
    pub compressed_len: u64,
    /// Segments that the model coded, that zstd coded, and that are stored.
    pub segments: [u64; 3],
    /// Sum of the model's ideal bits over the segments that it coded.
    pub ideal_bits: f64,
    /// The container's bytes by part.
    pub container: ContainerBytes,
    /// Hash of the raw bytes.
    pub raw_hash: Option<RawHash>,
}

/// Raw bytes at which a batch is full for the CPU: bounds memory.
const BATCH_BYTES: u64 = 8 << 20;

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
pub struct Writer<'a, W: Write> {
    /// Taken by the container once the first batch is full.
    output: Option<W>,
    container: Option<lmz_format::Writer<W>>,
    model: Model,
    policy: ContextPolicy,
    verify: bool,
    observer: &'a dyn Observer,
    pool: rayon::ThreadPool,
    /// Whole segments, then the one that is being filled.
    batch: Vec<Vec<u8>>,
    /// Raw offset of the batch's first byte.
    offset: u64,
    header: Header,
    /// What the model is shown before each segment.
    shown: Shown,
    report: CompressReport,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Nothing is written before the first batch of segments is full: an input of no more than a few
    /// hundred bytes becomes a small member, whose header holds its length.
    ///
    /// # Errors
    /// Impossible options; a model that cannot compress.
    pub fn new(
        output: W,
        model: &Model,
        options: &CompressOptions,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        let policy = options.policy(model.blueprint().max_positions)?;
        // Fails now rather than after the first batch.
        model.tokenizer()?;
        let (prime, shown) = match &options.prime {
            Some(prime) => {
                let (id, shown) = prime.begin(model, policy)?;
                (Some(id), shown)
            }
            None => (None, Shown::default()),
        };
        let header = Header {
            numerics_version: model.prepared().numerics,
            recipe: model.prepared().recipe,
            model_id: model.id(),
            checkpoint: model.checkpoint(),
            model_name: model.name().to_owned(),
            context: policy,
            plan: options.plan,
            prime,
            form: Form::Full,
        };
        // As does this.
        lmz_format::Writer::new(std::io::sink(), &header)?;
        Ok(Self {
            output: Some(output),
            container: None,
            model: model.clone(),
            policy,
            verify: options.verify,
            observer,
            pool: pool(options.threads)?,
            batch: Vec::new(),
            offset: 0,
            header,
            shown,
            report: CompressReport::default(),
        })
    }

    /// Codes what is left and writes the footer.
    ///
    /// # Errors
    /// As for writing.
    pub fn finish(mut self) -> Result<(W, CompressReport)> {
        let raw_len: usize = self.batch.iter().map(Vec::len).sum();
        let (output, summary) = match self.output.take() {
            Some(mut output) if self.header.fits_small(raw_len as u64) => {
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
        let size = |batch: &[Vec<u8>], offset: u64| {
            let before: usize = batch.iter().map(Vec::len).sum();
            self.header.plan.size_at(offset + before as u64) as usize
        };
        let wanted = match self.batch.split_last() {
            Some((last, before)) => size(before, self.offset) - last.len(),
            None => 0,
        };
        if wanted == 0 {
            let bytes = self.batch.iter().map(Vec::len).sum::<usize>() as u64;
            let threads = self.pool.current_num_threads();
            let full = bytes >= self.model.bytes_at_once(BATCH_BYTES)
                || self.batch.len() >= self.model.segments_at_once(threads);
            if full {
                self.flush_batch()?;
            }
            self.batch.push(Vec::new());
            return Ok(0);
        }
        let n = wanted.min(bytes.len());
        if let Some(last) = self.batch.last_mut() {
            last.extend_from_slice(&bytes[..n]);
        }
        Ok(n)
    }

    /// The whole input as a small member.
    fn small(&mut self, output: &mut W) -> Result<Summary> {
        let (batch, packed) = self.pack_batch()?;
        let raw = batch.first().map_or(&[][..], |raw| raw);
        let payload = packed.first().map(Packed::payload);
        let summary = write_small(output, &self.header, raw, payload)?;
        if let Some(payload) = payload {
            self.count(payload.kind());
        }
        Ok(summary)
    }

    fn flush_batch(&mut self) -> Result<()> {
        let (batch, packed) = self.pack_batch()?;
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

    /// The segments collected so far, and their coded forms.
    fn pack_batch(&mut self) -> Result<(Vec<Vec<u8>>, Vec<Packed>)> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.retain(|segment| !segment.is_empty());
        check(self.observer)?;
        let coder = Coder {
            model: &self.model,
            policy: self.policy,
            shown: &self.shown,
            observer: self.observer,
        };
        let packed = self
            .pool
            .install(|| coder.pack(&batch, self.verify, self.offset))?;
        Ok((batch, packed))
    }

    fn count(&mut self, kind: SegmentKind) {
        self.report.segments[match kind {
            SegmentKind::Model => 0,
            SegmentKind::Zstd => 1,
            SegmentKind::Stored => 2,
        }] += 1;
    }
}

/// What all segments have in common.
struct Coder<'a> {
    model: &'a Model,
    policy: ContextPolicy,
    shown: &'a Shown,
    observer: &'a dyn Observer,
}

impl Coder<'_> {
    /// Codes and verifies one batch. `offset` is the first raw byte, for errors.
    fn pack(&self, batch: &[Vec<u8>], verify: bool, offset: u64) -> Result<Vec<Packed>> {
        let worth: Vec<bool> = batch.par_iter().map(|raw| worth_modelling(raw)).collect();
        let modelled: Vec<&[u8]> = batch
            .iter()
            .zip(&worth)
            .filter(|(_, w)| **w)
            .map(|(raw, _)| &raw[..])
            .collect();
        let mut coded = encode(
            self.model,
            self.policy,
            self.shown,
            &modelled,
            self.observer,
        )?
        .into_iter();
        let coded: Vec<_> = worth
            .iter()
            .map(|&worth| if worth { coded.next() } else { None })
            .collect();
        let packed: Vec<Packed> = batch
            .par_iter()
            .zip(coded)
            .map(|(raw, coded)| Packed::smallest(raw, coded))
            .collect();
        if verify {
            self.verify(batch, &packed, offset)?;
        }
        let skipped: usize = batch
            .iter()
            .zip(&worth)
            .filter(|(_, w)| !**w)
            .map(|(raw, _)| raw.len())
            .sum();
        self.observer.advance(Phase::Encode, skipped as u64);
        Ok(packed)
    }

    fn verify(&self, batch: &[Vec<u8>], packed: &[Packed], offset: u64) -> Result<()> {
        let mut jobs = Vec::new();
        let mut places = Vec::new();
        let mut from = offset;
        for (raw, packed) in batch.iter().zip(packed) {
            let to = from + raw.len() as u64;
            let failed = |why: String| CodecError::Verification { from, to, why };
            match packed {
                Packed::Model { coded, .. } => {
                    jobs.push(Job {
                        coded,
                        raw_len: raw.len(),
                    });
                    places.push((raw, from, to));
                }
                Packed::Zstd(coded) => {
                    let again = crate::fallback::unzstd(coded, raw.len()).map_err(failed)?;
                    if again != *raw {
                        return Err(failed("other bytes".into()));
                    }
                    self.observer.advance(Phase::Verify, raw.len() as u64);
                }
                Packed::Stored => self.observer.advance(Phase::Verify, raw.len() as u64),
            }
            from = to;
        }
        let decoded = decode(
            self.model,
            self.policy,
            self.shown,
            &jobs,
            Phase::Verify,
            self.observer,
        )?;
        for (result, (raw, from, to)) in decoded.into_iter().zip(places) {
            let why = match result {
                Ok(again) if again == *raw => continue,
                Ok(_) => "other bytes".to_owned(),
                Err(why) => why,
            };
            return Err(CodecError::Verification { from, to, why });
        }
        Ok(())
    }
}

impl<W: Write> Write for Writer<'_, W> {
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
