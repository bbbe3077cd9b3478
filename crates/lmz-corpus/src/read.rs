//! A whole corpus, document by document.

use std::io::Read;
use std::path::Path;

use crate::census::Census;
use crate::error::CorpusError;
use crate::files::{Form, Selection, SourceFile, files};
use crate::lines::{Line, MAX_DOCUMENT_BYTES};

const HASH_DOMAIN: &str = "lmz corpus v1";

/// What of a corpus is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorpusOptions {
    /// The field of a JSON line that holds the text; `content`, or else `text`, if none is named.
    pub field: Option<String>,
    /// At most this many documents, the first ones.
    pub limit: Option<u64>,
}

/// Reads a corpus, document by document: a `.jsonl` file, any other file as one document, or the
/// `.jsonl` and `.txt` files of a directory.
///
/// The corpus's hash is BLAKE3 over the length in bytes of `"lmz corpus v1"` and that text, then
/// for each document the length of its text in bytes and the text (UTF-8); lengths are
/// little-endian u64. Files' names and what was left out have no part in it.
///
/// # Errors
/// The path is no corpus or cannot be read; `each` failed. Content is never an error: it is
/// counted in [`Skipped`](crate::Skipped).
pub fn read_corpus<E: From<CorpusError>>(
    path: &Path,
    options: &CorpusOptions,
    each: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<Census, E> {
    let mut reading = Reading {
        options,
        each,
        hash: CorpusHash::default(),
        census: Census::default(),
    };
    for file in files(path, Selection::Named)? {
        if reading.is_full() {
            break;
        }
        reading.census.files += 1;
        match file.form {
            Form::Lines => reading.lines(&file)?,
            Form::Text => reading.text(&file)?,
        }
    }
    let mut census = reading.census;
    census.hash = reading.hash.finish();
    Ok(census)
}

/// The hash of a corpus, on its way; see [`read_corpus`].
pub(crate) struct CorpusHash(blake3::Hasher);

impl Default for CorpusHash {
    fn default() -> Self {
        let mut hash = Self(blake3::Hasher::new());
        hash.add(HASH_DOMAIN);
        hash
    }
}

impl CorpusHash {
    /// The next document.
    pub(crate) fn add(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// In hexadecimal digits.
    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

struct Reading<'a, E> {
    options: &'a CorpusOptions,
    each: &'a mut dyn FnMut(&str) -> Result<(), E>,
    hash: CorpusHash,
    census: Census,
}

impl<E: From<CorpusError>> Reading<'_, E> {
    fn is_full(&self) -> bool {
        let limit = self.options.limit;
        limit.is_some_and(|limit| self.census.documents >= limit)
    }

    fn lines(&mut self, file: &SourceFile) -> Result<(), E> {
        let field = self.options.field.as_deref();
        let mut lines = file.documents(field)?;
        while !self.is_full() {
            let Some(line) = lines.next() else { break };
            let line = line.map_err(CorpusError::io(&file.path))?;
            self.census.skipped.count(&line);
            if let Line::Document(document) = line {
                self.document(&document.text)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, file: &SourceFile) -> Result<(), E> {
        let mut bytes = Vec::new();
        let mut bounded = file.open()?.take(MAX_DOCUMENT_BYTES + 1);
        let read = bounded.read_to_end(&mut bytes);
        read.map_err(CorpusError::io(&file.path))?;
        let skipped = &mut self.census.skipped;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            skipped.too_long += 1;
            return Ok(());
        }
        if bytes.is_empty() {
            skipped.empty += 1;
            return Ok(());
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            skipped.repaired += 1;
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        self.document(&text)
    }

    fn document(&mut self, text: &str) -> Result<(), E> {
        if text.is_empty() {
            return Ok(());
        }
        self.hash.add(text);
        self.census.documents += 1;
        self.census.bytes += text.len() as u64;
        self.census.characters += text.chars().count() as u64;
        (self.each)(text)
    }
}
