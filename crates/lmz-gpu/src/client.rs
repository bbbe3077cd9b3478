//! Devices as CubeCL knows them.

use cubecl::prelude::*;
use lmz_device::{Device, DeviceInfo};
use lmz_exact::{ExactError, Result};

#[cfg(feature = "vulkan")]
pub fn vulkan(number: usize) -> Result<(ComputeClient<cubecl::wgpu::WgpuRuntime>, DeviceInfo)> {
    lmz_device::configure();
    let (info, device) = lmz_device::vulkan_device(number)
        .map_err(|e| failed(&Device::Vulkan(number).to_string(), e))?;
    Ok((client(&device, &info.name)?, info))
}

#[cfg(feature = "cuda")]
pub fn cuda(number: usize) -> Result<(ComputeClient<cubecl::cuda::CudaRuntime>, DeviceInfo)> {
    lmz_device::configure();
    let info = lmz_device::cuda_device(number)
        .map_err(|e| failed(&Device::Cuda(number).to_string(), e))?;
    let device = cubecl::cuda::CudaDevice::new(number);
    Ok((client(&device, &info.name)?, info))
}

fn client<R: Runtime>(device: &R::Device, name: &str) -> Result<ComputeClient<R>> {
    // A driver that is broken or too old shows by a panic.
    lmz_device::catch(|| R::client(device)).map_err(|reason| failed(name, reason))
}

/// The error of a device.
pub fn failed(device: &str, reason: impl std::fmt::Display) -> ExactError {
    ExactError::Device {
        device: device.to_owned(),
        reason: reason.to_string(),
    }
}
