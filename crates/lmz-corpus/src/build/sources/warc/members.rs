//! Gzip members, one behind the other, some of them broken.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// A file of gzip members as one stream.
///
/// Where a member is broken there is one error of the kind `InvalidData`, and where something is no member one of the kind
/// `InvalidInput`; then what follows the next bytes that look like the beginning of a member.
pub struct Members<R: BufRead> {
    state: State<R>,
    /// How many were broken.
    pub broken: u64,
}

enum State<R: BufRead> {
    /// Before a member, or at the end.
    Between(Pushed<R>),
    In(Box<GzDecoder<Pushed<R>>>),
    End,
}

impl<R: BufRead> Members<R> {
    /// The members of `input`.
    pub fn new(input: R) -> Self {
        let state = State::Between(Pushed { input, first: &[] });
        Self { state, broken: 0 }
    }

    fn lost(&mut self, mut input: Pushed<R>, kind: io::ErrorKind) -> io::Result<usize> {
        self.broken += 1;
        if input.find_member()? {
            self.state = State::Between(input);
        }
        Err(kind.into())
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::End) {
                State::End => return Ok(0),
                State::Between(mut input) => {
                    match input.fill_buf()?.first() {
                        None => return Ok(0),
                        Some(first) if *first != MAGIC[0] => {
                            return self.lost(input, io::ErrorKind::InvalidInput);
                        }
                        Some(_) => {}
                    }
                    self.state = State::In(Box::new(GzDecoder::new(input)));
                }
                State::In(mut decoder) => match decoder.read(bytes) {
                    Ok(0) => self.state = State::Between(decoder.into_inner()),
                    Ok(n) => {
                        self.state = State::In(decoder);
                        return Ok(n);
                    }
                    Err(_) => return self.lost(decoder.into_inner(), io::ErrorKind::InvalidData),
                },
            }
        }
    }
}

/// What a member begins with: gzip, deflate.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// A reader that was read three bytes too far.
struct Pushed<R> {
    input: R,
    first: &'static [u8],
}

impl<R: BufRead> Pushed<R> {
    /// Goes to the next bytes that look like a member's beginning; `false` if there are none.
    fn find_member(&mut self) -> io::Result<bool> {
        self.first = &[];
        let mut matched = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let mut used = 0;
            for &byte in buffer {
                used += 1;
                matched = match (matched, byte) {
                    (1, 0x8b) => 2,
                    (2, 8) => 3,
                    (_, 0x1f) => 1,
                    _ => 0,
                };
                if matched == 3 {
                    break;
                }
            }
            self.input.consume(used);
            if matched == 3 {
                self.first = &MAGIC;
                return Ok(true);
            }
        }
    }
}

impl<R: BufRead> Read for Pushed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let buffer = self.fill_buf()?;
        let n = buffer.len().min(bytes.len());
        bytes[..n].copy_from_slice(&buffer[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Pushed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.first.is_empty() {
            true => self.input.fill_buf(),
            false => Ok(self.first),
        }
    }

    fn consume(&mut self, n: usize) {
        match self.first.is_empty() {
            true => self.input.consume(n),
            false => self.first = &self.first[n..],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8], buffer: usize) -> (Vec<u8>, u64) {
        let mut members = Members::new(BufReader::with_capacity(buffer, bytes));
        let mut all = Vec::new();
        loop {
            let mut part = [0; 7];
            match members.read(&mut part) {
                Ok(0) => return (all, members.broken),
                Ok(n) => all.extend(&part[..n]),
                Err(error) => {
                    let expected = [io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput];
                    assert!(expected.contains(&error.kind()));
                    all.push(b'!');
                }
            }
        }
    }

    #[test]
    fn what_is_broken_is_passed_over() {
        let (a, b, c) = (member(b"first "), member(b"second "), member(b"third"));
        for buffer in [1, 2, 3, 64] {
            let whole = [&a[..], &b, &c].concat();
            assert_eq!(read(&whole, buffer), (b"first second third".to_vec(), 0));
            let mut bad = b.clone();
            // The checksum.
            let at = bad.len() - 6;
            bad[at] ^= 1;
            let (text, broken) = read(&[&a[..], &bad, &c].concat(), buffer);
            assert_eq!(
                (
                    text.starts_with(b"first "),
                    text.ends_with(b"!third"),
                    broken
                ),
                (true, true, 1)
            );
            let cut = &whole[..whole.len() - 9];
            assert_eq!(read(cut, buffer).1, 1);
            let (text, broken) = read(&[b"garbage", &a[..]].concat(), buffer);
            assert_eq!((text.as_slice(), broken), (&b"!first "[..], 1));
            let (text, broken) = read(&[&a[..], &[0; 50]].concat(), buffer);
            assert_eq!((text.as_slice(), broken), (&b"first !"[..], 1));
        }
        assert_eq!(read(b"", 8), (Vec::new(), 0));
    }
}
