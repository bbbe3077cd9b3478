//! What is left of a group whose coded bytes are cut off.
//!
//! The list of parts stands first: with it, each byte that still decodes has its place, and what lies between is known to be
//! missing. Of the text, that is what its symbols spell from its start on; of blocks in lock step, that of the first.

use super::contexts::{Decoding, size_of};
use super::decode::decode_text;
use super::layout::{Head, Shape};
use super::part::{Part, PartKind, take_list, total};
use super::text::CodedText;
use crate::drive::Drive;
use crate::error::Result;
use crate::observer::Phase;

/// Bytes that are known, and where the first of them stands.
pub type Stretch = (usize, Vec<u8>);

/// What the first coded bytes of a group of `raw_len` bytes say for sure of its raw bytes, whatever followed them: in order,
/// and apart from each other. No checksum vouches for it.
pub fn left_of_group(
    drive: &Drive<'_>,
    left: &[u8],
    raw_len: usize,
    phase: Phase,
) -> Result<Vec<Stretch>> {
    let mut rest = left;
    let Ok(head) = Head::take(&mut rest, raw_len) else {
        return Ok(Vec::new());
    };
    let size = size_of(raw_len);
    let one = |kind| vec![Part { kind, len: raw_len }];
    let (parts, packed, stored, coded): (_, _, &[u8], _) = match head.shape {
        Shape::Bytes => (
            one(PartKind::Bytes),
            Some(Decoding::cut(rest, size, drive.mixing)),
            &[],
            None,
        ),
        Shape::Text => (one(PartKind::Text), None, &[], Some(rest)),
        Shape::List { list, coded } => {
            let (packed, rest) = rest.split_at(coded.min(rest.len()));
            let mut packed = match packed.len() == coded {
                true => Decoding::new(packed, size, drive.mixing),
                false => Decoding::cut(packed, size, drive.mixing),
            };
            let listed = packed.take_sure(list);
            let parts = match take_list(&listed, raw_len, drive.mixing) {
                Ok(parts) if listed.len() == list => parts,
                _ => return Ok(Vec::new()),
            };
            let stored = total(&parts, PartKind::Stored).min(rest.len());
            let (stored, rest) = rest.split_at(stored);
            (parts, Some(packed), stored, Some(rest))
        }
    };
    let bytes = match packed {
        Some(mut packed) => packed.take_sure(total(&parts, PartKind::Bytes)),
        None => Vec::new(),
    };
    let text_len = total(&parts, PartKind::Text);
    let text = match coded {
        Some(coded) if text_len > 0 && !coded.is_empty() => {
            let text = CodedText {
                known: &[],
                head,
                coded,
                raw_len: text_len,
                cut: true,
            };
            let decoded = decode_text(drive, text, phase)?;
            decoded.and_then(Result::ok).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Ok(stretches(&parts, &text, &bytes, stored))
}

/// What is known of the raw bytes, from the beginnings of what the parts of each kind hold.
fn stretches(parts: &[Part], text: &[u8], bytes: &[u8], stored: &[u8]) -> Vec<Stretch> {
    let (mut text, mut bytes, mut stored) = (text.iter(), bytes.iter(), stored.iter());
    let len = parts.iter().map(|part| part.len).sum();
    let mut raw: Vec<Option<u8>> = Vec::with_capacity(len);
    for &Part { kind, len } in parts {
        for _ in 0..len {
            let byte = match kind {
                PartKind::Text => text.next().copied(),
                PartKind::Bytes => bytes.next().copied(),
                PartKind::Stored => stored.next().copied(),
                PartKind::Copy(distance) => raw[raw.len() - distance],
                PartKind::Padding => Some(0),
            };
            raw.push(byte);
        }
    }
    let mut stretches = Vec::new();
    let mut at = 0;
    for run in raw.chunk_by(|a, b| a.is_some() == b.is_some()) {
        if run[0].is_some() {
            stretches.push((at, run.iter().flatten().copied().collect()));
        }
        at += run.len();
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_has_its_place() {
        let part = |kind, len| Part { kind, len };
        let parts = [
            part(PartKind::Bytes, 3),
            part(PartKind::Text, 5),
            part(PartKind::Copy(6), 7),
            part(PartKind::Stored, 2),
        ];
        // The text's last three bytes are missing, and so they are where they are copied to.
        let found = stretches(&parts, b"de", b"abc", b"#!");
        let expected: [Stretch; 3] = [
            (0, b"abcde".to_vec()),
            (8, b"cde".to_vec()),
            (14, b"c#!".to_vec()),
        ];
        assert_eq!(found, expected);
        assert_eq!(stretches(&parts, b"defgh", b"abc", b"#!").len(), 1);
        assert_eq!(stretches(&parts, b"", b"", b""), []);
    }
}
