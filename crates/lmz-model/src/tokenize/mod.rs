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

pub use exact::ExactTokenizer;
pub(crate) use family::BLOCK;
pub(crate) use file::TokenizerFile;
pub use pieces::PIECE_BYTES;
pub(crate) use splitter::GPT2;
#[cfg(test)]
pub(crate) use splitter::SplitterSpec;

/// One step of a tokenised input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A token, by its id; it has bytes in the vocabulary.
    Token(u32),
    /// A byte that is coded as itself.
    Escape(u8),
}
