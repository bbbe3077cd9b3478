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
mod symbol;
#[cfg(feature = "tokenizers")]
mod vocabulary;
#[cfg(feature = "tokenizers")]
mod watch;

#[cfg(feature = "tokenizers")]
pub use exact::{ExactTokenizer, PATIENCE};
#[cfg(feature = "tokenizers")]
pub(crate) use family::BLOCK;
#[cfg(feature = "tokenizers")]
pub use pieces::PIECE_BYTES;
#[cfg(feature = "tokenizers")]
pub(crate) use splitter::GPT2;
#[cfg(all(test, feature = "tokenizers"))]
pub(crate) use splitter::SplitterSpec;
pub use symbol::Symbol;
