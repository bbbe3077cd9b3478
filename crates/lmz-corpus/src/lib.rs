//! Corpora: documents in a fixed order, and what was wrong with those left out.
//!
//! One reader for everything that scores or trains, so that a file means the same to all of it:
//!
//! * **Files.** [`files`] takes a file, or a directory with all that is below it, in the order of the paths.
//!   In a directory, names that begin with a dot are passed over, links to files are followed and links to
//!   directories are not.
//! * **Packing.** A name that ends in `.zst` or `.gz` is unpacked, with zstd windows of up to 2^28 bytes.
//! * **Documents.** Each line of a `.jsonl` file is a JSON object; its text is in `content`, or else in
//!   `text`, or in the one field that was asked for. A field that is no string counts as missing. Lines that
//!   are no documents are left out and counted ([`Skipped`]), never an error. Any other file is one document.
//!
//! ```
//! use lmz_corpus::{CorpusError, CorpusOptions, read_corpus};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("two.jsonl");
//! std::fs::write(&path, "{\"text\": \"one\"}\nno JSON\n{\"content\": \"two\", \"text\": \"2\"}\n")?;
//! let mut texts = Vec::new();
//! let census = read_corpus(&path, &CorpusOptions::default(), &mut |text| {
//!     texts.push(text.to_owned());
//!     Ok::<(), CorpusError>(())
//! })?;
//! assert_eq!(texts, ["one", "two"]);
//! assert_eq!(census.skipped.reasons(), ["1 bad JSON"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "build")]
pub mod build;
mod census;
mod error;
mod files;
mod lines;
mod read;

pub use census::{Census, Skipped};
pub use error::{CorpusError, Result};
pub use files::{Form, Selection, SourceFile, files};
pub use lines::{Document, Documents, Line, MAX_DOCUMENT_BYTES};
pub use read::{CorpusOptions, read_corpus};
