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
    /// The store has no such model, or cannot open it.
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
    /// The float engine cannot open it, or failed.
    #[cfg(feature = "float")]
    #[error(transparent)]
    Float(#[from] lmz_float::FloatError),
    /// A benchmark cannot be run.
    #[cfg(feature = "float")]
    #[error(transparent)]
    Eval(#[from] lmz_eval::EvalError),
    /// A corpus without a document.
    #[error("{}: no documents ({reason})", path.display())]
    NoDocuments {
        /// The file or directory of the corpus.
        path: PathBuf,
        /// What was left out and why, for a message.
        reason: String,
    },
    /// The tokenizer of another model.
    #[error("the tokenizer gives ids that the model, with a vocabulary of {0}, does not have")]
    Vocabulary(usize),
    /// Windows that do not fit the model.
    #[error("{0}")]
    InvalidArgument(String),
    /// Its tokenizer cannot be read.
    #[error("{}: {reason}", path.display())]
    Tokenizer {
        /// The `tokenizer.json` at fault.
        path: PathBuf,
        /// Why not, for a message.
        reason: String,
    },
}

impl ScoringError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Model(error) => error.kind(),
            Self::Exact(error) => error.kind(),
            Self::Codec(error) => error.kind(),
            Self::Metric(error) => error.kind(),
            #[cfg(feature = "float")]
            Self::Float(error) => error.kind(),
            #[cfg(feature = "float")]
            Self::Eval(error) => error.kind(),
            Self::NoDocuments { .. } => ErrorKind::InsufficientData,
            Self::Vocabulary(_) => ErrorKind::Compatibility,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Tokenizer { .. } => ErrorKind::Io,
        }
    }
}
