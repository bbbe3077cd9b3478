//! JSON lines, one at a time and of bounded length.

use std::io::{self, BufRead, Read};

use serde_json::Value;

/// Largest document, in bytes; longer ones are left out and counted.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

/// Longest line: a text with every byte escaped, and other fields beside it.
const MAX_LINE_BYTES: u64 = 8 * MAX_DOCUMENT_BYTES;
/// Fields that hold a document's text, unless one is named.
const FIELDS: [&str; 2] = ["content", "text"];
/// The field in which a document may say which kind of text it is.
const DOMAIN: &str = "domain";

/// A document of a JSON line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its text; may be empty.
    pub text: String,
    /// What its field `domain` says.
    pub domain: Option<String>,
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A document.
    Document(Document),
    /// Something that is not JSON.
    BadJson,
    /// JSON without a text.
    NoText,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A line, or a text, above the limits.
    TooLong,
}

/// The lines of a file that are not blank.
pub struct Documents<'a> {
    stream: Box<dyn BufRead>,
    field: Option<&'a str>,
    first: bool,
}

impl<'a> Documents<'a> {
    /// The lines of `stream`, whose texts are in `field`, or else in `content` or `text`.
    pub fn new(stream: Box<dyn BufRead>, field: Option<&'a str>) -> Self {
        Self {
            stream,
            field,
            first: true,
        }
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut self.stream).take(MAX_LINE_BYTES);
            if bounded.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if line.len() as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
                self.stream.skip_until(b'\n')?;
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
            None => FIELDS.into_iter().find_map(&mut take),
        };
        match text {
            Some(text) if text.len() as u64 > MAX_DOCUMENT_BYTES => Line::TooLong,
            Some(text) => Line::Document(Document {
                text,
                domain: take(DOMAIN),
            }),
            None => Line::NoText,
        }
    }
}

impl Iterator for Documents<'_> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], field: Option<&str>) -> Vec<Line> {
        let lines = Documents::new(Box::new(bytes), field);
        lines.map(Result::unwrap).collect()
    }

    fn text(text: &str) -> Line {
        Line::Document(Document {
            text: text.into(),
            domain: None,
        })
    }

    #[test]
    fn the_text_is_in_content_or_text_or_where_it_is_said_to_be() {
        let lines: &[u8] =
            b"{\"text\": \"a\"}\n\n {\"content\": \"b\", \"text\": \"c\"}\r\n{\"body\": \"d\"}\n\
              {\"content\": 7, \"text\": \"e\"}";
        assert_eq!(
            read(lines, None),
            [text("a"), text("b"), Line::NoText, text("e")]
        );
        let body = [Line::NoText, Line::NoText, text("d"), Line::NoText];
        assert_eq!(read(lines, Some("body")), body);
    }

    #[test]
    fn a_document_may_name_its_domain() {
        let lines = b"{\"domain\": \"web\", \"text\": \"a\"}\n{\"domain\": 7, \"text\": \"a\"}\n";
        let web = Line::Document(Document {
            text: "a".into(),
            domain: Some("web".into()),
        });
        assert_eq!(read(lines, None), [web, text("a")]);
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
