//! CUDA devices.

use burn::backend::Cuda;
use burn::backend::cuda::CudaDevice;
use lmz_device::Device;

use crate::error::{FloatError, Result};
use crate::place::Place;

/// One of them, opened.
pub(crate) fn cuda(number: usize) -> Result<Place<Cuda>> {
    lmz_device::configure();
    let info = lmz_device::cuda_device(number)?;
    let device = CudaDevice::new(number);
    let probe = device.clone();
    // Compiling a first kernel shows whether driver, compiler and card agree.
    lmz_device::catch(move || {
        burn::tensor::Tensor::<Cuda, 1>::ones([1], &probe)
            .into_data()
            .iter::<f32>()
            .sum::<f32>()
    })
    .map_err(|reason| FloatError::Device {
        device: Device::Cuda(number).to_string(),
        reason,
    })?;
    Ok(Place {
        device,
        name: info.name,
        free: info.memory,
        most_tokens: 32_768,
    })
}
