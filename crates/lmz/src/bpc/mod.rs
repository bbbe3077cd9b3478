//! A model scored on a corpus: bits per character, from the names of both to the report.

mod mixed;
mod options;
mod run;
mod sizes;

pub use options::{BpcOptions, BpcWatch};
pub use run::{bpc, bpc_sums};
