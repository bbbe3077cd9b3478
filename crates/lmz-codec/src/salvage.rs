//! Restoring what is left of a damaged file.

use std::io::{self, Read, Seek, Write};
use std::ops::Range;

use lmz_format::{Form, Lost, Part, RawHash, RawHasher, Remains, Salvage, Slot};

use crate::batching::{Batch, Batching};
use crate::error::{CodecError, Result};
use crate::member::{CodedSegment, Means, MemberDecoder};
use crate::observer::{Observer, Phase, check};
use crate::options::DecompressOptions;
use crate::pool::Pool;
use crate::source::ModelSource;

/// The most zero bytes that are put into the place of lost ones where they cannot be left as holes (1 GiB): a file
/// of a kilobyte may say that it lost a hundred gigabytes.
pub const MAX_WRITTEN_ZEROS: u64 = 1 << 30;

/// What stands in the place of lost bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Zero bytes, as many as are lost: what was restored keeps its offsets.
    #[default]
    Zero,
    /// Nothing.
    Skip,
}

/// How to restore what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salvaging {
    /// What stands in the place of lost bytes.
    pub fill: Fill,
    /// Of a segment whose end is cut off, give out what decodes before the cut, although nothing vouches for it.
    pub unverified: bool,
}

impl From<Fill> for Salvaging {
    fn from(fill: Fill) -> Self {
        Self {
            fill,
            unverified: false,
        }
    }
}

/// Where restored bytes go, if it can leave holes that read as zero bytes.
pub trait Holes: Write {
    /// Goes on `len` zero bytes later.
    ///
    /// # Errors
    /// Those of writing.
    fn hole(&mut self, len: u64) -> io::Result<()>;
}

/// Writes the zero bytes of holes, up to [`MAX_WRITTEN_ZEROS`].
struct Written<W> {
    output: W,
    zeros: u64,
}

impl<W: Write> Write for Written<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl<W: Write> Holes for Written<W> {
    fn hole(&mut self, len: u64) -> io::Result<()> {
        self.zeros = self.zeros.saturating_add(len);
        write_zeros(&mut self.output, len, self.zeros)
    }
}

/// Writes `len` zero bytes, if they are not too many together with others, `sum` in all.
///
/// # Errors
/// There would be more than [`MAX_WRITTEN_ZEROS`]; those of writing.
pub fn write_zeros(mut output: impl Write, len: u64, sum: u64) -> io::Result<()> {
    if sum > MAX_WRITTEN_ZEROS {
        return Err(io::Error::other(TooManyZeros(sum)));
    }
    let zeros = io::repeat(0).take(len);
    io::copy(
        &mut io::BufReader::with_capacity(1 << 16, zeros),
        &mut output,
    )?;
    Ok(())
}

/// More zero bytes than are written into a pipe.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} bytes or more are lost: so many zero bytes are not written into a pipe or a device (restore to a file, \
     where they are a hole, or leave them out: --fill skip)"
)]
struct TooManyZeros(u64);

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
    /// Members all of whose segments were found and decode, but whose hash is lost with their footer: that nothing
    /// is missing between them is likely, and not proven.
    pub unhashed: Vec<u64>,
    /// Bytes given out that nothing vouches for, as [`Salvaging::unverified`] wants it: offsets in what the whole
    /// file held. They are neither restored nor lost.
    pub unverified: Vec<Range<u64>>,
    /// Whether a header, an end byte or an index was damaged and not needed.
    pub repaired: bool,
}

impl SalvageReport {
    /// Whether every byte was restored, and checked as in a sound file.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
            && self.rubbish.is_empty()
            && self.mismatched.is_empty()
            && self.unhashed.is_empty()
            && self.unverified.is_empty()
    }

    /// Whether there is nothing worth writing.
    pub fn is_nothing(&self) -> bool {
        self.restored == 0 && self.unverified.is_empty()
    }
}

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
/// Zero bytes are written once a sound one follows them or, at the end, precedes them, and at most
/// [`MAX_WRITTEN_ZEROS`] of them: [`salvage_with_holes`] has no such bound.
///
/// # Errors
/// An input that is empty or cannot be read at all; a missing model or prime; output that cannot be
/// written; cancellation. Damage is no error.
pub fn salvage(
    input: impl Read + Seek,
    output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    how: impl Into<Salvaging>,
    observer: &dyn Observer,
) -> Result<SalvageReport> {
    let mut written = Written { output, zeros: 0 };
    salvage_with_holes(input, &mut written, models, options, how.into(), observer)
}

/// As [`salvage`], into what can leave holes.
///
/// # Errors
/// As [`salvage`].
pub fn salvage_with_holes(
    input: impl Read + Seek,
    output: &mut dyn Holes,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    how: Salvaging,
    observer: &dyn Observer,
) -> Result<SalvageReport> {
    let mut found = Salvage::open(input)?;
    let pool = Pool::new(options.threads)?;
    observer.begin(&[Phase::Decode], None);
    let mut rescue = Rescue {
        output,
        means: Means {
            models,
            prime: options.prime.as_ref(),
            pool: &pool,
            observer,
        },
        how,
        report: SalvageReport::default(),
        start: 0,
        end: 0,
        owed: 0,
    };
    for part in found.parts().to_vec() {
        match part {
            Part::Rubbish(range, why) => rescue.report.rubbish.push((range, why)),
            Part::Member(remains) => rescue.member(&mut found, &remains)?,
        }
    }
    rescue.finish()
}

struct Rescue<'a> {
    output: &'a mut dyn Holes,
    means: Means<'a>,
    how: Salvaging,
    report: SalvageReport,
    /// Offsets in what the whole file held: of the member's first byte, and of the next one.
    start: u64,
    end: u64,
    /// Zero bytes that are due before the next byte: none is written before anything is known to be sound.
    owed: u64,
}

/// A segment, or why it is lost, and what can be had of it.
type Piece = Result<Vec<u8>, (String, Vec<u8>)>;

impl Rescue<'_> {
    fn member<R: Read + Seek>(&mut self, found: &mut Salvage<R>, remains: &Remains) -> Result<()> {
        self.report.members += 1;
        self.report.repaired |= remains.repaired || remains.index_lost;
        self.start = self.end;
        let losses = self.report.lost.len();
        let mut hasher = RawHasher::new();
        let mut decoder = MemberDecoder::new(remains.header.clone());
        let mut rest = &remains.slots[..];
        while !rest.is_empty() {
            check(self.means.observer)?;
            let (now, later) = rest.split_at(self.batch(rest, &decoder));
            rest = later;
            for (slot, piece) in now.iter().zip(self.decode(found, now, &mut decoder)?) {
                match piece {
                    Ok(raw) => {
                        hasher.update(&raw);
                        self.write(&raw)?;
                        self.report.restored += raw.len() as u64;
                    }
                    Err((why, beginning)) => {
                        let mut lost = loss(slot, why, found.file_len());
                        if !beginning.is_empty() {
                            let from = self.start + lost.from;
                            lost.from += beginning.len() as u64;
                            self.write(&beginning)?;
                            self.report.unverified.push(from..self.end);
                        }
                        if lost.to != Some(lost.from) {
                            self.lose(lost);
                        }
                    }
                }
            }
        }
        let whole = self.report.lost.len() == losses;
        if whole {
            let decoded = hasher.finish();
            let agrees = |hash: RawHash| hash.agrees_with(decoded);
            match (remains.raw_hash, remains.likely_hash) {
                (Some(hash), _) if !agrees(hash) => self.report.mismatched.push(remains.number),
                (Some(_), _) => {}
                // The checksum of its one segment covers all of it.
                _ if remains.header.form == Form::Small => {}
                (None, Some(hash)) if agrees(hash) => {}
                (None, _) => self.report.unhashed.push(remains.number),
            }
        }
        if let Some(len) = remains.raw_len {
            self.end = self.start.saturating_add(len);
        }
        Ok(())
    }

    /// How many of the slots are decoded together.
    fn batch(&self, slots: &[Slot], decoder: &MemberDecoder) -> usize {
        let batching = Batching::new(decoder.model(), self.means.pool.threads());
        let mut batch = Batch::default();
        for slot in slots {
            if batch.is_full(batching) {
                break;
            }
            batch.push(
                match slot {
                    Slot::Found(info) => info.raw_len.into(),
                    Slot::Lost(_) => 0,
                },
                (),
            );
        }
        batch.items.len()
    }

    fn decode<R: Read + Seek>(
        &self,
        found: &mut Salvage<R>,
        slots: &[Slot],
        decoder: &mut MemberDecoder,
    ) -> Result<Vec<Piece>> {
        let mut coded: Vec<CodedSegment> = Vec::new();
        // What cannot be read; nothing in the place of what can.
        let mut lost: Vec<Option<(String, Vec<u8>)>> = Vec::new();
        for slot in slots {
            lost.push(match slot {
                Slot::Lost(lost) => Some((lost.why.clone(), Vec::new())),
                Slot::Found(info) => match found.read_coded(info) {
                    Err(error) => {
                        let mut beginning = Vec::new();
                        if self.how.unverified {
                            let left = found.read_left(info)?;
                            beginning = decoder.beginning(info, &left, self.means)?;
                        }
                        Some((error.to_string(), beginning))
                    }
                    Ok(bytes) => {
                        coded.push((*info, bytes));
                        None
                    }
                },
            });
        }
        let mut decoded = decoder.decode(&coded, self.means)?.into_iter();
        let pieces = lost.into_iter().map(|lost| match lost {
            Some(lost) => Err(lost),
            None => match decoded.next() {
                Some(result) => result.map_err(|error| (reason(error), Vec::new())),
                None => Err(("was not decoded".into(), Vec::new())),
            },
        });
        Ok(pieces.collect())
    }

    /// Writes the next bytes, behind what is owed.
    fn write(&mut self, raw: &[u8]) -> Result<()> {
        self.pay()?;
        self.output.write_all(raw).map_err(CodecError::Write)?;
        self.end += raw.len() as u64;
        Ok(())
    }

    fn pay(&mut self) -> Result<()> {
        let owed = std::mem::take(&mut self.owed);
        if owed > 0 {
            self.output.hole(owed).map_err(CodecError::Write)?;
            self.report.filled += owed;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<SalvageReport> {
        if !self.report.is_nothing() {
            self.pay()?;
        }
        self.output.flush().map_err(CodecError::Write)?;
        Ok(self.report)
    }

    /// Notes a loss, whose place is to be filled.
    fn lose(&mut self, lost: Lost) {
        let after = |at: u64| self.start.saturating_add(at);
        let (from, to) = (after(lost.from), lost.to.map(after));
        if let Some(to) = to
            && self.how.fill == Fill::Zero
        {
            self.owed = self.owed.saturating_add(to.saturating_sub(from));
        }
        self.end = to.unwrap_or(from);
        if let Some(last) = self.report.lost.last_mut()
            && last.member == lost.member
            && last.to == Some(from)
            && last.why == lost.why
        {
            last.to = to;
            last.file.end = lost.file.end;
            return;
        }
        self.report.lost.push(LostRange {
            member: lost.member,
            from,
            to,
            file: lost.file,
            why: lost.why,
        });
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
            to: Some(info.raw_offset.saturating_add(info.raw_len.into())),
            file: within(info.record_offset)
                ..within(info.record_offset + u64::from(info.record_len)),
            why,
        },
    }
}
