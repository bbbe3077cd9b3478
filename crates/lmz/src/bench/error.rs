//! What can go wrong while a compressor is measured.

use std::io;

use lmz_codec::CodecError;

use crate::store::StoreError;

/// What this module's functions return: a value, or a [`BenchError`].
pub type Result<T> = std::result::Result<T, BenchError>;

/// An error of a measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The model cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// lmz itself failed to compress or to restore.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Another compressor failed to compress or to restore.
    #[error(transparent)]
    Other(#[from] io::Error),
    /// What came back is not what went in.
    #[error("{0} does not restore it: what came back is something else")]
    Different(&'static str),
    /// lmz was asked for as if it were one of the others.
    #[error("lmz needs a model")]
    NoModel,
}
