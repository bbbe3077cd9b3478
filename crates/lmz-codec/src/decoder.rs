//! A file read from its beginning: its raw bytes, segment by segment.

use std::io::{self, Read};

use lmz_format::StreamReader;

use crate::batches::{Batches, DecompressReport, Events};
use crate::error::{CodecError, Result};
use crate::observer::{Observer, Phase};
use crate::options::DecompressOptions;
use crate::source::ModelSource;

/// Events to raw bytes, segment by segment.
pub(crate) struct Unpacker<E, S, O> {
    batches: Batches<E, S>,
    observer: O,
    /// Segments that nobody has had.
    ready: std::vec::IntoIter<Vec<u8>>,
    /// What comes behind these, instead of more.
    end: Option<Result<()>>,
}

impl<E: Events, S: ModelSource, O: Observer> Unpacker<E, S, O> {
    pub fn new(events: E, models: S, options: &DecompressOptions, observer: O) -> Result<Self> {
        Ok(Self {
            batches: Batches::new(events, models, options.prime.clone(), options.threads)?,
            observer,
            ready: Vec::new().into_iter(),
            end: None,
        })
    }

    /// What it did so far.
    pub fn report(&mut self) -> &mut DecompressReport {
        &mut self.batches.report
    }

    /// The next segment; none at the end. What comes before damage is handed out before the error.
    pub fn next_segment(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(raw) = self.ready.next() {
                self.batches.report.raw_len += raw.len() as u64;
                return Ok(Some(raw));
            }
            match self.end.take() {
                None => {}
                Some(Ok(())) => {
                    self.end = Some(Ok(()));
                    return Ok(None);
                }
                Some(Err(error)) => {
                    let why = "this decoder failed before: what it gave is not complete";
                    self.end = Some(Err(CodecError::InvalidArgument(why.into())));
                    return Err(error);
                }
            }
            self.end = match self.batches.next(&self.observer, |usual| usual) {
                Ok(true) => None,
                Ok(false) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            };
            let ready = self.batches.ready.drain(..).map(|segment| segment.raw);
            self.ready = ready.collect::<Vec<_>>().into_iter();
        }
    }
}

/// Decompresses what is read from it.
///
/// ```
/// use std::io::Read;
/// use lmz_codec::{CompressOptions, DecompressOptions, Decoder, Model, compress_to_vec};
///
/// let model = Model::open("../../models/archive/bootstrap/bootstrap.lmzm".as_ref())?;
/// let file = compress_to_vec(b"some text", &model, &CompressOptions::default())?;
/// let mut text = String::new();
/// Decoder::new(&file[..], model, &DecompressOptions::default(), ())?.read_to_string(&mut text)?;
/// assert_eq!(text, "some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Bytes come as they are decoded and checked, segment by segment; the hash of a whole member is checked at its end. So
/// an error, which holds a [`CodecError`], means that what was read before is not the whole file.
pub struct Decoder<R, S, O = ()> {
    unpacker: Unpacker<StreamReader<R>, S, O>,
    segment: io::Cursor<Vec<u8>>,
}

impl<R: Read, S: ModelSource, O: Observer> Decoder<R, S, O> {
    /// Of all members of `input`, one after the other. Models and observer are owned, or shared ones: references,
    /// [`Arc`](std::sync::Arc)s.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn new(input: R, models: S, options: &DecompressOptions, observer: O) -> Result<Self> {
        observer.begin(&[Phase::Decode], None);
        Ok(Self {
            unpacker: Unpacker::new(StreamReader::new(input), models, options, observer)?,
            segment: io::Cursor::default(),
        })
    }

    /// What it did so far.
    pub fn report(&self) -> &DecompressReport {
        &self.unpacker.batches.report
    }
}

impl<R: Read, S: ModelSource, O: Observer> Read for Decoder<R, S, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.segment.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            match self.unpacker.next_segment().map_err(io::Error::other)? {
                Some(segment) => self.segment = io::Cursor::new(segment),
                None => return Ok(0),
            }
        }
    }
}
