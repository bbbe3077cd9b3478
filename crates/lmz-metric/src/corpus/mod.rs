//! Corpora: documents in a fixed order, and what was wrong with those left out.
//!
//! A corpus is a `.jsonl` file (a JSON object a line, the text in `content` or `text`), any other
//! file (one document), or a directory of `.jsonl` and `.txt` files, taken in the order of their
//! paths. Each may be compressed, as `.zst` or `.gz`. Documents pass one at a time: a corpus may be
//! larger than memory.

mod files;
mod lines;

use std::io::{BufRead, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{MetricError, Result};
use files::{Form, SourceFile};
use lines::{Line, Lines};

/// Largest document, in bytes; longer ones are left out and counted.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

const HASH_DOMAIN: &str = "lmz corpus v1";

/// What of a corpus is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorpusOptions {
    /// The field of a JSON line that holds the text; `content`, or else `text`, if none is named.
    pub field: Option<String>,
    /// At most this many documents, the first ones.
    pub limit: Option<u64>,
}

/// What a corpus was found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// BLAKE3 of the documents (see [`read_corpus`]), in hexadecimal digits.
    pub hash: String,
    /// Files that documents came from, or that were looked through for some.
    pub files: u64,
    /// Documents.
    pub documents: u64,
    /// Bytes of their texts, in UTF-8.
    pub bytes: u64,
    /// Unicode code points of their texts.
    pub characters: u64,
    /// What else was there.
    pub skipped: Skipped,
}

/// Lines and documents that are not part of a corpus as they are, counted by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Lines that are no JSON; left out.
    pub bad_json: u64,
    /// JSON lines without the field, or with something else than a string in it; left out.
    pub no_text: u64,
    /// JSON lines that are not UTF-8; left out.
    pub invalid_utf8: u64,
    /// Documents that are empty; left out.
    pub empty: u64,
    /// Documents above [`MAX_DOCUMENT_BYTES`]; left out.
    pub too_long: u64,
    /// Text files that are not UTF-8 throughout: kept, with U+FFFD for what is not.
    pub repaired: u64,
}

impl Skipped {
    /// How many documents or lines are not there.
    pub fn left_out(&self) -> u64 {
        self.bad_json + self.no_text + self.invalid_utf8 + self.empty + self.too_long
    }

    /// What was left out and why, for people: `2 bad JSON`, `1 empty`.
    pub fn reasons(&self) -> Vec<String> {
        let all = [
            (self.bad_json, "bad JSON"),
            (self.no_text, "without a text"),
            (self.invalid_utf8, "not UTF-8"),
            (self.empty, "empty"),
            (self.too_long, "too long"),
        ];
        let found = all.into_iter().filter(|(n, _)| *n > 0);
        found.map(|(n, why)| format!("{n} {why}")).collect()
    }
}

/// Reads a corpus, document by document.
///
/// The corpus's hash is BLAKE3 over the length in bytes of `"lmz corpus v1"` and that text, then
/// for each document the length of its text in bytes and the text (UTF-8); lengths are
/// little-endian u64. Files' names and what was left out have no part in it.
///
/// # Errors
/// The path is no corpus or cannot be read; `each` failed. Content is never an error: it is
/// counted in [`Skipped`].
pub fn read_corpus(
    path: &Path,
    options: &CorpusOptions,
    each: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Census> {
    let mut reading = Reading {
        options,
        each,
        hash: blake3::Hasher::new(),
        census: Census::default(),
    };
    reading.put_length(HASH_DOMAIN.len());
    reading.hash.update(HASH_DOMAIN.as_bytes());
    for file in files::list(path)? {
        if reading.is_full() {
            break;
        }
        reading.census.files += 1;
        let stream = file.open()?;
        match file.form {
            Form::Lines => reading.lines(&file, stream)?,
            Form::Text => reading.text(&file, stream)?,
        }
    }
    let mut census = reading.census;
    census.hash = reading.hash.finalize().to_hex().to_string();
    Ok(census)
}

struct Reading<'a> {
    options: &'a CorpusOptions,
    each: &'a mut dyn FnMut(&str) -> Result<()>,
    hash: blake3::Hasher,
    census: Census,
}

impl Reading<'_> {
    fn is_full(&self) -> bool {
        let limit = self.options.limit;
        limit.is_some_and(|limit| self.census.documents >= limit)
    }

    fn put_length(&mut self, bytes: usize) {
        self.hash.update(&(bytes as u64).to_le_bytes());
    }

    fn lines(&mut self, file: &SourceFile, stream: Box<dyn BufRead>) -> Result<()> {
        let mut lines = Lines::new(stream, self.options.field.as_deref());
        while !self.is_full() {
            let skipped = &mut self.census.skipped;
            match lines.next().map_err(MetricError::io(&file.path))? {
                None => break,
                Some(Line::Text(text)) => self.document(&text)?,
                Some(Line::BadJson) => skipped.bad_json += 1,
                Some(Line::NoText) => skipped.no_text += 1,
                Some(Line::InvalidUtf8) => skipped.invalid_utf8 += 1,
                Some(Line::TooLong) => skipped.too_long += 1,
            }
        }
        Ok(())
    }

    fn text(&mut self, file: &SourceFile, stream: Box<dyn BufRead>) -> Result<()> {
        let mut bytes = Vec::new();
        let mut bounded = stream.take(MAX_DOCUMENT_BYTES + 1);
        let read = bounded.read_to_end(&mut bytes);
        read.map_err(MetricError::io(&file.path))?;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            self.census.skipped.too_long += 1;
            return Ok(());
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            self.census.skipped.repaired += 1;
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        self.document(&text)
    }

    fn document(&mut self, text: &str) -> Result<()> {
        if text.is_empty() {
            self.census.skipped.empty += 1;
            return Ok(());
        }
        self.put_length(text.len());
        self.hash.update(text.as_bytes());
        self.census.documents += 1;
        self.census.bytes += text.len() as u64;
        self.census.characters += text.chars().count() as u64;
        (self.each)(text)
    }
}
