//! How documents are chosen.

use serde::{Deserialize, Serialize};

/// What happens to a paragraph (a line) that is there in several documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paragraphs {
    /// It stays.
    #[default]
    Keep,
    /// It stays where it is first.
    First,
    /// It goes everywhere, as in CCNet: what two pages have in common is not theirs.
    Drop,
}

/// How near duplicates are told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// The least part of their sets of words that two documents have in common, as MinHash estimates it.
    pub threshold: f64,
    /// How many words that follow each other are one element of the set.
    pub words: usize,
}

/// Settings of the stages after [`super::extract`].
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Whether of documents with the same text only the first is kept.
    pub exact: bool,
    /// What happens to paragraphs that are there twice.
    pub paragraphs: Paragraphs,
    /// Whether near duplicates are dropped.
    pub near: Option<Near>,
    /// Fewest characters that must be left of a document without its paragraphs.
    pub min_characters: u64,
    /// Orders the sample.
    pub seed: u64,
    /// Most bytes of documents' texts; all, if it is not given.
    pub size: Option<u64>,
    /// Most documents of one host.
    pub per_host: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            exact: true,
            paragraphs: Paragraphs::Keep,
            near: None,
            min_characters: 1,
            seed: 0,
            size: None,
            per_host: None,
        }
    }
}
