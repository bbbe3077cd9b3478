//! CUDA devices. Without NVIDIA's driver there are none.

use burn::backend::Cuda;
use burn::backend::cuda::CudaDevice;
use cudarc::driver::CudaContext;

use crate::device::{Device, DeviceInfo};
use crate::engine::Place;
use crate::error::{FloatError, Result};
use crate::quiet;

/// All devices that the driver lists.
pub(crate) fn cuda_devices() -> Vec<DeviceInfo> {
    // Without the driver's library even counting panics.
    let count = quiet::catch(|| CudaContext::device_count().unwrap_or(0)).unwrap_or(0);
    let count = usize::try_from(count).unwrap_or(0);
    (0..count).filter_map(|number| info(number).ok()).collect()
}

/// One of them, opened.
pub(crate) fn cuda(number: usize) -> Result<Place<Cuda>> {
    super::configure();
    let info = info(number)?;
    let device = CudaDevice::new(number);
    let probe = device.clone();
    // Compiling a first kernel shows whether driver, compiler and card agree.
    quiet::catch(move || {
        burn::tensor::Tensor::<Cuda, 1>::ones([1], &probe)
            .into_data()
            .iter::<f32>()
            .sum::<f32>()
    })
    .map_err(|reason| missing(number, reason))?;
    Ok(Place {
        device,
        name: info.name,
        free: info.memory,
        most_tokens: 32_768,
    })
}

fn missing(number: usize, reason: String) -> FloatError {
    FloatError::Device {
        device: Device::Cuda(number).to_string(),
        reason,
    }
}

fn info(number: usize) -> Result<DeviceInfo> {
    let asked = quiet::catch(|| -> std::result::Result<_, cudarc::driver::DriverError> {
        let context = CudaContext::new(number)?;
        let (free, _) = context.mem_get_info()?;
        Ok((context.name()?, free as u64))
    });
    match asked {
        Ok(Ok((name, free))) => Ok(DeviceInfo {
            device: Device::Cuda(number),
            name,
            memory: Some(free),
            accelerator: true,
        }),
        Ok(Err(reason)) => Err(missing(number, reason.to_string())),
        Err(reason) => Err(missing(number, reason)),
    }
}
