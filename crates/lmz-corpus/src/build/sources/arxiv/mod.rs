//! arXiv: bulk tars of papers' sources, and the snapshot of its metadata.

mod inputs;
mod metadata;
mod paper;
mod source;

pub use metadata::{Papers, Wanted};
pub use paper::{Fault, source_of};
pub use source::Bulk;
