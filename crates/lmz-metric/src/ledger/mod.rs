//! The ledger of a compressed file: from what a model says the text is worth to the bytes on disk,
//! step by step, with nothing left over.
//!
//! Everything is counted in units of 2^-24 bit, as integers, so that the lines add up to the file's
//! size exactly: `lines().sum() == 8 * file_bytes`. The steps are
//!
//! 1. the ideal code length under the **float engine** (where one is at hand): the sum of
//!    `-log2 p(token | context)` over the very contexts that the file was coded in;
//! 2. the same under the **exact engine**, whose probabilities the decoder can reproduce;
//! 3. what **mixing** takes off: where what was seen of a group helps the model, a token costs what that makes of the
//!    model's probability; and the **contexts** that code alone what no model is worth running on, and the groups' heads;
//! 4. where the model codes alone, its probabilities rounded to **integer frequencies** of 2^32;
//! 5. what the **range coder** loses to its finite state;
//! 6. the **seal** that ends each coded string at a whole byte;
//! 7. what no model coded, as it is (zstd, stored);
//! 8. the **container**, part by part.
//!
//! **Escapes.** The exact engine may code a byte that no token spells: an escape symbol (of a fixed
//! small probability) and 8 bits. The float engine has no such symbol, so an escaped byte costs on
//! its line what it costs under the exact engine, and the difference between the two lines is that
//! of tokens alone. The escape's reserve of probability (2^-12 where a vocabulary cannot spell every
//! byte), and the tokens that the exact engine never codes (special ones), are part of the
//! difference: the float engine's softmax runs over the whole vocabulary.

mod account;
mod bits;
mod bounds;
mod characters;
mod error;
mod float;
mod lines;
mod reconcile;
mod report;

pub use account::{Ledger, Mixed, Restored};
pub use bits::Bits;
pub use bounds::{Bound, MAX_ENGINE_DIFFERENCE, MAX_OVERHEAD, MIN_TOKENS, SEAL_BITS, Verdict};
pub use error::LedgerError;
pub use lines::{Line, Step};
pub use reconcile::reconcile;
pub use report::{BoundReport, LedgerReport, LineReport, ModelName, SegmentCounts};
