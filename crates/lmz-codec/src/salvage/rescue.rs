//! The segments of each member, one after the other: restored, or lost.

use std::io::{Read, Seek};
use std::ops::Range;

use lmz_format::{Form, Lost, RawHash, RawHasher, Remains, Salvage, Slot};

use super::holes::Holes;
use super::how::{Fill, Salvaging};
use super::report::{LostRange, SalvageReport};
use crate::batching::{Batch, Batching};
use crate::error::{CodecError, Result};
use crate::member::{CodedSegment, Means, MemberDecoder};
use crate::mixed::Stretch;
use crate::observer::check;

/// A salvage under way.
pub struct Rescue<'a> {
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
type Piece = Result<Vec<u8>, (String, Vec<Stretch>)>;

impl<'a> Rescue<'a> {
    pub fn new(output: &'a mut dyn Holes, means: Means<'a>, how: Salvaging) -> Self {
        Self {
            output,
            means,
            how,
            report: SalvageReport::default(),
            start: 0,
            end: 0,
            owed: 0,
        }
    }

    /// Notes bytes of the file that are nothing.
    pub fn rubbish(&mut self, range: Range<u64>, why: String) {
        self.report.rubbish.push((range, why));
    }

    /// Restores what is sound of a member.
    pub fn member<R: Read + Seek>(
        &mut self,
        found: &mut Salvage<R>,
        remains: &Remains,
    ) -> Result<()> {
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
                    Err((why, left)) => self.left(loss(slot, why, found.file_len()), &left)?,
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

    /// Writes what is left of a segment, and notes what is lost between and behind.
    fn left(&mut self, mut lost: Lost, stretches: &[Stretch]) -> Result<()> {
        let begin = lost.from;
        for (at, raw) in stretches {
            let at = begin + *at as u64;
            if lost.from < at {
                let to = Some(at);
                self.lose(Lost { to, ..lost.clone() });
            }
            let from = self.start + at;
            self.write(raw)?;
            self.report.unverified.push(from..self.end);
            lost.from = at + raw.len() as u64;
        }
        if lost.to != Some(lost.from) {
            self.lose(lost);
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
        &mut self,
        found: &mut Salvage<R>,
        slots: &[Slot],
        decoder: &mut MemberDecoder,
    ) -> Result<Vec<Piece>> {
        let mut coded: Vec<CodedSegment> = Vec::new();
        // What cannot be read; nothing in the place of what can.
        let mut lost: Vec<Option<(String, Vec<Stretch>)>> = Vec::new();
        for slot in slots {
            lost.push(match slot {
                Slot::Lost(lost) => Some((lost.why.clone(), Vec::new())),
                Slot::Found(info) => match found.read_coded(info) {
                    Err(error) => {
                        let left = found.read_left(info)?;
                        let mut stretches = Vec::new();
                        match self.how.unverified {
                            true => stretches = decoder.left(info, &left, self.means)?,
                            false => self.report.cut += left.len() as u64,
                        }
                        Some((error.to_string(), stretches))
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

    /// Writes what is owed, if anything was restored.
    pub fn finish(mut self) -> Result<SalvageReport> {
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
