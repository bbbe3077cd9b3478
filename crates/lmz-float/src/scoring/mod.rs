//! Scoring: how surprising a model finds tokens.

mod batches;
mod continued;
mod options;
mod packed;
mod resident;
mod spill;
mod streamed;

pub(crate) use batches::{Batch, check, check_tokens};
pub use continued::Scored;
pub(crate) use continued::{Resident, of_logits, score_continued};
pub use options::{ScoringOptions, Window};
pub(crate) use packed::{Piece, Room};
pub(crate) use resident::score;
pub(crate) use spill::Store;
pub(crate) use streamed::{Limits, score_streamed};
