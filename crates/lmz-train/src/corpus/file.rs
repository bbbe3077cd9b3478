//! A file of a corpus.

use lmz_corpus::SourceFile;

/// Where a file of a corpus is, and what its text counts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Where it is, and how its text lies in it.
    pub source: SourceFile,
    /// What its text is counted as, unless a document says otherwise: the name of the directory
    /// that was given, or the file's own without its extensions.
    pub domain: String,
    /// Its size as it is stored, in bytes.
    pub bytes: u64,
}
