//! What a corpus is: figures about it, and a look into it.

mod sample;
mod stats;

pub use sample::sample;
pub use stats::{Group, Lengths, Stats, stats};
