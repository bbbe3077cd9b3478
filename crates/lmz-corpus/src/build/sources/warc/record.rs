//! Records of WARC files (ISO 28500): a version line, headers, a body of known length.

use std::io::{self, BufRead, Read};

/// Longest line of a header, and longest block of headers, in bytes.
const MAX_HEADERS: u64 = 1 << 16;
/// A length beyond this is a mistake and not a length.
const MAX_LENGTH: u64 = 1 << 32;

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    headers: Vec<(String, String)>,
    /// What it holds.
    pub body: Vec<u8>,
}

impl Record {
    /// A header's value; the case of its name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What comes next in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A whole record.
    Record(Record),
    /// Something that is none, or one that breaks off. Reading goes on at what looks like the next one.
    Broken,
    /// What the last record was in is damaged: it may be, too.
    Unsound,
    /// A record whose body is longer than wanted; it was passed over.
    TooLong,
}

/// Reads the records of a file.
pub struct RecordReader<R> {
    input: R,
    most: u64,
    /// A version line that was read already.
    pending: bool,
    /// Whether a record was read last: white space must follow.
    behind: bool,
}

enum Line {
    End,
    Text(String),
    /// Too long, or broken.
    Bad,
}

impl<R: BufRead> RecordReader<R> {
    /// Records with bodies of at most `most` bytes. Errors of the kinds `InvalidData` (damage of what was
    /// read) and `InvalidInput` (something in between) of `input` mean that there is a gap.
    pub fn new(input: R, most: u64) -> Self {
        Self {
            input,
            most,
            pending: false,
            behind: false,
        }
    }

    /// What is read from.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn next_found(&mut self) -> io::Result<Option<Found>> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let mut begun = false;
        match self.record(&mut begun) {
            Err(error) if error.kind() == InvalidData && !begun => Ok(Some(Found::Unsound)),
            Err(error) if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) => {
                Ok(Some(Found::Broken))
            }
            other => other,
        }
    }

    fn record(&mut self, begun: &mut bool) -> io::Result<Option<Found>> {
        let mut behind = std::mem::take(&mut self.behind);
        if !std::mem::take(&mut self.pending) {
            loop {
                match self.line()? {
                    Line::End => return Ok(None),
                    Line::Text(line) if line.is_empty() => behind = false,
                    Line::Text(line) if line.starts_with("WARC/") => break,
                    // Its length was wrong, or its bytes are.
                    _ if behind => return self.lost(Found::Unsound),
                    _ => return self.lost(Found::Broken),
                }
            }
        }
        *begun = true;
        let mut record = Record::default();
        let mut left = MAX_HEADERS as usize;
        loop {
            match self.line()? {
                Line::Text(line) if line.is_empty() => break,
                Line::Text(line) if line.len() <= left => {
                    left -= line.len();
                    match (line.starts_with([' ', '\t']), record.headers.last_mut()) {
                        // A header's value may go on in the next line.
                        (true, Some((_, value))) => {
                            value.push(' ');
                            value.push_str(line.trim());
                        }
                        _ => {
                            let Some((name, value)) = line.split_once(':') else {
                                return self.lost(Found::Broken);
                            };
                            record
                                .headers
                                .push((name.trim().to_owned(), value.trim().to_owned()));
                        }
                    }
                }
                _ => return self.lost(Found::Broken),
            }
        }
        let length = record
            .header("Content-Length")
            .and_then(|length| length.parse::<u64>().ok());
        let Some(length) = length.filter(|length| *length <= MAX_LENGTH) else {
            return self.lost(Found::Broken);
        };
        let mut body = (&mut self.input).take(length);
        if length > self.most {
            let passed = io::copy(&mut body, &mut io::sink())?;
            return Ok(Some(if passed == length {
                Found::TooLong
            } else {
                Found::Broken
            }));
        }
        body.read_to_end(&mut record.body)?;
        self.behind = true;
        Ok(Some(if record.body.len() as u64 == length {
            Found::Record(record)
        } else {
            Found::Broken
        }))
    }

    /// Goes to the next version line.
    fn lost(&mut self, found: Found) -> io::Result<Option<Found>> {
        loop {
            match self.line() {
                Ok(Line::End) => break,
                Ok(Line::Text(line)) if line.starts_with("WARC/") => {
                    self.pending = true;
                    break;
                }
                Err(error)
                    if !matches!(
                        error.kind(),
                        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
                    ) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(Some(found))
    }

    /// A line without its end.
    fn line(&mut self) -> io::Result<Line> {
        let mut bytes = Vec::new();
        let n = (&mut self.input)
            .take(MAX_HEADERS)
            .read_until(b'\n', &mut bytes)?;
        if n == 0 {
            return Ok(Line::End);
        }
        if bytes.last() != Some(&b'\n') && n as u64 == MAX_HEADERS {
            self.input.skip_until(b'\n')?;
            return Ok(Line::Bad);
        }
        let line = bytes.trim_ascii_end();
        Ok(Line::Text(String::from_utf8_lossy(line).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> (Vec<String>, u64, u64) {
        let mut reader = RecordReader::new(bytes, 20);
        let (mut bodies, mut broken, mut long) = (Vec::new(), 0, 0);
        while let Some(found) = reader.next_found().unwrap() {
            match found {
                Found::Record(record) => {
                    bodies.push(String::from_utf8_lossy(&record.body).into_owned())
                }
                Found::Broken | Found::Unsound => broken += 1,
                Found::TooLong => long += 1,
            }
        }
        (bodies, broken, long)
    }

    const GOOD: &str =
        "WARC/1.0\r\nWARC-Type: conversion\r\ncontent-length: 5\r\n\r\nhello\r\n\r\n";

    #[test]
    fn broken_records_are_passed_over() {
        let reads = |text: &str| all(text.as_bytes());
        assert_eq!(
            reads(&GOOD.repeat(2)),
            (vec!["hello".into(), "hello".into()], 0, 0)
        );
        for (bad, long) in [
            ("WARC/1.0\r\nno header\r\n\r\n", 0),
            ("WARC/1.0\r\nWARC-Type: x\r\n\r\nhello\r\n\r\n", 0),
            ("WARC/1.0\r\nContent-Length: -1\r\n\r\nhello\r\n\r\n", 0),
            (
                "WARC/1.0\r\nContent-Length: 99999999999999\r\n\r\nhello\r\n\r\n",
                0,
            ),
            ("garbage\r\n", 0),
            ("WARC/1.0\r\nContent-Length: 2\r\n\r\nhello\r\n\r\n", 0),
            (
                "WARC/1.1\nContent-Length: 25\n\n1234567890123456789012345\n\n",
                1,
            ),
        ] {
            let (bodies, broken, too_long) = reads(&format!("{GOOD}{bad}{GOOD}"));
            let kept = bodies.iter().filter(|body| *body == "hello").count();
            assert_eq!((kept, broken, too_long), (2, 1 - long, long), "{bad}");
        }
        let (_, broken, _) = reads(&GOOD[..GOOD.len() - 6]);
        assert_eq!(broken, 1);
        let folded = "WARC/1.0\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n\r\n\r\n";
        let mut reader = RecordReader::new(folded.as_bytes(), 1);
        let Some(Found::Record(record)) = reader.next_found().unwrap() else {
            panic!()
        };
        assert_eq!(record.header("x"), Some("a b"));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..70) {
            let mut good = GOOD.as_bytes().to_vec();
            good.splice(at.min(good.len()).., bytes.iter().copied());
            good.extend(GOOD.as_bytes());
            prop_assert!(all(&good).0.len() <= 3);
        }
    }
}
