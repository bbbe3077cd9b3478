//! Reading members in order, from a pipe or anything else.

use std::io::Read;

use crate::error::{Fault, FormatError, Place, Result};
use crate::footer::TRAILER_LEN;
use crate::hash::{RawHash, agree};
use crate::header::{Header, parse_header, put_versioned_body};
use crate::input::Input;
use crate::ledger::ContainerBytes;
use crate::limits::{END_MAGIC, MAGIC};
use crate::plan::SegmentPlan;
use crate::record::{END_BYTE, RecordHeader, SegmentInfo};
use crate::small::{SmallHeader, is_small, parse_small};
use crate::varint::put_varint;
use crate::version::FormatVersion;

/// What a [`StreamReader`] has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A member begins.
    MemberStart(Header),
    /// A segment and its coded bytes. Decode them and call [`SegmentInfo::check_raw`].
    Segment(SegmentInfo, Vec<u8>),
    /// A member ends; its footer agrees with what was read.
    MemberEnd {
        /// Raw bytes of the member.
        raw_len: u64,
        /// What a [`crate::RawHasher`] over the decoded bytes must give. A small member has none: the
        /// checksum of its one segment covers it.
        raw_hash: Option<RawHash>,
        /// The member's bytes by what they are for.
        bytes: ContainerBytes,
    },
    /// Nothing follows.
    End,
}

/// A member of which the footer has not been read.
#[derive(Debug)]
struct Open {
    version: FormatVersion,
    body: Vec<u8>,
    plan: SegmentPlan,
    index: Vec<u8>,
    raw_len: u64,
    segments: u64,
    bytes: ContainerBytes,
}

#[derive(Debug)]
enum State {
    Between,
    Inside(Box<Open>),
    /// Of a small member the header has been read,
    Small(Box<SmallHeader>),
    /// or all of it.
    SmallEnd(Box<SmallHeader>),
    Ended,
    Failed,
}

/// Reads concatenated members from front to back.
#[derive(Debug)]
pub struct StreamReader<R> {
    input: Input<R>,
    state: State,
    member: u64,
}

impl<R: Read> StreamReader<R> {
    /// A reader of `input`, which it buffers itself.
    pub fn new(input: R) -> Self {
        Self {
            input: Input::new(input),
            state: State::Between,
            member: 0,
        }
    }

    /// Gives the reader underneath back. What was read ahead is lost, so this is of use after
    /// [`Event::End`] alone.
    pub fn into_inner(self) -> R {
        self.input.into_inner()
    }

    /// Bytes of the input that have been understood so far, for a progress bar.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Reads the next event. After [`Event::End`], gives it again.
    ///
    /// # Errors
    /// Any kind; after an error, which is final, every call fails.
    pub fn next_event(&mut self) -> Result<Event> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Between => self.start(),
            State::Inside(open) => self.inside(open),
            State::Small(small) => self.small(small),
            State::SmallEnd(small) => Ok(self.end_small(&small)),
            State::Ended => {
                self.state = State::Ended;
                Ok(Event::End)
            }
            State::Failed => Err(FormatError::invalid(
                "this reader failed before: its input cannot be read any further",
            )),
        }
    }

    fn start(&mut self) -> Result<Event> {
        while self.input.buffered().len() < MAGIC.len() && self.fill()? > 0 {}
        let here = self.place(None);
        let found = self.input.buffered();
        let found = &found[..found.len().min(MAGIC.len())];
        if found.is_empty() && self.member > 0 {
            self.state = State::Ended;
            return Ok(Event::End);
        }
        if found.is_empty() {
            return Err(FormatError::Empty);
        }
        if !MAGIC.starts_with(found) {
            return Err(match self.member {
                0 => FormatError::NotLmz {
                    found: found.to_vec(),
                },
                _ => FormatError::TrailingGarbage { place: here },
            });
        }
        let small = self.parse("a header", None, |bytes| match bytes.len() {
            0..=4 => Err(Fault::Short),
            _ => Ok(is_small(bytes)),
        })?;
        if small {
            let small = self.parse("a header", None, parse_small)?;
            self.input.consume(small.len);
            let header = small.header.clone();
            self.state = State::Small(Box::new(small));
            return Ok(Event::MemberStart(header));
        }
        let (header, body, len) = self.parse("a header", None, |bytes| {
            parse_header(bytes).map(|p| (p.header, p.body.to_vec(), p.len))
        })?;
        self.input.consume(len);
        self.state = State::Inside(Box::new(Open {
            version: header.version(),
            body,
            plan: header.plan,
            index: Vec::new(),
            raw_len: 0,
            segments: 0,
            bytes: ContainerBytes {
                header: len as u64,
                ..ContainerBytes::default()
            },
        }));
        Ok(Event::MemberStart(header))
    }

    fn small(&mut self, small: Box<SmallHeader>) -> Result<Event> {
        let start = self.input.offset() - small.len as u64;
        let Some(info) = small.info(self.member, start) else {
            return Ok(self.end_small(&small));
        };
        let coded = self.read(info.coded_len as usize, "a segment's coded bytes", Some(0))?;
        self.state = State::SmallEnd(small);
        Ok(Event::Segment(info, coded))
    }

    fn end_small(&mut self, small: &SmallHeader) -> Event {
        self.member += 1;
        self.state = State::Between;
        Event::MemberEnd {
            raw_len: small.raw_len(),
            raw_hash: None,
            bytes: small.bytes(),
        }
    }

    fn inside(&mut self, open: Box<Open>) -> Result<Event> {
        let kind = self.parse("the list of segments", None, |bytes| {
            bytes.first().copied().ok_or(Fault::Short)
        })?;
        if kind == END_BYTE {
            self.input.consume(1);
            return self.footer(*open);
        }
        self.segment(open)
    }

    fn segment(&mut self, mut open: Box<Open>) -> Result<Event> {
        let index = open.segments;
        let place = self.place(Some(index));
        let (record, head) = self.parse("a segment's record header", Some(index), |bytes| {
            RecordHeader::parse(open.version, bytes, index)
        })?;
        if open.plan.start_of(index) != open.raw_len {
            let what = "a segment follows one that is shorter than the plan says";
            return Err(FormatError::corrupt(what, place));
        }
        if u64::from(record.raw_len) > open.plan.size_at(open.raw_len) {
            let what = "a segment is longer than the plan says";
            return Err(FormatError::corrupt(what, place));
        }
        self.input.consume(head);
        let coded = self.read(
            record.coded_len as usize,
            "a segment's coded bytes",
            Some(index),
        )?;
        let info = record.info(place, open.raw_len, head);
        open.raw_len = open
            .raw_len
            .checked_add(u64::from(record.raw_len))
            .ok_or_else(|| FormatError::corrupt("the raw length overflows", place))?;
        open.segments += 1;
        put_varint(&mut open.index, u64::from(info.record_len));
        open.bytes.records += head as u64;
        open.bytes.coded += coded.len() as u64;
        self.state = State::Inside(open);
        Ok(Event::Segment(info, coded))
    }

    /// Everything in the footer but the hash is known by now: it is compared, not parsed.
    fn footer(&mut self, mut open: Open) -> Result<Event> {
        let mut content = Vec::new();
        put_versioned_body(&mut content, open.version, &open.body);
        self.expect(&content, "the footer's copy of the header differs from it")?;
        let hash = self.read(16, "the footer", None)?;
        let mut rest = Vec::new();
        put_varint(&mut rest, open.raw_len);
        put_varint(&mut rest, open.segments);
        rest.extend_from_slice(&open.index);
        self.expect(&rest, "the footer's lengths differ from the segments' own")?;
        content.extend_from_slice(&hash);
        content.extend_from_slice(&rest);
        let len = u32::try_from(content.len())
            .map_err(|_| FormatError::corrupt("the footer is too long", self.place(None)))?;
        self.expect(&len.to_le_bytes(), "the footer's length is wrong")?;
        content.extend_from_slice(&len.to_le_bytes());
        let crc = crc32fast::hash(&content);
        let place = self.place(None);
        if !agree(
            &self.read(4, "the footer", None)?[..],
            &crc.to_le_bytes()[..],
        ) {
            return Err(FormatError::corrupt(
                "the footer's checksum is wrong",
                place,
            ));
        }
        self.expect(&END_MAGIC, "the end magic is wrong")?;

        open.bytes.index = open.index.len() as u64;
        open.bytes.footer = 1 + u64::from(len) + TRAILER_LEN - open.bytes.index;
        self.member += 1;
        self.state = State::Between;
        let mut raw_hash = RawHash([0; 16]);
        raw_hash.0.copy_from_slice(&hash);
        Ok(Event::MemberEnd {
            raw_len: open.raw_len,
            raw_hash: Some(raw_hash),
            bytes: open.bytes,
        })
    }

    /// Parses the front of the input, waiting for more bytes only while they are needed.
    fn parse<T>(
        &mut self,
        part: &'static str,
        segment: Option<u64>,
        mut parser: impl FnMut(&[u8]) -> Result<T, Fault>,
    ) -> Result<T> {
        loop {
            match parser(self.input.buffered()) {
                Ok(parsed) => return Ok(parsed),
                Err(Fault::Short) if self.fill()? > 0 => {}
                Err(Fault::Short) => {
                    let mut place = self.place(segment);
                    place.offset += self.input.buffered().len() as u64;
                    return Err(FormatError::Truncated { part, place });
                }
                Err(fault) => return Err(fault.at(part, self.place(segment))),
            }
        }
    }

    fn read(&mut self, len: usize, part: &'static str, segment: Option<u64>) -> Result<Vec<u8>> {
        let bytes = self.input.read_vec(len);
        let place = self.place(segment);
        let bytes = bytes.map_err(|source| FormatError::Read { source, place })?;
        if bytes.len() < len {
            return Err(FormatError::Truncated { part, place });
        }
        Ok(bytes)
    }

    fn expect(&mut self, want: &[u8], otherwise: &'static str) -> Result<()> {
        let place = self.place(None);
        if self.read(want.len(), "the footer", None)? != want {
            return Err(FormatError::corrupt(otherwise, place));
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<usize> {
        self.input.fill().map_err(|source| FormatError::Read {
            source,
            place: self.place(None),
        })
    }

    fn place(&self, segment: Option<u64>) -> Place {
        Place {
            offset: self.input.offset(),
            member: self.member,
            segment,
        }
    }
}
