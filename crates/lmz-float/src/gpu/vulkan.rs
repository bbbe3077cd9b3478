//! Vulkan adapters.

use burn::backend::Vulkan;
use lmz_device::Device;

use crate::error::{FloatError, Result};
use crate::place::Place;

/// One of them, opened.
pub(crate) fn vulkan(number: usize) -> Result<Place<Vulkan>> {
    lmz_device::configure();
    let (info, device) = lmz_device::vulkan_device(number)?;
    // Opening it can fail in a driver's own ways, by panic.
    let probe = device.clone();
    lmz_device::catch(move || {
        burn::tensor::Tensor::<Vulkan, 1>::ones([1], &probe)
            .into_data()
            .iter::<f32>()
            .sum::<f32>()
    })
    .map_err(|reason| FloatError::Device {
        device: Device::Vulkan(number).to_string(),
        reason,
    })?;
    Ok(Place {
        device,
        name: info.name,
        free: info.memory,
        most_tokens: 16_384,
    })
}
