//! What learns the file: context models, match models and a mixer, in integers.
//!
//! A language model is frozen: it pays again for every repetition, and knows nothing of binary parts. Here its view of
//! each token is one input of a logistic mixer beside counters that learn while they code.
//!
//! * [`Walk`]: the vocabulary as a binary trie, so that a token is a sequence of yes-or-no decisions; a worker reduces a
//!   distribution to one number for each decision on a token's path ([`Walk::reduce`]);
//! * [`Text`]: tokens of one or more lanes, by the model's view and by what was seen;
//! * [`Bytes`]: bytes by what was seen alone;
//! * [`Coder`]: one function for both directions.
//!
//! The normative text is `docs/mixing.md`. All is integer arithmetic: the same bits on every machine.
//!
//! ```
//! use lmz_coder::{BitDecoder, Encoder};
//! use lmz_mix::{Bytes, Version};
//!
//! let raw = b"a table, a table, a table";
//! let (mut model, mut encoder) = (Bytes::new(10, Version::NEWEST), Encoder::new());
//! for &byte in raw {
//!     model.code(&mut encoder, byte);
//! }
//! let coded = encoder.finish();
//! let (mut model, mut decoder) = (Bytes::new(10, Version::NEWEST), BitDecoder::new(&coded));
//! let again: Vec<u8> = raw.iter().map(|_| model.code(&mut decoder, 0)).collect();
//! assert_eq!(again, raw);
//! ```
// The same loops for wider registers are made in `wide`; the tables ask for memory ahead and in large pages.
#![deny(unsafe_code)]

mod apm;
mod bank;
mod bytes;
mod coder;
mod memory;
mod mixer;
mod state;
mod tables;
mod text;
mod version;
mod walk;
mod wide;

pub use bytes::Bytes;
pub use coder::Coder;
pub use text::{Symbol, Text};
pub use version::Version;
pub use walk::{Kind, Node, Opinion, Sums, Views, Walk};
