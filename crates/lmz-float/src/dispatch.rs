//! Work of one's own on a device, generic over its backend.

use burn::tensor::backend::Backend;

use crate::devices::resolve;
use crate::error::{FloatError, Result};
use crate::kernels::{Kernels, Products};
use lmz_device::Device;

/// Where [`Work`] runs.
pub struct Here<B: Backend> {
    /// The backend's handle of the device.
    pub device: B::Device,
    /// What the device calls itself.
    pub name: String,
    /// The precision of products that it is fastest in.
    pub fastest: Products,
    /// How many tokens of a batch make full use of it.
    pub tokens: usize,
}

/// Something to do that needs to know the backend.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Runs on the device that was found.
    fn run<B: Kernels>(self, here: Here<B>) -> Self::Output;
}

/// Does `work` on a device, or on the CPU where that is missing; then there is a notice.
///
/// # Errors
/// No device, or a failure of the device (a panic of its backend).
pub fn on_device<W: Work>(wanted: Device, work: W) -> Result<(W::Output, Option<String>)> {
    let (found, notice) = resolve(wanted)?;
    let failed = |reason| FloatError::Failed {
        device: found.to_string(),
        reason,
    };
    let output = match found {
        #[cfg(feature = "cpu")]
        Device::Cpu => {
            let here = Here::<burn_flex::Flex> {
                device: Default::default(),
                name: lmz_device::cpu_name(),
                fastest: crate::cpu::fastest_products(),
                tokens: 2048,
            };
            lmz_device::catch(|| work.run(here)).map_err(failed)?
        }
        #[cfg(feature = "vulkan")]
        Device::Vulkan(number) => {
            let place = crate::gpu::vulkan(number)?;
            lmz_device::catch(|| work.run(accelerator(place))).map_err(failed)?
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            let place = crate::gpu::cuda(number)?;
            lmz_device::catch(|| work.run(accelerator(place))).map_err(failed)?
        }
        other => {
            return Err(FloatError::Device {
                device: other.to_string(),
                reason: "this build has no support for it".into(),
            });
        }
    };
    Ok((output, notice))
}

#[cfg(any(feature = "vulkan", feature = "cuda"))]
fn accelerator<B: Backend>(place: crate::place::Place<B>) -> Here<B> {
    use burn::tensor::DType;
    let bf16 = lmz_device::catch(|| B::supports_dtype(&place.device, DType::BF16));
    Here {
        device: place.device,
        name: place.name,
        fastest: match bf16 {
            Ok(true) => Products::Bf16,
            _ => Products::Full,
        },
        tokens: 32_768,
    }
}
