//! Bits per character, by protocols that anyone can check, and the ledger of a compressed file.

mod scorer;

pub use scorer::{ScoreError, Scorer, Window};
