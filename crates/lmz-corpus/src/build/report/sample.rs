//! Documents at random.

use std::collections::BinaryHeap;
use std::io::{BufRead, Read, Write};
use std::path::Path;

use super::super::dedup::rank;
use super::super::limits::MAX_LINE_BYTES;
use crate::error::{CorpusError, Result};
use crate::files::{Form, Selection, SourceFile, files};

/// Writes `n` lines of a corpus of JSON lines, as they are and in their order: those with the least hash of seed and place.
/// Which they are depends on the seed and on how many lines there are, and on nothing else. Gives their number.
///
/// # Errors
/// The corpus cannot be read or is none of JSON lines; those of `out`.
pub fn sample(path: &Path, n: usize, seed: u64, out: &mut dyn Write) -> Result<u64> {
    let files: Vec<SourceFile> = files(path, Selection::Named)?
        .into_iter()
        .filter(|file| file.form == Form::Lines)
        .collect();
    if files.is_empty() {
        return Err(CorpusError::not_a_corpus(
            path,
            "no JSON lines (.jsonl) in it",
        ));
    }
    // Places with the least ranks; the greatest of them on top.
    let mut chosen: BinaryHeap<(u64, u64)> = BinaryHeap::new();
    let mut place = 0;
    for file in &files {
        each_line(file, &mut |_| {
            place += 1;
            chosen.push((rank(seed, place), place));
            if chosen.len() > n {
                chosen.pop();
            }
            Ok(())
        })?;
    }
    let mut places: Vec<u64> = chosen.into_iter().map(|(_, place)| place).collect();
    places.sort_unstable();
    let mut wanted = places.iter().copied().peekable();
    place = 0;
    for file in &files {
        if wanted.peek().is_none() {
            break;
        }
        each_line(file, &mut |line| {
            place += 1;
            if wanted.next_if_eq(&place).is_some() {
                let io = CorpusError::io(Path::new("output"));
                out.write_all(line.trim_ascii_end())
                    .and_then(|()| out.write_all(b"\n"))
                    .map_err(io)?;
            }
            Ok(())
        })?;
    }
    Ok(places.len() as u64)
}

/// Calls `each` for the lines that are not blank. What is longer than a line can be is cut into several.
fn each_line(file: &SourceFile, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut stream = file.open()?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = (&mut stream)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(CorpusError::io(&file.path))?;
        if n == 0 {
            return Ok(());
        }
        if !line.trim_ascii().is_empty() {
            each(&line)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_its_seeds() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.jsonl");
        let text: String = (0..100)
            .map(|n| format!("{{\"text\": \"{n}\"}}\n\n"))
            .collect();
        std::fs::write(&path, &text).unwrap();
        let take = |n, seed| {
            let mut out = Vec::new();
            let written = sample(&path, n, seed, &mut out).unwrap();
            (written, String::from_utf8(out).unwrap())
        };
        let (written, one) = take(10, 1);
        assert_eq!((written, one.lines().count()), (10, 10));
        assert_eq!(take(10, 1).1, one);
        assert_ne!(take(10, 2).1, one);
        // A larger sample has the smaller one in it.
        let more = take(20, 1).1;
        assert!(one.lines().all(|line| more.contains(line)));
        assert_eq!(take(1000, 3).1, text.replace("\n\n", "\n"));
    }
}
