//! Random access: only the segments that hold the wanted bytes are decoded.

use std::io::{self, Read, Seek, SeekFrom};

use lmz_format::{IndexedReader, Member};

use crate::decompress::{Ready, decode_batch};
use crate::error::{CodecError, Result};
use crate::options::{DecompressOptions, pool};
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
pub struct Reader<'a, R> {
    index: IndexedReader<R>,
    models: &'a dyn ModelSource,
    prime: Option<Prime>,
    /// Of each member, found at the first need.
    ready: Vec<Option<Ready>>,
    pool: rayon::ThreadPool,
    position: u64,
    /// The segment decoded last: (member, segment, raw bytes).
    last: Option<(u64, u64, Vec<u8>)>,
}

/// Raw bytes that are decoded together.
const BATCH_BYTES: u64 = 16 << 20;

impl<'a, R: Read + Seek> Reader<'a, R> {
    /// Reads the index; decodes nothing. A member's model is looked for when its bytes are.
    ///
    /// # Errors
    /// A damaged index, an input that cannot be read.
    pub fn open(
        input: R,
        models: &'a dyn ModelSource,
        options: &DecompressOptions,
    ) -> Result<Self> {
        let index = IndexedReader::open(input)?;
        Ok(Self {
            ready: index.members().iter().map(|_| None).collect(),
            index,
            models,
            prime: options.prime.clone(),
            pool: pool(options.threads)?,
            position: 0,
            last: None,
        })
    }

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
        let member = &self.index.members()[at.member as usize];
        let (header, count) = (member.header.clone(), member.segment_count());
        let wanted = (buffer.len() as u64 + at.within).min(BATCH_BYTES);
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut segment = at.segment;
        while segment < count && bytes < wanted {
            let (info, coded) = self.index.read_coded(at.member, segment)?;
            bytes += u64::from(info.raw_len);
            batch.push((info, coded));
            segment += 1;
        }
        let ready = match &mut self.ready[at.member as usize] {
            Some(ready) => ready,
            none => none.insert(Ready::find(&header, self.models, self.prime.as_ref())?),
        };
        let decoded = self
            .pool
            .install(|| decode_batch(ready, &header, &batch, &()))?;
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

impl<R: Read + Seek> Read for Reader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self
            .read_at(self.position, buffer)
            .map_err(io::Error::other)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl<R: Read + Seek> Seek for Reader<'_, R> {
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
