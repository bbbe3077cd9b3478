//! How the two families of tokenizers write bytes as text.

/// SentencePiece's stand-in for a space, U+2581.
pub(crate) const BLOCK: char = '\u{2581}';

/// A family of tokenizers whose tokens have exact bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Every byte is written as one character (GPT-2's table).
    ByteLevel,
    /// Text as it is, with U+2581 for a space, and `<0xNN>` for single bytes.
    SentencePiece,
}

/// For the characters below U+0180 the byte that each stands for in GPT-2's table.
const BYTE_OF_CHAR: [Option<u8>; 0x180] = {
    let mut table = [None; 0x180];
    let mut next = 0x100;
    let mut byte = 0;
    while byte < 256 {
        // Printable Latin-1 stands for itself; the rest is moved up, in order.
        let printable = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let at = if printable { byte } else { next };
        table[at] = Some(byte as u8);
        if !printable {
            next += 1;
        }
        byte += 1;
    }
    table
};

/// The inverse: for each byte its character.
const CHAR_OF_BYTE: [char; 256] = {
    let mut table = ['\0'; 256];
    let mut c = 0;
    while c < BYTE_OF_CHAR.len() {
        if let Some(byte) = BYTE_OF_CHAR[c]
            && let Some(c) = char::from_u32(c as u32)
        {
            table[byte as usize] = c;
        }
        c += 1;
    }
    table
};

/// Appends the characters that stand for some bytes in GPT-2's table.
pub(crate) fn write_bytes(bytes: &[u8], word: &mut String) {
    word.extend(bytes.iter().map(|b| CHAR_OF_BYTE[usize::from(*b)]));
}

fn byte_of_char(c: char) -> Option<u8> {
    *BYTE_OF_CHAR.get(c as usize)?
}

impl Family {
    /// The bytes that the text of a token stands for, if any.
    pub(crate) fn token_bytes(self, text: &str) -> Option<Vec<u8>> {
        if self == Self::SentencePiece
            && let Some(byte) = fallback_byte(text)
        {
            return Some(vec![byte]);
        }
        let mut bytes = Vec::new();
        self.source_of(text, &mut bytes)?;
        (!bytes.is_empty()).then_some(bytes)
    }

    /// Appends the bytes that a word, as the model sees it, stands for; `None` if it stands for
    /// none.
    pub(crate) fn source_of(self, word: &str, bytes: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::ByteLevel => {
                for c in word.chars() {
                    bytes.push(byte_of_char(c)?);
                }
            }
            Self::SentencePiece => {
                let mut parts = word.split(BLOCK);
                bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
                for part in parts {
                    bytes.push(b' ');
                    bytes.extend_from_slice(part.as_bytes());
                }
            }
        }
        Some(())
    }

    /// The number of source bytes that a character of a word stands for.
    pub(crate) fn source_len(self, c: char) -> usize {
        match self {
            Self::ByteLevel => 1,
            Self::SentencePiece if c == BLOCK => 1,
            Self::SentencePiece => c.len_utf8(),
        }
    }
}

/// `<0x41>` -> 0x41; SentencePiece writes two capital hexadecimal digits.
fn fallback_byte(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let exact = digits.len() == 2
        && digits
            .bytes()
            .all(|d| matches!(d, b'0'..=b'9' | b'A'..=b'F'));
    u8::from_str_radix(digits, 16).ok().filter(|_| exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2_table() {
        let bytes = |text| Family::ByteLevel.token_bytes(text);
        assert_eq!(bytes("Ġthe").as_deref(), Some(&b" the"[..]));
        assert_eq!(bytes("Ċ").as_deref(), Some(&b"\n"[..]));
        assert_eq!(bytes("Ā").as_deref(), Some(&[0][..]));
        assert_eq!(bytes("Ń").as_deref(), Some(&[0xad][..]));
        assert_eq!(bytes("Ã©").as_deref(), Some("é".as_bytes()));
        assert_eq!(bytes("a b"), None);
        assert_eq!(bytes("中"), None);
        assert_eq!(bytes(""), None);
        let mut seen: Vec<u8> = BYTE_OF_CHAR.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..=255));
        let mut written = String::new();
        write_bytes(&seen, &mut written);
        assert_eq!(bytes(&written), Some(seen));
    }

    #[test]
    fn sentencepiece_text() {
        let bytes = |text| Family::SentencePiece.token_bytes(text);
        assert_eq!(bytes("▁a▁"), Some(b" a ".to_vec()));
        assert_eq!(bytes("<0xE2>"), Some(vec![0xe2]));
        assert_eq!(bytes("<0xe2>"), Some(b"<0xe2>".to_vec()));
        assert_eq!(bytes("<0x+1>"), Some(b"<0x+1>".to_vec()));
        assert_eq!(bytes("é"), Some("é".as_bytes().to_vec()));
    }
}
