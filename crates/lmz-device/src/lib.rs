//! The devices of a machine: their names, which there are, and what happens when one is missing.
//!
//! The engines in floating point and in integers run on the same devices by the same names; here is
//! what they share. Nothing here computes.
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).
#![forbid(unsafe_code)]

#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod error;
mod list;
mod memory;
mod quiet;
#[cfg(feature = "vulkan")]
mod vulkan;

#[cfg(any(feature = "vulkan", feature = "cuda"))]
pub use config::configure;
#[cfg(feature = "cuda")]
pub use cuda::cuda_device;
pub use device::{Device, DeviceInfo};
pub use error::{DeviceError, Result};
pub use list::{available, resolve};
pub use memory::{cpu_name, free_memory};
pub use quiet::{Watch, catch};
#[cfg(feature = "vulkan")]
pub use vulkan::vulkan_device;
