//! Asking a model: tokens, batches, journal.

mod answers;
mod encode;
mod journal;
mod plan;
mod texts;

pub use answers::answer;
pub use encode::count_tokens;
pub use journal::{Journal, RunIdentity};
