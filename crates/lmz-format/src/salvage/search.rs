//! Finding the members of a damaged file, by the magic bytes at their starts and at their ends.

use std::io::{Read, Seek};

use crate::error::Result;
use crate::footer::{TRAILER_LEN, footer_len};
use crate::indexed::{Member, open_member};
use crate::limits::{END_MAGIC, MAGIC};
use crate::scan::{Start, header_at, window};

/// Bytes that are looked through at a time: few at first, as what is looked for is often near, then twice as
/// many each time.
pub(super) const FIRST_WINDOW: u64 = 1 << 9;
pub(super) const WINDOW: u64 = 1 << 20;
/// How much may be read for footers that turn out to be none, beside the size of the file: a file
/// can be made of nothing but such.
const FOOTER_BUDGET: u64 = 256 << 20;
/// How many bytes may be read in all for records of a member behind what looks like another one.
pub(super) fn crossing_budget(end: u64) -> u64 {
    FOOTER_BUDGET.saturating_add(end.saturating_mul(4))
}

/// All members with a sound footer before `end`, in the order of their starts.
pub(super) fn footers<R: Read + Seek>(input: &mut R, end: u64) -> Result<Vec<Member>> {
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
pub(super) fn first_from(members: &[Member], from: u64) -> Option<&Member> {
    members.get(members.partition_point(|member| member.start < from))
}

/// Where the next member begins, by its header or by its footer; `end` if there is none.
pub(super) fn next_start<R: Read + Seek>(
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
