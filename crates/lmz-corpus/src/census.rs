//! What was found, and what was left out.

use serde::{Deserialize, Serialize};

use crate::lines::Line;

/// What a corpus was found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// BLAKE3 of the documents (see [`read_corpus`](crate::read_corpus)), in hexadecimal digits.
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
    /// Documents above [`MAX_DOCUMENT_BYTES`](crate::MAX_DOCUMENT_BYTES); left out.
    pub too_long: u64,
    /// Text files that are not UTF-8 throughout: kept, with U+FFFD for what is not.
    pub repaired: u64,
}

impl Skipped {
    /// Counts a line if it is no document, or an empty one.
    pub fn count(&mut self, line: &Line) {
        match line {
            Line::Document(document) if document.text.is_empty() => self.empty += 1,
            Line::Document(_) => {}
            Line::BadJson => self.bad_json += 1,
            Line::NoText => self.no_text += 1,
            Line::InvalidUtf8 => self.invalid_utf8 += 1,
            Line::TooLong => self.too_long += 1,
        }
    }

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
