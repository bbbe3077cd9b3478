//! The segments of a file in their order, batch by batch.

use std::io::{Read, Seek};

use lmz_format::{ContainerBytes, Event, IndexedReader, RawHasher, SegmentInfo, StreamReader};

use crate::batching::{Batch, Batching};
use crate::error::Result;
use crate::member::{CodedSegment, Means, MemberDecoder, check_hash};
use crate::observer::{Observer, check};
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

/// A segment that was decoded and checked.
#[cfg_attr(
    not(feature = "encode"),
    allow(dead_code, reason = "only a trace wants more than the raw bytes")
)]
pub(crate) struct Restored {
    pub info: SegmentInfo,
    pub coded: Vec<u8>,
    pub raw: Vec<u8>,
}

/// Collects segments, and decodes and checks them in batches.
pub(crate) struct Batches<E, S> {
    pub events: E,
    models: S,
    prime: Option<Prime>,
    pub pool: Pool,
    /// Of the member of the last batch.
    pub member: Option<MemberDecoder>,
    hasher: RawHasher,
    /// What was decoded, in order, for the caller to take.
    pub ready: Vec<Restored>,
    pub report: DecompressReport,
}

impl<E: Events, S: ModelSource> Batches<E, S> {
    pub fn new(events: E, models: S, prime: Option<Prime>, threads: usize) -> Result<Self> {
        Ok(Self {
            events,
            models,
            prime,
            pool: Pool::new(threads)?,
            member: None,
            hasher: RawHasher::new(),
            ready: Vec::new(),
            report: DecompressReport::default(),
        })
    }

    /// Reads and decodes the next segments, all of one member, until there are as many as `batching` makes of what is
    /// usual; false if there are none.
    ///
    /// # Errors
    /// What came before the damage is sound and [ready](Self::ready).
    pub fn next(
        &mut self,
        observer: &dyn Observer,
        batching: impl Fn(Batching) -> Batching,
    ) -> Result<bool> {
        self.ready.clear();
        let mut batch = Batch::default();
        loop {
            check(observer)?;
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
                    let full = batching(Batching::new(model, self.pool.threads()));
                    if batch.is_full(full) {
                        self.decode(batch.items, observer)?;
                        return Ok(true);
                    }
                }
                Ok(Event::MemberEnd { raw_hash, .. }) => {
                    self.decode(std::mem::take(&mut batch).items, observer)?;
                    check_hash(self.report.members - 1, self.hasher.finish(), raw_hash)?;
                    if !self.ready.is_empty() {
                        return Ok(true);
                    }
                }
                Ok(Event::End) => {
                    self.report.padding = self.events.padded();
                    return Ok(false);
                }
                Err(error) => {
                    self.decode(batch.items, observer)?;
                    return Err(error.into());
                }
            }
        }
    }

    /// Decodes what has been collected, up to the first damaged segment.
    fn decode(&mut self, batch: Vec<CodedSegment>, observer: &dyn Observer) -> Result<()> {
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let means = Means {
            models: &self.models,
            prime: self.prime.as_ref(),
            pool: &self.pool,
            observer,
        };
        let decoded = member.decode(&batch, means)?;
        for ((info, coded), raw) in batch.into_iter().zip(decoded) {
            let raw = raw?;
            self.hasher.update(&raw);
            self.ready.push(Restored { info, coded, raw });
        }
        Ok(())
    }
}
