//! What can be wrong with a device.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// A device's name is none of those known.
    #[error("no device is called {0:?}; known are auto, cpu, vulkan[:N] and cuda[:N]")]
    Name(String),
    /// The device is not there, or this build has no support for it.
    #[error("{device}: {reason}")]
    Missing {
        /// The device's name.
        device: String,
        /// Why it cannot be used.
        reason: String,
    },
}

/// Shorthand for this crate's results.
pub type Result<T> = std::result::Result<T, DeviceError>;
