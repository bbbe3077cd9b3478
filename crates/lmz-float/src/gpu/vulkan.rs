//! Vulkan adapters.

use burn::backend::Vulkan;
use burn::backend::wgpu::WgpuDevice;
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};

use crate::device::{Device, DeviceInfo};
use crate::engine::Place;
use crate::error::{FloatError, Result};
use crate::quiet;

/// All adapters with a Vulkan driver, in the driver's order.
pub(crate) fn vulkan_devices() -> Vec<DeviceInfo> {
    adapters().into_iter().map(|adapter| adapter.info).collect()
}

/// One of them, opened.
pub(crate) fn vulkan(number: usize) -> Result<Place<Vulkan>> {
    super::configure();
    let missing = |reason: String| FloatError::Device {
        device: Device::Vulkan(number).to_string(),
        reason,
    };
    let adapter = adapters()
        .into_iter()
        .nth(number)
        .ok_or_else(|| missing("no such device was found".into()))?;
    // Opening it can fail in a driver's own ways, by panic.
    let device = adapter.device.clone();
    quiet::catch(move || {
        burn::tensor::Tensor::<Vulkan, 1>::ones([1], &device)
            .into_data()
            .iter::<f32>()
            .sum::<f32>()
    })
    .map_err(missing)?;
    Ok(Place {
        device: adapter.device,
        name: adapter.info.name,
        free: adapter.info.memory,
        most_tokens: 16_384,
    })
}

struct Adapter {
    info: DeviceInfo,
    device: WgpuDevice,
}

fn adapters() -> Vec<Adapter> {
    let found = quiet::catch(|| {
        let instance = Instance::new(InstanceDescriptor {
            backends: Backends::VULKAN,
            ..InstanceDescriptor::new_without_display_handle()
        });
        let adapters = instance.enumerate_adapters(Backends::VULKAN);
        burn_cubecl::cubecl::future::block_on(adapters)
            .iter()
            .map(wgpu::Adapter::get_info)
            .collect::<Vec<_>>()
    });
    // CubeCL counts each type by itself.
    let mut counts = [0_usize; 3];
    let mut next = |kind: usize| {
        counts[kind] += 1;
        counts[kind] - 1
    };
    found
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(number, adapter)| {
            let (device, accelerator) = match adapter.device_type {
                DeviceType::DiscreteGpu => (WgpuDevice::DiscreteGpu(next(0)), true),
                DeviceType::IntegratedGpu => (WgpuDevice::IntegratedGpu(next(1)), true),
                DeviceType::VirtualGpu => (WgpuDevice::VirtualGpu(next(2)), true),
                DeviceType::Cpu => (WgpuDevice::Cpu, false),
                DeviceType::Other => (WgpuDevice::DefaultDevice, false),
            };
            Adapter {
                info: DeviceInfo {
                    device: Device::Vulkan(number),
                    name: format!("{} (Vulkan)", adapter.name),
                    // Vulkan tells; wgpu does not pass it on.
                    memory: match adapter.device_type {
                        DeviceType::Cpu | DeviceType::IntegratedGpu => crate::memory::available(),
                        _ => None,
                    },
                    accelerator,
                },
                device,
            }
        })
        .collect()
}
