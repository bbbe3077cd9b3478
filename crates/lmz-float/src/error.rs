//! What can go wrong when a model is computed in floating point.

use std::io;

use lmz_device::DeviceError;
use lmz_model::{ModelError, Part};

pub use lmz_model::ErrorKind;

/// Shorthand for this crate's results.
pub type Result<T> = std::result::Result<T, FloatError>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FloatError {
    /// The checkpoint could not be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A part of the model that is not of the shape that its blueprint gives.
    #[error("{part:?} has {found} values, its shape is {shape:?}")]
    Part {
        /// The part of the model that does not fit.
        part: Part,
        /// How many values came.
        found: usize,
        /// The shape that it should have.
        shape: Vec<usize>,
    },
    /// A number type's name is none of those known.
    #[error("no number type is called {0:?}; known are f32, bf16 and f16")]
    DtypeName(String),
    /// The device is not there, or this build has no support for it.
    #[error("{device}: {reason}")]
    Device {
        /// The device's name.
        device: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// A name that no device has, or a device that is not there.
    #[error(transparent)]
    Devices(#[from] DeviceError),
    /// The device does not compute in this number type.
    #[error("{device} does not compute in {dtype}")]
    Dtype {
        /// The device's name.
        device: String,
        /// The number type's name.
        dtype: &'static str,
    },
    /// A token id that the model does not have.
    #[error("token {token} is outside the vocabulary of {vocab_size}")]
    Token {
        /// The token id that the vocabulary does not have.
        token: u32,
        /// The number of ids.
        vocab_size: usize,
    },
    /// A window that cannot be scored, or a context that the model cannot take.
    #[error("a window of {tokens} tokens, {scored} of them scored: {reason}")]
    Window {
        /// Its length in tokens.
        tokens: usize,
        /// How many of them were to be scored.
        scored: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting has no meaning.
    #[error("{name} = {value}: {reason}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// The value that was asked for.
        value: String,
        /// The bound that it breaks.
        reason: &'static str,
    },
    /// The budget does not hold what the smallest step needs.
    #[error(
        "a budget of {budget} bytes is too small: one layer and one window of {tokens} tokens need {needed}"
    )]
    Budget {
        /// What was allowed, in bytes.
        budget: u64,
        /// What is needed, in bytes.
        needed: u64,
        /// The window's length.
        tokens: usize,
    },
    /// The device failed in the middle of its work, even with one window at a time.
    #[error("{device} failed: {reason}")]
    Failed {
        /// The device's name.
        device: String,
        /// The backend's message.
        reason: String,
    },
    /// Hidden states could not be written to disk or read back.
    #[error("spilling hidden states to {directory}: {source}")]
    Spill {
        /// The directory that was to hold the states.
        directory: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl FloatError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Part { .. } => ErrorKind::Corruption,
            Self::Devices(DeviceError::Name(_)) => ErrorKind::InvalidArgument,
            Self::Devices(_) | Self::Device { .. } | Self::Dtype { .. } | Self::Failed { .. } => {
                ErrorKind::Compatibility
            }
            Self::DtypeName(_)
            | Self::Token { .. }
            | Self::Window { .. }
            | Self::Setting { .. }
            | Self::Budget { .. } => ErrorKind::InvalidArgument,
            Self::Spill { .. } => ErrorKind::Io,
        }
    }
}
