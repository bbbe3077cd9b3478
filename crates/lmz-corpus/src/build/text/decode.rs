//! Bytes to text: which encoding, and whether it is text at all.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Bytes that are looked at for what they are.
const SNIFFED: usize = 1 << 14;

/// Whether bytes are something else than text: they have zero bytes (unless UTF-16 says why), or much that no text has.
pub fn is_binary(bytes: &[u8]) -> bool {
    if Encoding::for_bom(bytes).is_some() {
        return false;
    }
    let start = &bytes[..bytes.len().min(SNIFFED)];
    let odd = start
        .iter()
        .filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b));
    start.contains(&0) || odd.count() * 50 > start.len()
}

/// The text of bytes: what a byte order mark says, else UTF-8 if they are that, else `label` (as HTML names encodings) if it
/// names one, else Windows-1252. `true` with it if something was not in that encoding, and became U+FFFD.
pub fn decode(bytes: &[u8], label: Option<&str>) -> (String, bool) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, wrong) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (text.into_owned(), wrong);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), false);
    }
    let named = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    let encoding = match named {
        // Most of it being UTF-8, some bytes are broken.
        None if is_mostly_utf8(bytes) => UTF_8,
        Some(encoding) => encoding,
        None => WINDOWS_1252,
    };
    let (text, wrong) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), wrong)
}

fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut wrong, mut beyond) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        wrong += usize::from(!chunk.invalid().is_empty());
        beyond += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
    }
    beyond > 4 * wrong
}

/// What HTML or an HTTP header says of the encoding: the value of `charset=`.
pub fn label_of(text: &[u8]) -> Option<&str> {
    let start = &text[..text.len().min(4096)];
    let small = start.to_ascii_lowercase();
    let at = small.windows(8).position(|window| window == b"charset=")? + 8;
    let value = &start[at..];
    let value = match value.first() {
        Some(b'"' | b'\'') => &value[1..],
        _ => value,
    };
    let is_label = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.');
    let length = value.iter().take_while(|b| is_label(b)).count();
    std::str::from_utf8(&value[..length])
        .ok()
        .filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_and_guessed() {
        assert_eq!(decode("ä".as_bytes(), Some("latin1")), ("ä".into(), false));
        assert_eq!(decode(b"\xe4", None), ("ä".into(), false));
        assert_eq!(
            decode(b"\x93q\x94", Some("iso-8859-1")),
            ("“q”".into(), false)
        );
        assert_eq!(decode(b"\xff\xfea\0\xe4\0", None), ("aä".into(), false));
        assert_eq!(decode(b"\xc7\xcf", Some("euc-kr")), ("하".into(), false));
        assert!(!decode("äöüßé\u{1}".as_bytes(), None).1);
        let broken = [&b"\xff"[..], "ääääää".as_bytes()].concat();
        assert_eq!(decode(&broken, None), ("\u{fffd}ääääää".into(), true));
    }

    #[test]
    fn binary_is_no_text() {
        assert!(is_binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
        assert!(is_binary(&[1, 2, 3, 4, 5, b'a']));
        assert!(!is_binary(b"\xff\xfea\0") && !is_binary("ä\x0c\n".as_bytes()) && !is_binary(b""));
    }

    #[test]
    fn labels_are_found() {
        assert_eq!(label_of(b"<meta charset=\"KOI8-R\">"), Some("KOI8-R"));
        assert_eq!(label_of(b"text/html; Charset=utf-8"), Some("utf-8"));
        assert_eq!(label_of(b"charset="), None);
    }
}
