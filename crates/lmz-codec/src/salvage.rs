//! Restoring what is left of a damaged file.

use std::io::{Read, Seek, Write};
use std::ops::Range;

use lmz_format::{Lost, Part, RawHasher, Remains, Salvage, Slot};

use crate::batching::{Batch, Batching};
use crate::error::{CodecError, Result};
use crate::member::{CodedSegment, Means, MemberDecoder};
use crate::observer::{Observer, Phase, check};
use crate::options::DecompressOptions;
use crate::pool::Pool;
use crate::source::ModelSource;

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
    let pool = Pool::new(options.threads)?;
    observer.begin(&[Phase::Decode], None);
    let mut rescue = Rescue {
        output: &mut output,
        means: Means {
            models,
            prime: options.prime.as_ref(),
            pool: &pool,
            observer,
        },
        fill,
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
    means: Means<'a>,
    fill: Fill,
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
        let mut lost: Vec<Option<String>> = Vec::new();
        for slot in slots {
            lost.push(match slot {
                Slot::Lost(lost) => Some(lost.why.clone()),
                Slot::Found(info) => match found.read_coded(info) {
                    Err(error) => Some(error.to_string()),
                    Ok(bytes) => {
                        coded.push((*info, bytes));
                        None
                    }
                },
            });
        }
        let mut decoded = decoder.decode(&coded, self.means)?.into_iter();
        let pieces = lost.into_iter().map(|lost| match lost {
            Some(why) => Err(why),
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
