//! The devices of a machine: their names, which there are, and what happens when one is missing.
//!
//! The engines in floating point and in integers run on the same devices by the same names; here is
//! what they share. Nothing here computes.
#![forbid(unsafe_code)]

#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod memory;
mod quiet;
#[cfg(feature = "vulkan")]
mod vulkan;

#[cfg(any(feature = "vulkan", feature = "cuda"))]
pub use config::configure;
#[cfg(feature = "cuda")]
pub use cuda::cuda_device;
pub use device::{Device, DeviceInfo, available, resolve};
pub use memory::{cpu_name, free_memory};
pub use quiet::{Watch, catch};
#[cfg(feature = "vulkan")]
pub use vulkan::vulkan_device;

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
