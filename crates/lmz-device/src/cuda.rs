//! CUDA devices. Without NVIDIA's driver there are none.

use cudarc::driver::{CudaContext, DriverError};

use crate::device::{Device, DeviceInfo};
use crate::error::{DeviceError, Result};
use crate::quiet;

/// All devices that the driver lists.
pub(crate) fn cuda_devices() -> Vec<DeviceInfo> {
    // Without the driver's library even counting panics.
    let count = quiet::catch(|| CudaContext::device_count().unwrap_or(0)).unwrap_or(0);
    let count = usize::try_from(count).unwrap_or(0);
    (0..count)
        .filter_map(|number| cuda_device(number).ok())
        .collect()
}

/// One of them; its memory is what is free.
///
/// # Errors
/// [`DeviceError::Missing`].
pub fn cuda_device(number: usize) -> Result<DeviceInfo> {
    let device = Device::Cuda(number);
    let asked = quiet::catch(|| -> std::result::Result<_, DriverError> {
        let context = CudaContext::new(number)?;
        let (free, _) = context.mem_get_info()?;
        Ok((context.name()?, free as u64))
    });
    let reason = match asked {
        Ok(Ok((name, free))) => {
            return Ok(DeviceInfo {
                device,
                name,
                memory: Some(free),
                accelerator: true,
            });
        }
        Ok(Err(reason)) => reason.to_string(),
        Err(reason) => reason,
    };
    Err(DeviceError::Missing {
        device: device.to_string(),
        reason,
    })
}
