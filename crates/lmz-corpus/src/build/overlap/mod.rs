//! What a corpus has in common with other texts: benchmarks, or what a model was trained on.
//!
//! Compared are sequences of words (13, unless told otherwise). The grams of the corpus are held in memory, a slice of it at
//! a time, and the other texts pass by: memory does not grow with either.

mod find;
mod grams;
mod texts;

pub use find::{Hit, Options, Report, overlap};
pub use grams::{Gram, Grams};
