//! Lines and messages of a file, of bounded length.

use std::io::{self, BufRead, Read};

use super::super::super::counts::Counts;
use super::super::super::limits::{MAX_ITEM_BYTES, MAX_LINE_BYTES};
use crate::error::Result;

/// Is given the number of a line, and the line.
type EachLine<'a> = dyn FnMut(u64, Vec<u8>, &mut Counts) -> Result<()> + 'a;

/// Calls `each` for the lines of a file that are not blank, with their numbers, from 1. Longer ones than a document can be
/// are passed over.
pub fn lines(
    input: &mut dyn BufRead,
    counts: &mut Counts,
    each: &mut EachLine<'_>,
) -> Result<io::Result<()>> {
    for number in 1.. {
        let mut line = Vec::new();
        match input.take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
        if line.len() as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            counts.one("skipped: line too long");
            if let Err(error) = input.skip_until(b'\n') {
                return Ok(Err(error));
            }
            continue;
        }
        if !line.trim_ascii().is_empty() {
            each(number, line, counts)?;
        }
    }
    Ok(Ok(()))
}

/// Calls `each` for the messages of a mailbox (mbox), with their numbers, from 1.
pub fn messages(
    input: &mut dyn BufRead,
    counts: &mut Counts,
    each: &mut dyn FnMut(u64, Vec<u8>) -> Result<()>,
) -> Result<io::Result<()>> {
    let (mut message, mut number, mut blank, mut too_long) = (Vec::new(), 0, true, false);
    loop {
        let start = message.len();
        let n = match input.take(MAX_ITEM_BYTES).read_until(b'\n', &mut message) {
            Ok(n) => n,
            Err(error) => return Ok(Err(error)),
        };
        let line = &message[start..];
        let begins = blank && line.starts_with(b"From ");
        if n == 0 || begins {
            if std::mem::take(&mut too_long) {
                counts.one("skipped: message too long");
            } else if start > 0 && number > 0 {
                each(number, message[..start].to_vec())?;
            }
            if n == 0 {
                return Ok(Ok(()));
            }
            number += 1;
            // The separator is no part of the message.
            message.clear();
            blank = false;
            continue;
        }
        blank = line.trim_ascii_end().is_empty();
        if line.starts_with(b">From ") {
            message.remove(start);
        }
        if message.len() as u64 > MAX_ITEM_BYTES || too_long {
            too_long = true;
            message.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_cut_at_their_separators() {
        let mbox = b"From a\nSubject: 1\n\nFrom here on.\n>From x\n\nFrom b\nSubject: 2\n\nb\n";
        let mut found = Vec::new();
        let each = &mut |number, bytes: Vec<u8>| {
            found.push((number, String::from_utf8(bytes).unwrap()));
            Ok(())
        };
        messages(&mut &mbox[..], &mut Counts::default(), each)
            .unwrap()
            .unwrap();
        // A line that begins with From behind an empty line is a separator: so is mbox.
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            ["Subject: 1\n\n", "From x\n\n", "Subject: 2\n\nb\n"].map(|t| t)
        );
    }

    #[test]
    fn endless_lines_are_passed_over() {
        let mut counts = Counts::default();
        let long = io::repeat(b'a').take(MAX_LINE_BYTES + 10);
        let mut input = io::BufReader::new(long.chain(&b"\nshort\n\nlast"[..]));
        let mut found = Vec::new();
        let each = &mut |number, line: Vec<u8>, _: &mut Counts| {
            found.push((number, line.len()));
            Ok(())
        };
        lines(&mut input, &mut counts, each).unwrap().unwrap();
        assert_eq!(found, [(2, 6), (4, 4)]);
        assert_eq!(counts.get("skipped: line too long"), 1);
    }
}
