//! What documents are compared by.

mod bands;
mod hashes;
mod minhash;

pub use bands::Bands;
pub use hashes::{document_hash, has_text, paragraph_hash, rank};
pub use minhash::{MinHasher, PERMUTATIONS, Signature, similarity};
