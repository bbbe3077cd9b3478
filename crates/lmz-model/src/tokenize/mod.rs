//! Tokenisation that keeps every byte.
//!
//! A published tokenizer normalises, adds and loses characters. Here only its splitting and its
//! merges are used, and a tokenisation counts only if the bytes of its tokens are the input.
//! Where they are not, the longest matching tokens are taken, and a byte that no token spells is
//! an escape. A decoder needs the [`Vocabulary`](crate::Vocabulary) alone.

mod exact;
mod family;
mod file;
mod pieces;
mod speller;
mod splitter;
mod symbol;
mod vocabulary;

pub use exact::ExactTokenizer;
pub use pieces::PIECE_BYTES;
pub use symbol::Symbol;
