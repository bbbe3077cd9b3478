//! Restoring what is left of a damaged file.

use std::io::{Read, Seek, Write};
use std::ops::Range;

use lmz_format::{Lost, Part, RawHasher, Remains, Salvage, SegmentInfo, SegmentKind, Slot};

use crate::decompress::{Ready, decode_batch, decode_plain};
use crate::error::{CodecError, Result};
use crate::observer::{Observer, check};
use crate::options::{DecompressOptions, pool};
use crate::source::{ModelSource, check_versions};

/// What stands in the place of lost bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Zero bytes, as many as are lost: what was restored keeps its offsets.
    #[default]
    Zero,
    /// Nothing.
    Skip,
}

/// Raw bytes that are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostRange {
    /// Number of the member among those that were found.
    pub member: u64,
    /// Offset of the first one in what the whole file held.
    pub from: u64,
    /// The end of the range; none if nobody knows how many there were.
    pub to: Option<u64>,
    /// The bytes of the damaged file that stood for them.
    pub file: Range<u64>,
    /// What is wrong with these.
    pub why: String,
}

/// What was restored, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvageReport {
    /// Raw bytes restored.
    pub restored: u64,
    /// Bytes written in the place of lost ones.
    pub filled: u64,
    /// Members found.
    pub members: u64,
    /// What is lost, in order; neighbours are one.
    pub lost: Vec<LostRange>,
    /// File offsets in which nothing was recognised, and why. Nobody knows what they stood for.
    pub rubbish: Vec<(Range<u64>, String)>,
    /// Members all of whose segments decode, but not to what their hash says.
    pub mismatched: Vec<u64>,
    /// Whether a header, an end byte or an index was damaged and not needed.
    pub repaired: bool,
}

impl SalvageReport {
    /// Whether every byte was restored, and checked as in a sound file.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.rubbish.is_empty() && self.mismatched.is_empty()
    }
}

/// Segments that are decoded together, for each thread.
const SEGMENTS_PER_THREAD: usize = 16;
/// Raw bytes at which a batch is full: bounds memory.
const BATCH_BYTES: u64 = 16 << 20;

/// Restores every sound segment of a file, whatever else is damaged.
///
/// ```
/// use lmz_codec::{CompressOptions, DecompressOptions, Fill, Model, SegmentPlan, compress, salvage};
///
/// let model = Model::open("../../tests/models/stories260K.lmzm".as_ref())?;
/// let text = b"Once upon a time there was a little dog. ".repeat(20);
/// let options = CompressOptions { plan: SegmentPlan::fixed(200)?, ..Default::default() };
/// let mut file = Vec::new();
/// compress(&text[..], &mut file, &model, &options, &())?;
/// file.truncate(file.len() / 2);
///
/// let mut saved = Vec::new();
/// let file = std::io::Cursor::new(file);
/// let report = salvage(file, &mut saved, &model, &DecompressOptions::default(), Fill::Skip, &())?;
/// assert!(!report.is_whole() && saved.len() > 200 && text.starts_with(&saved));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// An input that is empty or cannot be read at all; a missing model or prime; output that cannot be
/// written; cancellation. Damage is no error.
pub fn salvage(
    input: impl Read + Seek,
    mut output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    fill: Fill,
    observer: &dyn Observer,
) -> Result<SalvageReport> {
    let mut found = Salvage::open(input)?;
    let mut rescue = Rescue {
        output: &mut output,
        models,
        options,
        fill,
        observer,
        pool: pool(options.threads)?,
        report: SalvageReport::default(),
        start: 0,
        end: 0,
    };
    for part in found.parts().to_vec() {
        match part {
            Part::Rubbish(range, why) => rescue.report.rubbish.push((range, why)),
            Part::Member(remains) => rescue.member(&mut found, &remains)?,
        }
    }
    let report = rescue.report;
    output.flush().map_err(CodecError::Write)?;
    Ok(report)
}

struct Rescue<'a> {
    output: &'a mut dyn Write,
    models: &'a dyn ModelSource,
    options: &'a DecompressOptions,
    fill: Fill,
    observer: &'a dyn Observer,
    pool: rayon::ThreadPool,
    report: SalvageReport,
    /// Offsets in what the whole file held: of the member's first byte, and of the next one.
    start: u64,
    end: u64,
}

/// A segment, or why it is lost.
type Piece = Result<Vec<u8>, String>;

impl Rescue<'_> {
    fn member<R: Read + Seek>(&mut self, found: &mut Salvage<R>, remains: &Remains) -> Result<()> {
        self.report.members += 1;
        self.report.repaired |= remains.repaired || remains.index_lost;
        self.start = self.end;
        let losses = self.report.lost.len();
        let mut hasher = RawHasher::new();
        let mut ready = None;
        let mut rest = &remains.slots[..];
        while !rest.is_empty() {
            check(self.observer)?;
            let (now, later) = rest.split_at(self.batch(rest));
            rest = later;
            for (slot, piece) in now
                .iter()
                .zip(self.decode(found, remains, now, &mut ready)?)
            {
                match piece {
                    Ok(raw) => {
                        hasher.update(&raw);
                        self.output.write_all(&raw).map_err(CodecError::Write)?;
                        self.report.restored += raw.len() as u64;
                        self.end += raw.len() as u64;
                    }
                    Err(why) => self.lose(loss(slot, why, found.file_len()))?,
                }
            }
        }
        let whole = self.report.lost.len() == losses;
        let decoded = hasher.finish();
        if whole
            && remains
                .raw_hash
                .is_some_and(|hash| !hash.agrees_with(decoded))
        {
            self.report.mismatched.push(remains.number);
        }
        if let Some(len) = remains.raw_len {
            self.end = self.start + len;
        }
        Ok(())
    }

    /// How many of the slots are decoded together.
    fn batch(&self, slots: &[Slot]) -> usize {
        let most = SEGMENTS_PER_THREAD * self.pool.current_num_threads();
        let mut bytes = 0;
        let fits = slots.iter().take(most).take_while(|slot| {
            let fits = bytes < BATCH_BYTES;
            if let Slot::Found(info) = slot {
                bytes += u64::from(info.raw_len);
            }
            fits
        });
        fits.count().max(1)
    }

    fn decode<R: Read + Seek>(
        &self,
        found: &mut Salvage<R>,
        remains: &Remains,
        slots: &[Slot],
        ready: &mut Option<Ready>,
    ) -> Result<Vec<Piece>> {
        let header = &remains.header;
        check_versions(header)?;
        let mut coded: Vec<(SegmentInfo, Vec<u8>)> = Vec::new();
        let mut pieces: Vec<Option<Piece>> = Vec::new();
        for slot in slots {
            pieces.push(match slot {
                Slot::Lost(lost) => Some(Err(lost.why.clone())),
                Slot::Found(info) => match found.read_coded(info) {
                    Err(error) => Some(Err(error.to_string())),
                    Ok(bytes) if info.kind == SegmentKind::Model => {
                        coded.push((*info, bytes));
                        None
                    }
                    Ok(bytes) => Some(decode_plain(info, &bytes, self.observer).map_err(reason)),
                },
            });
        }
        let mut decoded = Vec::new();
        if !coded.is_empty() {
            if ready.is_none() {
                *ready = Some(Ready::find(
                    header,
                    self.models,
                    self.options.prime.as_ref(),
                )?);
            }
            if let Some(ready) = ready {
                let run = || decode_batch(ready, header, &coded, self.observer);
                decoded = self.pool.install(run)?;
            }
        }
        let mut decoded = decoded.into_iter();
        let pieces = pieces.into_iter().map(|piece| match piece {
            Some(piece) => piece,
            None => match decoded.next() {
                Some(result) => result.map_err(reason),
                None => Err("was not decoded".into()),
            },
        });
        Ok(pieces.collect())
    }

    /// Notes a loss and fills its place.
    fn lose(&mut self, lost: Lost) -> Result<()> {
        let (from, to) = (self.start + lost.from, lost.to.map(|to| self.start + to));
        if let Some(to) = to
            && self.fill == Fill::Zero
        {
            let zeros = std::io::repeat(0).take(to - from);
            let mut zeros = std::io::BufReader::with_capacity(1 << 16, zeros);
            std::io::copy(&mut zeros, self.output).map_err(CodecError::Write)?;
            self.report.filled += to - from;
        }
        self.end = to.unwrap_or(from);
        if let Some(last) = self.report.lost.last_mut()
            && last.member == lost.member
            && last.to == Some(from)
            && last.why == lost.why
        {
            last.to = to;
            last.file.end = lost.file.end;
            return Ok(());
        }
        self.report.lost.push(LostRange {
            member: lost.member,
            from,
            to,
            file: lost.file,
            why: lost.why,
        });
        Ok(())
    }
}

/// The error of a segment without its place, which the loss names itself.
fn reason(error: CodecError) -> String {
    match error {
        CodecError::Segment { why, .. } => why,
        other => other.to_string(),
    }
}

fn loss(slot: &Slot, why: String, file_len: u64) -> Lost {
    // Of a record that is cut off, only a part is in the file.
    let within = |at: u64| at.min(file_len);
    match slot {
        Slot::Lost(lost) => lost.clone(),
        Slot::Found(info) => Lost {
            member: info.member,
            from: info.raw_offset,
            to: Some(info.raw_offset + u64::from(info.raw_len)),
            file: within(info.record_offset)
                ..within(info.record_offset + u64::from(info.record_len)),
            why,
        },
    }
}
