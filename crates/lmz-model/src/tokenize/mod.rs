//! Tokenisation that keeps every byte.
//!
//! A published tokenizer normalises, adds and loses characters. Here only its splitting and its
//! merges are used, and a tokenisation counts only if the bytes of its tokens are the input.
//! Where they are not, the longest matching tokens are taken, and a byte that no token spells is
//! an escape. A decoder needs the [`Vocabulary`](crate::Vocabulary) alone.

#[cfg(feature = "tokenizers")]
mod exact;
#[cfg(feature = "tokenizers")]
mod family;
#[cfg(feature = "tokenizers")]
mod file;
#[cfg(feature = "tokenizers")]
mod pieces;
#[cfg(feature = "tokenizers")]
mod speller;
#[cfg(feature = "tokenizers")]
mod splitter;

#[cfg(feature = "tokenizers")]
pub use exact::ExactTokenizer;
#[cfg(feature = "tokenizers")]
pub(crate) use file::TokenizerFile;
#[cfg(feature = "tokenizers")]
pub use pieces::PIECE_BYTES;

/// One step of a tokenised input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A token, by its id; it has bytes in the vocabulary.
    Token(u32),
    /// A byte that is coded as itself.
    Escape(u8),
}
