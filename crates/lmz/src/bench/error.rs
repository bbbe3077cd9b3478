//! What can go wrong while a compressor is measured.

use std::io;

use lmz_codec::CodecError;

use crate::store::StoreError;

/// The module's result.
pub type Result<T> = std::result::Result<T, BenchError>;

/// An error of a measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The model cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// lmz failed.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Another compressor failed.
    #[error(transparent)]
    Other(#[from] io::Error),
    /// What came back is not what went in.
    #[error("{0} does not restore it: what came back is something else")]
    Different(&'static str),
    /// lmz was asked for as if it were one of the others.
    #[error("lmz needs a model")]
    NoModel,
}
