//! Finding the next sound piece of a damaged file.

use std::io::{Read, Seek};

use crate::error::{Fault, Place, Result};
use crate::footer::{TRAILER_LEN, footer_len};
use crate::header::put_versioned_body;
use crate::indexed::{Member, open_member};
use crate::limits::{END_MAGIC, MAGIC};
use crate::plan::SegmentPlan;
use crate::record::{END_BYTE, MAX_RECORD_HEADER, MIN_RECORD, RecordHeader, SegmentKind};
use crate::remains::{Lost, Slot};
use crate::scan::{Opened, Start, header_at, window};
use crate::version::FormatVersion;

/// Bytes that are looked through at a time: few at first, as what is looked for is often near, then twice as
/// many each time.
const FIRST_WINDOW: u64 = 1 << 9;
const WINDOW: u64 = 1 << 20;
/// How much may be read for footers that turn out to be none, beside the size of the file: a file
/// can be made of nothing but such.
const FOOTER_BUDGET: u64 = 256 << 20;
/// How many checks of record headers may be tried for numbers beyond [`NEAR`].
const CHECK_BUDGET: u64 = 1 << 23;
/// A record that no sound one follows is believed if no more than this many are lost before it.
const NEAR: u64 = 16;

/// All members with a sound footer before `end`, in the order of their starts.
pub(crate) fn footers<R: Read + Seek>(input: &mut R, end: u64) -> Result<Vec<Member>> {
    let mut found = Vec::new();
    let mut budget = FOOTER_BUDGET.saturating_add(end.saturating_mul(4));
    // Sound footers do not overlap: what is held of them is in proportion to the file.
    let mut left = end;
    search(input, 0, end, END_MAGIC.len(), |input, at, bytes| {
        if bytes.starts_with(&END_MAGIC) && at + 4 >= TRAILER_LEN {
            let trailer = window(input, at + 4 - TRAILER_LEN, end, TRAILER_LEN)?;
            let claimed = footer_len(&trailer).map_or(0, u64::from);
            budget = budget.saturating_sub(claimed);
            if budget > 0
                && claimed <= left
                && let Ok(member) = open_member(input, at + 4)
            {
                left -= claimed;
                found.push(member);
            }
        }
        Ok(false)
    })?;
    found.sort_by_key(|member| member.start);
    Ok(found)
}

/// The first of these members, which are in the order of their starts, that starts at `from` or later.
pub(crate) fn first_from(members: &[Member], from: u64) -> Option<&Member> {
    members.get(members.partition_point(|member| member.start < from))
}

/// Where the next member begins, by its header or by its footer; `end` if there is none.
pub(crate) fn next_start<R: Read + Seek>(
    input: &mut R,
    from: u64,
    end: u64,
    footers: &[Member],
) -> Result<u64> {
    let by_footer = first_from(footers, from).map_or(end, |member| member.start);
    let by_header = search(input, from, by_footer, MAGIC.len(), |input, at, bytes| {
        Ok(bytes.starts_with(&MAGIC) && !matches!(header_at(input, at, end)?, Start::None))
    })?;
    Ok(by_header.unwrap_or(by_footer))
}

/// The first offset in `from..to` at which `hit` says yes. It is shown the bytes from there on: at
/// least `least` of them, or all that are left.
fn search<R: Read + Seek>(
    input: &mut R,
    from: u64,
    to: u64,
    least: usize,
    mut hit: impl FnMut(&mut R, u64, &[u8]) -> Result<bool>,
) -> Result<Option<u64>> {
    let (mut at, mut size) = (from, FIRST_WINDOW);
    while at < to {
        let bytes = window(input, at, to, size + least as u64)?;
        let last = bytes.len() as u64 <= size;
        let offsets = if last { bytes.len() } else { size as usize };
        for offset in 0..offsets {
            if hit(input, at + offset as u64, &bytes[offset..])? {
                return Ok(Some(at + offset as u64));
            }
        }
        if offsets == 0 {
            break;
        }
        at += offsets as u64;
        size = (2 * size).min(WINDOW);
    }
    Ok(None)
}

/// The records of a member whose footer is lost.
pub(crate) struct Records<'a, R> {
    input: &'a mut R,
    open: &'a Opened,
    member: u64,
    end: u64,
    footers: &'a [Member],
    budget: u64,
    /// Where the next member begins, once it was looked for.
    limit: u64,
    slots: Vec<Slot>,
}

/// What lies where a record may be.
enum Next {
    Record(RecordHeader, usize),
    /// The end byte and the beginning of a footer, or what is left of them.
    End,
    Nothing(&'static str),
}

impl<'a, R: Read + Seek> Records<'a, R> {
    pub(crate) fn new(
        input: &'a mut R,
        open: &'a Opened,
        member: u64,
        end: u64,
        footers: &'a [Member],
    ) -> Self {
        Self {
            input,
            open,
            member,
            end,
            footers,
            budget: CHECK_BUDGET,
            limit: 0,
            slots: Vec::new(),
        }
    }

    fn version(&self) -> FormatVersion {
        self.open.header.version()
    }

    fn plan(&self) -> SegmentPlan {
        self.open.header.plan
    }

    /// All segments, the member's raw length if its end is known, and where the next member begins.
    pub(crate) fn collect(mut self) -> Result<(Vec<Slot>, Option<u64>, u64)> {
        let (mut at, mut index) = (self.open.records_at, 0);
        loop {
            let raw = self.plan().start_of(index);
            let why = match self.next(at, index)? {
                Next::End => return self.ended(raw, at),
                Next::Record(record, head) => {
                    let place = Place {
                        offset: at,
                        member: self.member,
                        segment: Some(index),
                    };
                    let info = record.info(place, raw, head);
                    at += u64::from(info.record_len);
                    index += 1;
                    self.slots.push(Slot::Found(info));
                    if u64::from(record.raw_len) < self.plan().size_at(raw) {
                        let at = at.min(self.end);
                        return self.ended(raw + u64::from(record.raw_len), at);
                    }
                    continue;
                }
                Next::Nothing(why) => why,
            };
            let limit = self.next_member(at.min(self.end))?;
            let (found, to) = match self.resync(at, index, limit)? {
                Some((found, next)) => (found, Some((next, self.plan().start_of(next)))),
                None => (limit, None),
            };
            let to_raw = to.map(|(_, raw)| raw);
            // Bytes that slipped in between two records cost nothing.
            if to_raw != Some(raw) {
                self.slots.push(Slot::Lost(Lost {
                    member: self.member,
                    from: raw,
                    to: to_raw,
                    file: at.min(found)..found,
                    why: why.to_owned(),
                }));
            }
            match to {
                Some((next, _)) => (at, index) = (found, next),
                None => return Ok((self.slots, None, found)),
            }
        }
    }

    /// The raw length is known; what is left of the footer belongs to this member.
    fn ended(mut self, raw_len: u64, at: u64) -> Result<(Vec<Slot>, Option<u64>, u64)> {
        let next = self.next_member(at)?;
        Ok((self.slots, Some(raw_len), next))
    }

    /// Where the next member begins, from `at` on. Each piece of damage asks for it, and it may be far.
    fn next_member(&mut self, at: u64) -> Result<u64> {
        if self.limit < at {
            self.limit = next_start(self.input, at, self.end, self.footers)?;
        }
        Ok(self.limit)
    }

    /// What lies at `at`, where record number `index` belongs.
    fn next(&mut self, at: u64, index: u64) -> Result<Next> {
        if at >= self.end {
            return Ok(Next::Nothing("the file ends here"));
        }
        if self.is_end(at)? {
            return Ok(Next::End);
        }
        let bytes = window(self.input, at, self.end, MAX_RECORD_HEADER as u64)?;
        Ok(match RecordHeader::parse(self.version(), &bytes, index) {
            Ok((record, head)) if self.follows_plan(&record, index) => Next::Record(record, head),
            Ok(_) => Next::Nothing("a segment's length does not follow the plan"),
            Err(Fault::Short) => Next::Nothing("the file ends inside a segment's record header"),
            Err(Fault::Kind(_)) => {
                Next::Nothing("a segment of a kind that this build does not know")
            }
            Err(_) => Next::Nothing("a segment's record header is damaged"),
        })
    }

    fn follows_plan(&self, record: &RecordHeader, index: u64) -> bool {
        let size = self.plan().size_at(self.plan().start_of(index));
        u64::from(record.raw_len) <= size
    }

    /// Whether the end byte lies at `at` and a footer's beginning behind it.
    fn is_end(&mut self, at: u64) -> Result<bool> {
        let mut content = vec![END_BYTE];
        put_versioned_body(&mut content, self.version(), &self.open.body);
        content.truncate(24);
        let found = window(self.input, at, self.end, content.len() as u64)?;
        // A footer that is cut off has at least this in common with a whole one.
        let same = found
            .iter()
            .zip(&content)
            .skip(1)
            .filter(|(a, b)| a == b)
            .count();
        Ok(found.first() == Some(&END_BYTE) && same + 1 == found.len()
            || (found.len() == content.len() && same + 1 >= content.len() - 1))
    }

    /// The first sound record behind `from` and before `limit`, and its number, more than `index`.
    fn resync(&mut self, from: u64, index: u64, limit: u64) -> Result<Option<(u64, u64)>> {
        let plan = self.plan();
        let (mut at, mut size) = (from + 1, FIRST_WINDOW);
        while at < limit {
            let bytes = window(self.input, at, limit, size + MAX_RECORD_HEADER as u64)?;
            let offsets = (bytes.len() as u64).min(size);
            for offset in 0..offsets {
                let bytes = &bytes[offset as usize..];
                // What no record begins with is passed over at once.
                if SegmentKind::of_code(self.version(), bytes[0]).is_none() {
                    continue;
                }
                // As many segments as the bytes in between can have held.
                let most = (at + offset - from) / MIN_RECORD + 1;
                if let Some(next) = self.numbered(at + offset, bytes, index, most, plan)? {
                    return Ok(Some((at + offset, next)));
                }
            }
            if offsets == 0 {
                break;
            }
            at += offsets;
            size = (2 * size).min(WINDOW);
        }
        Ok(None)
    }

    /// The number of the record at `at`, if it is one: `index` and at most `most` more.
    fn numbered(
        &mut self,
        at: u64,
        bytes: &[u8],
        index: u64,
        most: u64,
        plan: SegmentPlan,
    ) -> Result<Option<u64>> {
        let Some(shape) = RecordHeader::shape(self.version(), bytes) else {
            return Ok(None);
        };
        for next in index..=index.saturating_add(most) {
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
            if behind > self.end {
                continue;
            }
            let confirmed = behind < self.end
                && match self.next(behind, next + 1)? {
                    Next::Record(..) => whole,
                    Next::End => true,
                    Next::Nothing(_) => false,
                };
            if confirmed || (whole && next <= index + NEAR) {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }
}
