//! A file read from its beginning: its raw bytes, segment by segment.

use std::collections::VecDeque;
use std::io::{self, Read, Seek};

use lmz_format::{ContainerBytes, Event, IndexedReader, RawHasher, StreamReader};

use crate::batching::{Batch, Batching};
use crate::error::{CodecError, Result};
use crate::member::{CodedSegment, Means, MemberDecoder, check_hash};
use crate::observer::{Observer, Phase, check};
use crate::options::DecompressOptions;
use crate::pool::Pool;
use crate::prime::Prime;
use crate::source::ModelSource;

/// What decompression did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecompressReport {
    /// Bytes restored.
    pub raw_len: u64,
    /// Members of the file.
    pub members: u64,
    /// Segments of all members.
    pub segments: u64,
    /// Whether a member's header was damaged and the footer's copy was used.
    pub header_damaged: bool,
    /// Whether zero bytes stood behind the last member: padding, as tapes leave it.
    pub padding: bool,
}

/// Where members and segments come from.
pub(crate) trait Events {
    /// The next thing in the file.
    fn next_event(&mut self) -> lmz_format::Result<Event>;

    /// Whether zero bytes follow the last member; known at the end.
    fn padded(&self) -> bool;
}

impl<R: Read> Events for StreamReader<R> {
    fn next_event(&mut self) -> lmz_format::Result<Event> {
        Self::next_event(self)
    }

    fn padded(&self) -> bool {
        Self::padded(self)
    }
}

/// The members of an index, in order, as a stream would give them.
pub(crate) struct Indexed<R> {
    pub index: IndexedReader<R>,
    /// The member that comes next, or whose segments do.
    member: usize,
    segment: Option<u64>,
}

impl<R: Read + Seek> Indexed<R> {
    pub fn new(index: IndexedReader<R>) -> Self {
        Self {
            index,
            member: 0,
            segment: None,
        }
    }
}

impl<R: Read + Seek> Events for Indexed<R> {
    fn next_event(&mut self) -> lmz_format::Result<Event> {
        let Some(member) = self.index.members().get(self.member) else {
            return Ok(Event::End);
        };
        let Some(segment) = self.segment else {
            self.segment = Some(0);
            return Ok(Event::MemberStart(member.header.clone()));
        };
        if segment < member.segment_count() {
            self.segment = Some(segment + 1);
            let (info, coded) = self.index.read_coded(member.number, segment)?;
            return Ok(Event::Segment(info, coded));
        }
        let end = Event::MemberEnd {
            raw_len: member.raw_len,
            raw_hash: member.raw_hash,
            // Nobody asks a decoder for these.
            bytes: ContainerBytes::default(),
        };
        (self.member, self.segment) = (self.member + 1, None);
        Ok(end)
    }

    fn padded(&self) -> bool {
        self.index.padding() > 0
    }
}

/// Events to raw bytes: collects segments, decodes them in batches and hands them out in order.
pub(crate) struct Unpacker<E, S, O> {
    events: E,
    models: S,
    observer: O,
    prime: Option<Prime>,
    pool: Pool,
    member: Option<MemberDecoder>,
    hasher: RawHasher,
    /// Segments that nobody has had.
    ready: VecDeque<Vec<u8>>,
    /// What comes behind these, instead of more.
    end: Option<Result<()>>,
    pub report: DecompressReport,
}

impl<E: Events, S: ModelSource, O: Observer> Unpacker<E, S, O> {
    pub fn new(events: E, models: S, options: &DecompressOptions, observer: O) -> Result<Self> {
        Ok(Self {
            events,
            models,
            observer,
            prime: options.prime.clone(),
            pool: Pool::new(options.threads)?,
            member: None,
            hasher: RawHasher::new(),
            ready: VecDeque::new(),
            end: None,
            report: DecompressReport::default(),
        })
    }

    /// The next segment; none at the end. What comes before damage is handed out before the error.
    pub fn next_segment(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(raw) = self.ready.pop_front() {
                self.report.raw_len += raw.len() as u64;
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
            if let Err(error) = self.next_batch() {
                self.end.get_or_insert(Err(error));
            }
        }
    }

    /// Reads and decodes segments of one member.
    fn next_batch(&mut self) -> Result<()> {
        let mut batch = Batch::default();
        loop {
            check(&self.observer)?;
            match self.events.next_event() {
                Ok(Event::MemberStart(header)) => {
                    self.member = Some(MemberDecoder::new(header));
                    self.hasher = RawHasher::new();
                    self.report.members += 1;
                }
                Ok(Event::Segment(info, coded)) => {
                    self.report.segments += 1;
                    batch.push(info.raw_len.into(), (info, coded));
                    let model = self.member.as_ref().and_then(MemberDecoder::model);
                    if batch.is_full(Batching::new(model, self.pool.threads())) {
                        return self.decode(&batch.items);
                    }
                }
                Ok(Event::MemberEnd { raw_hash, .. }) => {
                    self.decode(&batch.items)?;
                    return check_hash(self.report.members - 1, self.hasher.finish(), raw_hash);
                }
                Ok(Event::End) => {
                    self.report.padding = self.events.padded();
                    self.end = Some(Ok(()));
                    return Ok(());
                }
                Err(error) => {
                    // What came before the damage is sound, and is the caller's.
                    self.decode(&batch.items)?;
                    return Err(error.into());
                }
            }
        }
    }

    /// Decodes what has been collected; up to the first damaged segment.
    fn decode(&mut self, batch: &[CodedSegment]) -> Result<()> {
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let means = Means {
            models: &self.models,
            prime: self.prime.as_ref(),
            pool: &self.pool,
            observer: &self.observer,
        };
        for raw in member.decode(batch, means)? {
            let raw = raw?;
            self.hasher.update(&raw);
            self.ready.push_back(raw);
        }
        Ok(())
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
        &self.unpacker.report
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
