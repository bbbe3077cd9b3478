//! What is known of a dataset's files.

use serde::{Deserialize, Serialize};

/// What a domain's file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub name: String,
    /// Tokens in the file.
    pub tokens: u64,
    /// How many of them, at the end, are for validation only.
    pub held_out: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Whether it is held-out text as a whole.
    pub other: bool,
}

impl Facts {
    /// Tokens that may be trained on.
    pub fn trained(&self) -> u64 {
        match self.other {
            true => 0,
            false => self.tokens - self.held_out,
        }
    }

    /// Tokens that are for validation.
    pub(super) fn validation(&self) -> u64 {
        match self.other {
            true => self.tokens,
            false => self.held_out,
        }
    }
}

/// The name of a domain's file.
pub(super) fn file_name(index: usize) -> String {
    format!("{index:04}.u16")
}
