//! Finding the next sound record behind damage.

use std::collections::HashSet;
use std::io::{Read, Seek};
use std::ops::RangeInclusive;

use super::records::{Next, Records};
use super::search::{FIRST_WINDOW, WINDOW, first_from};
use crate::error::Result;
use crate::indexed::read_record;
use crate::limits::MAGIC;
use crate::record::{MAX_RECORD_HEADER, MIN_RECORD, RecordHeader, SegmentKind};
use crate::scan::{Opened, Start, header_at, window};

/// A record that no sound one follows is believed if no more than this many are lost before it.
const NEAR: u64 = 16;

/// What was passed in search of a record: members that may be inside one that is lost.
#[derive(Default)]
struct Crossed {
    /// Whether there was any.
    any: bool,
    /// Where their records begin: these are not the outer member's.
    records: HashSet<u64>,
}

/// What a search for records meets at some offset.
enum Cross {
    /// No member that begins there, or one that is looked into.
    Nothing,
    /// A member that may be inside a lost segment: the search goes on behind it.
    Over(u64),
    /// A member that is none of this one's segments' own.
    Not,
}

impl<R: Read + Seek> Records<'_, R> {
    /// The first sound record behind `from`, and its number, `index` or more.
    ///
    /// What looks like a member on the way may lie inside a lost segment of this one, or may follow it. A record with a
    /// right number behind it, no farther than the segments in between can reach, tells.
    pub(super) fn resync(&mut self, from: u64, index: u64) -> Result<Option<(u64, u64)>> {
        let plan = self.plan();
        let mut crossed = Crossed::default();
        let (mut at, mut size) = (from + 1, FIRST_WINDOW);
        // Where the next member begins by its footer.
        let mut footed = 0;
        while at < self.end {
            let bytes = window(self.input, at, self.end, size + MAX_RECORD_HEADER as u64)?;
            let offsets = (bytes.len() as u64).min(size);
            let mut offset = 0;
            while offset < offsets {
                let rest = &bytes[offset as usize..];
                let here = at + offset;
                if footed < here {
                    footed = first_from(self.footers, here).map_or(u64::MAX, |m| m.start);
                }
                if rest[0] == MAGIC[0] || footed == here {
                    match self.crosses(here, rest, &mut crossed)? {
                        Cross::Nothing => {}
                        Cross::Over(behind) => {
                            offset = behind - at;
                            continue;
                        }
                        Cross::Not => return Ok(None),
                    }
                }
                offset += 1;
                // What no record begins with is passed over at once.
                if SegmentKind::of_code(self.version(), rest[0]).is_none()
                    || crossed.records.contains(&here)
                {
                    continue;
                }
                // As many segments as the bytes in between can have held.
                let most = (here - from) / MIN_RECORD + 1;
                let least = match crossed.any {
                    true => {
                        (here - from).div_ceil(plan.size_at(u64::MAX) + MAX_RECORD_HEADER as u64)
                    }
                    false => 0,
                };
                let numbers = index.saturating_add(least)..=index.saturating_add(most);
                if let Some(next) = self.numbered(here, rest, index, numbers, crossed.any)? {
                    return Ok(Some((here, next)));
                }
            }
            if offsets == 0 {
                break;
            }
            if crossed.any {
                *self.crossing = self.crossing.saturating_sub(offset);
                if *self.crossing == 0 {
                    break;
                }
            }
            at += offset;
            size = (2 * size).min(WINDOW);
        }
        Ok(None)
    }

    /// Looks whether a member begins at `at`, where these bytes are, and whether it may be one inside a segment of
    /// this member.
    fn crosses(&mut self, at: u64, bytes: &[u8], crossed: &mut Crossed) -> Result<Cross> {
        let footers = self.footers;
        let footed = first_from(footers, at).filter(|member| member.start == at);
        let start = match bytes.starts_with(&MAGIC) {
            true => header_at(self.input, at, self.end)?,
            false => Start::None,
        };
        let len = match (footed, &start) {
            // What bytes that slipped in have moved is not where its footer says.
            (Some(member), Start::None) if read_record(self.input, member, 0).is_ok() => member.len,
            (Some(member), Start::Full(_)) => member.len,
            (_, Start::Small(small)) => small.member_len(),
            (_, Start::None) => return Ok(Cross::Nothing),
            (None, Start::Full(open)) => {
                crossed.any = true;
                self.chain(open, crossed)?;
                return Ok(Cross::Nothing);
            }
        };
        crossed.any = true;
        // A segment holds it whole, or it does not lie in one.
        Ok(match len <= self.plan().size_at(u64::MAX) {
            true => Cross::Over((at + len).min(self.end)),
            false => Cross::Not,
        })
    }

    /// Notes where the records of a member begin that has no sound footer.
    fn chain(&mut self, open: &Opened, crossed: &mut Crossed) -> Result<()> {
        let (mut at, mut index) = (open.records_at, 0);
        while at < self.end && *self.crossing > 0 {
            *self.crossing = self.crossing.saturating_sub(MAX_RECORD_HEADER as u64);
            let bytes = window(self.input, at, self.end, MAX_RECORD_HEADER as u64)?;
            let Ok((record, head)) = RecordHeader::parse(open.header.version(), &bytes, index)
            else {
                break;
            };
            crossed.records.insert(at);
            at += head as u64 + u64::from(record.coded_len);
            index += 1;
        }
        Ok(())
    }

    /// The number of the record at `at`, if it is one of these and `index` was expected. It is `doubtful`
    /// whether it may be believed without another one behind it.
    fn numbered(
        &mut self,
        at: u64,
        bytes: &[u8],
        index: u64,
        numbers: RangeInclusive<u64>,
        doubtful: bool,
    ) -> Result<Option<u64>> {
        let plan = self.plan();
        let Some(shape) = RecordHeader::shape(self.version(), bytes) else {
            return Ok(None);
        };
        for next in numbers {
            if next - index > NEAR {
                // There may be as many numbers as bytes, at as many places.
                if self.budget == 0 {
                    break;
                }
                self.budget -= 1;
            }
            let size = plan.size_at(plan.start_of(next));
            if u64::from(shape.raw_len) > size {
                continue;
            }
            let Ok((record, head)) = RecordHeader::parse(self.version(), bytes, next) else {
                continue;
            };
            let whole = u64::from(record.raw_len) == size;
            let behind = at + head as u64 + u64::from(record.coded_len);
            let likely = whole && next <= index + NEAR && !doubtful;
            if behind > self.end {
                // The file was cut inside it.
                match likely {
                    true => return Ok(Some(next)),
                    false => continue,
                }
            }
            let confirmed = behind < self.end
                && match self.next(behind, next + 1)? {
                    Next::Record(..) => whole,
                    Next::End => true,
                    Next::Nothing(_) => false,
                };
            if confirmed || likely {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }
}
