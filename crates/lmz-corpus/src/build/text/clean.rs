//! One form for what means the same.

/// A text with line feeds alone at the ends of its lines, without characters that steer something (zero bytes, byte order
/// marks, soft hyphens, zero-width spaces), without white space at the ends of lines and with at most two empty lines in a row.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split('\n') {
        let line = line.trim_end_matches(|c: char| c.is_whitespace() || c == '\0');
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            for _ in 0..=empty.min(2) {
                out.push('\n');
            }
        }
        empty = 0;
        match line
            .bytes()
            .all(|b| (0x20..0x7f).contains(&b) || b == b'\t')
        {
            true => out.push_str(line),
            false => out.extend(line.chars().filter_map(shown)),
        }
    }
    out
}

fn shown(c: char) -> Option<char> {
    match c {
        '\t' => Some(c),
        '\u{ad}' | '\u{feff}' | '\u{200b}' | '\u{2060}' => None,
        '\r' => Some('\n'),
        '\u{a0}' | '\u{202f}' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_has_one_form() {
        assert_eq!(
            clean("\n\na \r\nb\0\n\n\n\n\nc\u{a0}d\u{ad}e\n\n"),
            "a\nb\n\n\nc de"
        );
        assert_eq!(clean("old\rMac"), "old\nMac");
        assert_eq!(clean("\tx = 1\n"), "\tx = 1");
        assert_eq!(clean(" \n\t\n"), "");
    }
}
