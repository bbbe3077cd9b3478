//! The parts of a group, and the list that says where they are.

use lmz_mix::Version;

/// What archives (tar) align their members to.
pub const ALIGNMENT: usize = 512;

/// In a list the number of [`PartKind::Padding`]: a copy of no bytes.
const PADDING: u64 = 3;

/// A part of a group's raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub kind: PartKind,
    /// Raw bytes, at least 1.
    pub len: usize,
}

/// How a part is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// By the model and what is learnt.
    Text,
    /// By what is learnt alone.
    Bytes,
    /// As it is.
    Stored,
    /// It repeats what stands so many bytes before it.
    Copy(usize),
    /// Zeros up to the next multiple of [`ALIGNMENT`] in the group, from version 2 on.
    Padding,
}

/// Appends a part, or lengthens the last one.
#[cfg(feature = "encode")]
pub fn add(parts: &mut Vec<Part>, kind: PartKind, len: usize) {
    match parts.last_mut() {
        _ if len == 0 => {}
        Some(last) if last.kind == kind && !matches!(kind, PartKind::Copy(_)) => last.len += len,
        _ => parts.push(Part { kind, len }),
    }
}

/// The same parts, what was text among the bytes.
#[cfg(feature = "encode")]
pub fn without_text(parts: &[Part]) -> Vec<Part> {
    let mut others = Vec::new();
    for &Part { kind, len } in parts {
        let kind = match kind {
            PartKind::Text => PartKind::Bytes,
            kind => kind,
        };
        add(&mut others, kind, len);
    }
    others
}

/// Writes the list.
#[cfg(any(feature = "encode", test))]
pub fn put_list(parts: &[Part]) -> Vec<u8> {
    let mut list = Vec::new();
    for part in parts {
        let code = match part.kind {
            PartKind::Text => 0,
            PartKind::Bytes => 1,
            PartKind::Stored => 2,
            PartKind::Copy(_) => 3,
            PartKind::Padding => {
                put_number(&mut list, PADDING);
                continue;
            }
        };
        put_number(&mut list, part.len as u64 * 4 + code);
        if let PartKind::Copy(distance) = part.kind {
            put_number(&mut list, distance as u64);
        }
    }
    list
}

/// Reads the list of a group of `raw_len` bytes.
pub fn take_list(mut list: &[u8], raw_len: usize, version: Version) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut at = 0;
    while !list.is_empty() {
        let number = take_number(&mut list)?;
        if number == PADDING && version >= Version::V2 {
            let len = padding_at(at);
            if len == 0 || len > raw_len - at {
                return Err(format!("padding of {len} bytes at {at} of {raw_len}"));
            }
            at += len;
            let kind = PartKind::Padding;
            parts.push(Part { kind, len });
            continue;
        }
        let len = usize::try_from(number / 4).unwrap_or(usize::MAX);
        if len == 0 || len > raw_len - at {
            return Err(format!("a part of {len} bytes at {at} of {raw_len}"));
        }
        let kind = match number % 4 {
            0 => PartKind::Text,
            1 => PartKind::Bytes,
            2 => PartKind::Stored,
            _ => {
                let distance = usize::try_from(take_number(&mut list)?).unwrap_or(usize::MAX);
                if distance == 0 || distance > at {
                    return Err(format!("a copy from {distance} bytes before byte {at}"));
                }
                PartKind::Copy(distance)
            }
        };
        at += len;
        parts.push(Part { kind, len });
    }
    if at != raw_len {
        return Err(format!("parts of {at} bytes instead of {raw_len}"));
    }
    Ok(parts)
}

/// The bytes from a place of the group up to the next multiple of [`ALIGNMENT`]; 0 at one.
pub fn padding_at(at: usize) -> usize {
    at.next_multiple_of(ALIGNMENT) - at
}

/// The bytes of all parts of one kind.
#[cfg(any(feature = "encode", test))]
pub fn gather(raw: &[u8], parts: &[Part], kind: PartKind) -> Vec<u8> {
    let mut at = 0;
    let mut all = Vec::new();
    for part in parts {
        if part.kind == kind {
            all.extend_from_slice(&raw[at..at + part.len]);
        }
        at += part.len;
    }
    all
}

/// How many bytes the parts of a kind have.
pub fn total(parts: &[Part], kind: PartKind) -> usize {
    let of_kind = parts.iter().filter(|part| part.kind == kind);
    of_kind.map(|part| part.len).sum()
}

/// The raw bytes, from those of the parts of each kind, which are as long as the list says.
pub fn join(parts: &[Part], mut text: &[u8], mut bytes: &[u8], mut stored: &[u8]) -> Vec<u8> {
    fn front<'a>(from: &mut &'a [u8], len: usize) -> &'a [u8] {
        let (front, rest) = from.split_at(len);
        *from = rest;
        front
    }
    let mut raw = Vec::with_capacity(text.len() + bytes.len() + stored.len());
    for &Part { kind, len } in parts {
        match kind {
            PartKind::Text => raw.extend_from_slice(front(&mut text, len)),
            PartKind::Bytes => raw.extend_from_slice(front(&mut bytes, len)),
            PartKind::Stored => raw.extend_from_slice(front(&mut stored, len)),
            PartKind::Padding => raw.resize(raw.len() + len, 0),
            PartKind::Copy(distance) => {
                // What is copied may begin before and end inside the copy.
                let from = raw.len() - distance;
                let mut left = len;
                while left > 0 {
                    let n = left.min(raw.len() - from);
                    raw.extend_from_within(from..from + n);
                    left -= n;
                }
            }
        }
    }
    raw
}

/// Appends a number, seven bits a byte, the lowest first.
#[cfg(any(feature = "encode", test))]
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from the front.
pub fn take_number(from: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = from.split_first().ok_or("ends inside a number")?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err("holds a number of more than 63 bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(kind: PartKind, len: usize) -> Part {
        Part { kind, len }
    }

    #[test]
    fn a_group_is_taken_apart_and_joined() {
        let parts = [
            part(PartKind::Text, 5),
            part(PartKind::Copy(2), 7),
            part(PartKind::Bytes, 3),
            part(PartKind::Stored, 2),
            part(PartKind::Copy(17), 4),
            part(PartKind::Padding, 491),
            part(PartKind::Text, 1),
        ];
        let raw = [&b"abcdededededxyz##abcd"[..], &[0; 491], b"!"].concat();
        let list = put_list(&parts);
        let take = |list: &[u8], len| take_list(list, len, Version::V2);
        assert_eq!(take(&list, raw.len()).unwrap(), parts);
        // The first version has no padding.
        assert!(take_list(&list, raw.len(), Version::V1).is_err());
        let of = |kind| gather(&raw, &parts, kind);
        let (text, bytes) = (of(PartKind::Text), of(PartKind::Bytes));
        assert_eq!((&text[..], &bytes[..]), (&b"abcde!"[..], &b"xyz"[..]));
        assert_eq!(join(&parts, &text, &bytes, &of(PartKind::Stored)), raw);
        assert!(take(&list, raw.len() + 1).is_err());
        assert!(take(&put_list(&parts[1..]), raw.len() - 5).is_err());
        // None where nothing is to be filled, and none beyond the end.
        let padding = put_list(&[part(PartKind::Padding, 512)]);
        assert!(take(&padding, 512).is_err());
        let text = put_list(&[part(PartKind::Text, 500)]);
        assert!(take(&[&text[..], &padding].concat(), 511).is_err());
        assert!(take(&[&text[..], &padding].concat(), 512).is_ok());
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(list in prop::collection::vec(0u8..32, 0..40), len in 0usize..2000) {
            for version in [Version::V1, Version::V2] {
                let parts = take_list(&list, len, version);
                let sum = parts.map(|parts| parts.iter().map(|part| part.len).sum::<usize>());
                prop_assert!(sum.is_err() || sum == Ok(len));
            }
        }
    }
}
