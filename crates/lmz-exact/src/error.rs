//! What can go wrong between a checkpoint and an engine.

use lmz_model::{ErrorKind, ModelError};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExactError {
    /// The checkpoint could not be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Not a prepared model at all.
    #[error("not a prepared model (.lmzm): {0}")]
    NotPrepared(String),
    /// A prepared model of another version.
    #[error(
        "this prepared model has {what} {found}; this build reads {supported} (prepare the checkpoint again with `lmz model prepare`)"
    )]
    Version {
        /// Which number.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The value that this build knows.
        supported: u64,
    },
    /// A prepared model that contradicts itself.
    #[error("damaged prepared model: {0}")]
    Damaged(String),
    /// A model that the engine's number formats cannot hold.
    #[error("this model cannot run in integers: {0}")]
    Unsupported(String),
    /// A device that is missing, too small or failing.
    #[error("{device}: {reason}")]
    Device {
        /// What it is called.
        device: String,
        /// What happened.
        reason: String,
    },
}

impl ExactError {
    /// The kind of error, for a program.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::NotPrepared(_) => ErrorKind::InvalidArgument,
            Self::Version { .. } | Self::Unsupported(_) => ErrorKind::Compatibility,
            Self::Damaged(_) => ErrorKind::Corruption,
            Self::Device { .. } => ErrorKind::Io,
        }
    }
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, ExactError>;
