//! Hashes of documents and paragraphs. All are XXH3 of 64 bits.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Of a document: its text without white space at the ends.
pub fn document_hash(text: &str) -> u64 {
    xxh3_64(text.trim().as_bytes())
}

/// Of a paragraph, as CCNet compares them: a line in lower case, its digits all zero, without punctuation and control
/// characters, and without white space at the ends. `None` if nothing is left of it.
pub fn paragraph_hash(line: &str, scratch: &mut String) -> Option<u64> {
    scratch.clear();
    if line.is_ascii() {
        // Most lines are, and bytes are quicker.
        scratch.extend(line.bytes().filter_map(|byte| match byte {
            b'a'..=b'z' | b' ' => Some(char::from(byte)),
            b'A'..=b'Z' => Some(char::from(byte.to_ascii_lowercase())),
            b'0'..=b'9' => Some('0'),
            _ => None,
        }));
        let text = scratch.trim();
        return (!text.is_empty()).then(|| xxh3_64(text.as_bytes()));
    }
    for part in parts(line) {
        match part {
            Ok(byte) => scratch.push(char::from(byte)),
            Err(c) => scratch.extend(c.to_lowercase()),
        }
    }
    let text = scratch.trim();
    (!text.is_empty()).then(|| xxh3_64(text.as_bytes()))
}

/// What of a line counts: `Ok` for an ASCII character made small, `Err` for another one.
fn parts(line: &str) -> impl Iterator<Item = Result<u8, char>> + '_ {
    line.chars().filter_map(|c| match c {
        'a'..='z' | ' ' => Some(Ok(c as u8)),
        'A'..='Z' => Some(Ok(c.to_ascii_lowercase() as u8)),
        '0'..='9' => Some(Ok(b'0')),
        '\0'..='\x7f' => None,
        _ if c.is_control() || is_punctuation(c) => None,
        _ if c.is_numeric() => Some(Ok(b'0')),
        _ => Some(Err(c)),
    })
}

/// Punctuation outside of ASCII: what CCNet removes, and its like.
fn is_punctuation(c: char) -> bool {
    matches!(
        c,
        '\u{a1}'..='\u{bf}' if !matches!(c, 'ª' | 'µ' | 'º' | '²' | '³' | '¹' | '¼'..='¾')
    ) || matches!(
        c,
        '\u{2010}'..='\u{205e}' | '\u{2190}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}'
            | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}'
    )
}

/// Whether anything of a line counts.
pub fn has_text(line: &str) -> bool {
    parts(line).any(|part| part != Ok(b' '))
}

/// A document's place in the order in which a sample is taken.
pub fn rank(seed: u64, group: u64) -> u64 {
    xxh3_64_with_seed(&group.to_le_bytes(), seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_alike_but_for_case_digits_and_punctuation() {
        let hash = |line| paragraph_hash(line, &mut String::new());
        assert_eq!(
            hash("  Posted on 12 May, 2026!"),
            hash("posted on 98 may 1999")
        );
        assert_eq!(hash("posted ON 12 may"), hash("“Posted” on 98 May…"));
        assert_eq!(hash("“Ärger” – überall…"), hash("ärger  ÜBERALL"));
        assert_ne!(hash("one thing"), hash("one thin"));
        for line in ["", " -- ", "•—…", "\t!"] {
            assert_eq!(hash(line), None, "{line}");
            assert!(!has_text(line), "{line}");
        }
        assert!(has_text("1") && has_text("日本"));
    }

    #[test]
    fn documents_are_alike_but_for_white_space_at_the_ends() {
        assert_eq!(document_hash(" a b\n"), document_hash("a b"));
        assert_ne!(document_hash("a  b"), document_hash("a b"));
    }
}
