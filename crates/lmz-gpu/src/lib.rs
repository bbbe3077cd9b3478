//! The integer engine on GPUs: the same bits as on the CPU.
//!
//! The kernels are written once in CubeCL's Rust and compiled for CUDA and, as SPIR-V, for Vulkan. Every
//! sum, maximum and OR in them is exact in any order, so neither the number of rows in a pass nor the
//! device changes a bit (docs/numerics.md; docs/gpu.md says what was run where).
//!
//! [`open`] takes an [`Engine`]'s constants to a device; what comes back runs the forward pass through
//! [`Accelerator`]. Without the features `vulkan` and `cuda` there is no device at all, and nothing to
//! compile.
#![deny(unsafe_code)]

#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod buffer;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod client;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod kernel;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod launch;
mod limits;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod open;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod plan;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod product;
mod prove;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod session;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
pub mod speed;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod weights;

use std::sync::Arc;

use lmz_exact::{Accelerator, Engine, Result};

pub use limits::DEFAULT_MEMORY;
pub use lmz_device::{Device, DeviceInfo, available, cpu_name, resolve};
#[cfg(any(feature = "vulkan", feature = "cuda"))]
pub use open::on_client;
pub use prove::prove;

/// The model of `engine` on a device, with at most `memory` bytes there. The device has [proved](prove)
/// itself on a few positions of the model; if it does so only without its matrix instruction, that is not used.
///
/// # Errors
/// [`ExactError::Device`](lmz_exact::ExactError::Device): the device is missing, lacks 64-bit integers, is too small, fails or computes
/// something else; or it is the CPU or `auto`, which are the caller's to resolve.
pub fn open(device: Device, engine: &Engine, memory: Option<u64>) -> Result<Arc<dyn Accelerator>> {
    #[cfg(any(feature = "vulkan", feature = "cuda"))]
    return open::proven(device, engine, memory);
    #[cfg(not(any(feature = "vulkan", feature = "cuda")))]
    {
        let _ = (engine, memory);
        Err(limits::unsupported(device))
    }
}
