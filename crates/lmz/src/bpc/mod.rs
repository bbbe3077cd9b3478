//! A model scored on a corpus: bits per character, from the names of both to the report.

mod mixed;
mod run;
mod sizes;

pub use run::{BpcOptions, BpcWatch, bpc, bpc_sums};
