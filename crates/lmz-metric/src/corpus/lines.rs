//! JSON lines, one at a time and of bounded length.

use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::MAX_DOCUMENT_BYTES;

/// Longest line: a text with every byte escaped, and other fields beside it.
const MAX_LINE_BYTES: u64 = 8 * MAX_DOCUMENT_BYTES;
/// Fields that hold a document's text, unless one is named.
const FIELDS: [&str; 2] = ["content", "text"];

/// What a line holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Text(String),
    BadJson,
    NoText,
    InvalidUtf8,
    TooLong,
}

/// The lines of a file that are not blank.
pub struct Lines<'a> {
    stream: Box<dyn BufRead>,
    field: Option<&'a str>,
    first: bool,
}

impl<'a> Lines<'a> {
    pub fn new(stream: Box<dyn BufRead>, field: Option<&'a str>) -> Self {
        Self {
            stream,
            field,
            first: true,
        }
    }

    /// The next line; none at the end.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut self.stream).take(MAX_LINE_BYTES);
            if bounded.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if line.len() as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
                self.skip_line()?;
                return Ok(Some(Line::TooLong));
            }
            let mut bytes = line.as_slice();
            if std::mem::take(&mut self.first) {
                // Some editors put a byte order mark first.
                bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(self.parse(bytes)));
            }
        }
    }

    fn parse(&self, line: &[u8]) -> Line {
        let Ok(line) = std::str::from_utf8(line) else {
            return Line::InvalidUtf8;
        };
        let Ok(mut value) = serde_json::from_str::<Value>(line) else {
            return Line::BadJson;
        };
        let mut take = |field: &str| match value.get_mut(field).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let text = match self.field {
            Some(field) => take(field),
            None => FIELDS.into_iter().find_map(take),
        };
        match text {
            Some(text) if text.len() as u64 > MAX_DOCUMENT_BYTES => Line::TooLong,
            Some(text) => Line::Text(text),
            None => Line::NoText,
        }
    }

    /// Passes over the rest of a line.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.stream.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let (used, done) = match buffer.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            };
            self.stream.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], field: Option<&str>) -> Vec<Line> {
        let mut lines = Lines::new(Box::new(bytes), field);
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    fn text(text: &str) -> Line {
        Line::Text(text.into())
    }

    #[test]
    fn the_text_is_in_content_or_text_or_where_it_is_said_to_be() {
        let lines: &[u8] =
            b"{\"text\": \"a\"}\n\n {\"content\": \"b\", \"text\": \"c\"}\r\n{\"body\": \"d\"}";
        assert_eq!(read(lines, None), [text("a"), text("b"), Line::NoText]);
        let body = [Line::NoText, Line::NoText, text("d")];
        assert_eq!(read(lines, Some("body")), body);
    }

    #[test]
    fn whatever_is_no_document_has_a_name() {
        let lines = b"\xef\xbb\xbf{\"text\": \"\"}\n{\"text\": \"\xff\"}\n{\"text\": 1}\n[]\n\"x\"\n{\"text\":\n{\"text\": \"\\ud800\"}\n";
        let expected = [
            text(""),
            Line::InvalidUtf8,
            Line::NoText,
            Line::NoText,
            Line::NoText,
            Line::BadJson,
            Line::BadJson,
        ];
        assert_eq!(read(lines, None), expected);
    }
}
