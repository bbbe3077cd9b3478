//! Why a model cannot be scored.

use std::path::PathBuf;

use lmz_codec::{CodecError, ErrorKind};
use lmz_exact::ExactError;
use lmz_metric::MetricError;
use lmz_model::ModelError;

use crate::store::StoreError;

/// An error of a [`ScoredModel`](crate::ScoredModel).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoringError {
    /// No such model.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A directory that is no model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A prepared model that contradicts itself, or one that cannot be prepared.
    #[error(transparent)]
    Exact(#[from] ExactError),
    /// The codec cannot run it.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Its tokenizer cannot be used, or the plan is impossible.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// Its tokenizer cannot be read.
    #[error("{}: {reason}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl ScoringError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Model(error) => kind(error.kind()),
            Self::Exact(error) => kind(error.kind()),
            Self::Codec(error) => error.kind(),
            Self::Metric(error) => kind(error.kind()),
            Self::Tokenizer { .. } => ErrorKind::Io,
        }
    }
}

fn kind(kind: lmz_model::ErrorKind) -> ErrorKind {
    match kind {
        lmz_model::ErrorKind::Compatibility => ErrorKind::Compatibility,
        lmz_model::ErrorKind::InsufficientData => ErrorKind::InsufficientData,
        lmz_model::ErrorKind::InvalidArgument => ErrorKind::InvalidArgument,
        lmz_model::ErrorKind::Io => ErrorKind::Io,
        _ => ErrorKind::Corruption,
    }
}
