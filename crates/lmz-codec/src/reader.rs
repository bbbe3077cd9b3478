//! Random access: only the segments that hold the wanted bytes are decoded.

use std::io::{self, Read, Seek, SeekFrom};

use lmz_format::{IndexedReader, Member};

use crate::batching::{Batch, Batching};
use crate::error::{CodecError, Result};
use crate::member::{Means, MemberDecoder};
use crate::observer::{Observer, check};
use crate::options::DecompressOptions;
use crate::pool::Pool;
use crate::prime::Prime;
use crate::source::ModelSource;

/// The raw bytes of an `.lmz` file, anywhere in it.
///
/// ```
/// use lmz_codec::{CompressOptions, DecompressOptions, Model, Reader, SegmentPlan, compress};
///
/// let model = Model::open("../../models/archive/bootstrap/bootstrap.lmzm".as_ref())?;
/// let text = b"The quick brown fox jumps over the lazy dog. ".repeat(20);
/// let options = CompressOptions { plan: SegmentPlan::fixed(300)?, ..Default::default() };
/// let mut file = Vec::new();
/// compress(&text[..], &mut file, &model, &options, &())?;
///
/// let file = std::io::Cursor::new(file);
/// let mut reader = Reader::open(file, &model, &DecompressOptions::default())?;
/// let mut word = [0u8; 5];
/// reader.read_at(454, &mut word)?;
/// assert_eq!(&word, b"quick");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It owns its models and its observer, which may be shared ones: references, [`Arc`](std::sync::Arc)s.
pub struct Reader<R, S, O = ()> {
    index: IndexedReader<R>,
    models: S,
    observer: O,
    prime: Option<Prime>,
    /// Of each member.
    decoders: Vec<MemberDecoder>,
    pool: Pool,
    position: u64,
    /// The segment decoded last: (member, segment, raw bytes).
    last: Option<(u64, u64, Vec<u8>)>,
}

impl<R: Read + Seek, S: ModelSource> Reader<R, S> {
    /// Reads the index; decodes nothing. A member's model is looked for when its bytes are.
    ///
    /// # Errors
    /// A damaged index, an input that cannot be read.
    pub fn open(input: R, models: S, options: &DecompressOptions) -> Result<Self> {
        let index = IndexedReader::open(input)?;
        let headers = index.members().iter().map(|member| member.header.clone());
        Ok(Self {
            decoders: headers.map(MemberDecoder::new).collect(),
            index,
            models,
            observer: (),
            prime: options.prime.clone(),
            pool: Pool::new(options.threads)?,
            position: 0,
            last: None,
        })
    }

    /// With an observer, who is told of what is decoded; whoever reads knows how much that will be.
    pub fn observed<O: Observer>(self, observer: O) -> Reader<R, S, O> {
        Reader {
            index: self.index,
            models: self.models,
            observer,
            prime: self.prime,
            decoders: self.decoders,
            pool: self.pool,
            position: self.position,
            last: self.last,
        }
    }
}

impl<R: Read + Seek, S: ModelSource, O: Observer> Reader<R, S, O> {
    /// Length of the raw bytes of all members.
    pub fn len(&self) -> u64 {
        self.index.raw_len()
    }

    /// Whether there is no raw byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members, for their headers and lengths.
    pub fn members(&self) -> &[Member] {
        self.index.members()
    }

    /// Fills `buffer` from raw offset `offset`; returns how many bytes there were, less than the
    /// buffer's length only at the end.
    ///
    /// # Errors
    /// A damaged segment among those that hold the bytes.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            let n = self.read_some(offset.saturating_add(done as u64), &mut buffer[done..])?;
            if n == 0 {
                break;
            }
            done += n;
        }
        Ok(done)
    }

    /// Bytes from one batch of neighbouring segments of one member.
    fn read_some(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let Some(at) = self.index.locate(offset) else {
            return Ok(0);
        };
        if let Some((member, segment, raw)) = &self.last
            && (*member, *segment) == (at.member, at.segment)
        {
            return Ok(copy(&raw[at.within as usize..], buffer));
        }
        check(&self.observer)?;
        let count = self.index.members()[at.member as usize].segment_count();
        let decoder = &mut self.decoders[at.member as usize];
        let batching = Batching::new(decoder.model(), self.pool.threads())
            .up_to(buffer.len() as u64 + at.within);
        let mut batch = Batch::default();
        for segment in at.segment..count {
            if batch.is_full(batching) {
                break;
            }
            let (info, coded) = self.index.read_coded(at.member, segment)?;
            batch.push(info.raw_len.into(), (info, coded));
        }
        let means = Means {
            models: &self.models,
            prime: self.prime.as_ref(),
            pool: &self.pool,
            observer: &self.observer,
        };
        let decoded = decoder.decode(&batch.items, means)?;
        let (mut done, mut skip) = (0, at.within as usize);
        for (raw, number) in decoded.into_iter().zip(at.segment..) {
            let raw = raw?;
            done += copy(&raw[skip..], &mut buffer[done..]);
            skip = 0;
            self.last = Some((at.member, number, raw));
        }
        Ok(done)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    to[..n].copy_from_slice(&from[..n]);
    n
}

impl<R: Read + Seek, S: ModelSource, O: Observer> Read for Reader<R, S, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self
            .read_at(self.position, buffer)
            .map_err(io::Error::other)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl<R: Read + Seek, S: ModelSource, O: Observer> Seek for Reader<R, S, O> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.len().checked_add_signed(n),
            SeekFrom::Current(n) => self.position.checked_add_signed(n),
        };
        let before = || CodecError::InvalidArgument("a seek before the first byte".into());
        self.position =
            target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, before()))?;
        Ok(self.position)
    }
}
