//! Pieces of TeX: comments, groups, names.

/// Longest argument of a command, in bytes: a search for its end goes no further.
const MAX_ARGUMENT: usize = 1 << 15;

/// TeX without its comments. A `%` behind a backslash is none; verbatim environments keep theirs.
pub fn without_comments(tex: &str) -> String {
    let mut out = String::with_capacity(tex.len());
    let mut verbatim = false;
    for line in tex.split_inclusive('\n') {
        if verbatim {
            out.push_str(line);
            verbatim = !["\\end{verbatim", "\\end{lstlisting"]
                .iter()
                .any(|end| line.contains(end));
            continue;
        }
        verbatim = ["\\begin{verbatim", "\\begin{lstlisting"]
            .iter()
            .any(|begin| line.contains(begin));
        let bytes = line.as_bytes();
        let mut at = 0;
        let comment = loop {
            match bytes.get(at) {
                None => break None,
                Some(b'\\') => at += 2,
                Some(b'%') => break Some(at),
                Some(_) => at += 1,
            }
        };
        match comment {
            None => out.push_str(line),
            // A line that is a comment alone is no empty line, which would end a paragraph.
            Some(at) => out.push_str(&line[..at]),
        }
    }
    out
}

/// The argument that `text` begins with, white space aside: what is in braces, a command, or a character. With it, what
/// follows. `None` if there is none, or if it does not end soon.
pub fn argument(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    match first {
        '{' => enclosed(text, b'{', b'}'),
        '\\' => {
            let length = 1 + name(&text[1..])
                .len()
                .max(text[1..].chars().next()?.len_utf8());
            Some(text.split_at(length))
        }
        '}' => None,
        c => Some(text.split_at(c.len_utf8())),
    }
}

/// An argument in square brackets, if `text` begins with one.
pub fn optional(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    text.starts_with('[').then(|| enclosed(text, b'[', b']'))?
}

fn enclosed(text: &str, open: u8, close: u8) -> Option<(&str, &str)> {
    let (mut depth, mut at) = (0usize, 0);
    let bytes = &text.as_bytes()[..text.len().min(MAX_ARGUMENT)];
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            byte if byte == open => depth += 1,
            byte if byte == close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((&text[1..at], &text[at + 1..]));
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The letters of a command's name that `text` begins with.
pub fn name(text: &str) -> &str {
    let length = text
        .bytes()
        .take_while(|b| b.is_ascii_alphabetic() || *b == b'@')
        .count();
    &text[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go() {
        assert_eq!(
            without_comments("a % b\nc 50\\% d\\\\% e\n% f\ng"),
            "a c 50\\% d\\\\g"
        );
        let verbatim = "\\begin{verbatim}\n% kept\n\\end{verbatim}\n% gone\n";
        assert_eq!(without_comments(verbatim), &verbatim[..verbatim.len() - 7]);
    }

    #[test]
    fn arguments_are_found() {
        assert_eq!(argument(" {a{b}\\}c}d"), Some(("a{b}\\}c", "d")));
        assert_eq!(argument("\\alpha x"), Some(("\\alpha", " x")));
        assert_eq!(argument("äb"), Some(("ä", "b")));
        assert_eq!(argument("\\"), None);
        assert_eq!(argument("{a"), None);
        assert_eq!(optional("[a[b]]c"), Some(("a[b]", "c")));
        assert_eq!(optional("{a}"), None);
    }
}
