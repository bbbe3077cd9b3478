//! The three ways to cut a corpus into windows, and one that has none.

mod document;
mod paper;
mod stream;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use document::DocumentPlanner;
pub use paper::PaperPlanner;
pub use stream::{Stream, StreamSegment, StreamWindow};

/// What context a token is predicted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// As arXiv 2404.09937 has it: all documents in one row ([`PaperPlanner`]).
    Paper,
    /// Each document alone, whole ([`DocumentPlanner`]).
    Document,
    /// The codec's segments and blocks ([`Stream`]).
    Stream,
    /// Real bytes of the corpus as a file, by a model together with what is learnt while coding: no windows, no tokens.
    Mixed,
}

impl Protocol {
    /// What a unit of the plan is.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Paper | Self::Document => "documents",
            Self::Stream => "segments",
            Self::Mixed => "groups",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paper => "paper",
            Self::Document => "document",
            Self::Stream => "stream",
            Self::Mixed => "mixed",
        })
    }
}
