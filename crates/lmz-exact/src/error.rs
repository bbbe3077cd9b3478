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
        /// Which version differs: the file's, the recipe's or the numerics'.
        what: &'static str,
        /// The version that the file names.
        found: u64,
        /// The newest version that this build reads.
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
        /// The device's name.
        device: String,
        /// Why it cannot run the model, for a message.
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

/// What this crate's functions return: a value, or an [`ExactError`].
pub type Result<T> = std::result::Result<T, ExactError>;
