//! What can go wrong when a ledger is drawn up.

use std::io;

use lmz_codec::CodecError;
pub use lmz_codec::ErrorKind;

use crate::scorer::ScoreError;

/// An error of a ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The file is damaged, its model is missing, or its cost cannot be traced.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The file restores to something else than the original.
    #[error("does not restore: byte {offset} differs from the original's")]
    Differs {
        /// Offset of the first difference, or of the end of the shorter one.
        offset: u64,
    },
    /// The original could not be read again.
    #[error("cannot read the original again: {0}")]
    Original(#[source] io::Error),
    /// The float engine failed.
    #[error("the float engine: {0}")]
    Scorer(#[source] ScoreError),
    /// The float engine's answer is not one.
    #[error("the float engine's answer is not usable: {0}")]
    Answer(String),
    /// The members of the file name different models, of which a float engine can be only one.
    #[error("its members name different models: the float engine has one")]
    SeveralModels,
}

impl LedgerError {
    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Codec(error) => error.kind(),
            Self::Differs { .. } => ErrorKind::Corruption,
            Self::Original(_) | Self::Scorer(_) | Self::Answer(_) => ErrorKind::Io,
            Self::SeveralModels => ErrorKind::InvalidArgument,
        }
    }
}
