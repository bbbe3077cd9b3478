//! Building corpora: from what is published to documents that no model has seen.
//!
//! A corpus is made in four stages, each of which leaves files in a work directory, so that a run that was killed goes on,
//! and so that the first and third can be done in shards on many machines:
//!
//! 1. **extract** ([`stages::extract`]): each input becomes a *part* of cleaned documents, with hashes of them;
//! 2. **merge** ([`stages::merge`]): all hashes together tell which documents and paragraphs are there twice;
//! 3. **filter** ([`stages::filter`]): each part without those;
//! 4. **collect** ([`stages::collect`]): a seeded sample of what is left, written with a manifest.
//!
//! A [`sources::Source`] says what the inputs are and how they become documents. Memory does not grow with the inputs: what
//! could is sorted on disk ([`store::Sorter`]).

mod counts;
mod date;
pub mod dedup;
mod document;
pub mod filters;
mod limits;
#[cfg(feature = "download")]
pub mod net;
pub mod overlap;
mod parallel;
pub mod report;
pub mod sources;
pub mod stages;
pub mod store;
pub mod text;
mod watch;

pub use counts::Counts;
pub use date::Date;
pub use document::{Item, Meta, Raw};
pub use limits::{MAX_ITEM_BYTES, MAX_LINE_BYTES};
pub use parallel::ordered;
pub use watch::{Silent, Watch};
