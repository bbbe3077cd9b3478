//! Vulkan adapters.

use cubecl::wgpu::WgpuDevice;
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};

use crate::device::{Device, DeviceInfo};
use crate::error::{DeviceError, Result};
use crate::memory::free_memory;
use crate::quiet;

/// All adapters with a Vulkan driver, in the driver's order.
pub(crate) fn vulkan_devices() -> Vec<DeviceInfo> {
    adapters().into_iter().map(|(info, _)| info).collect()
}

/// One of them, and what CubeCL calls it.
///
/// # Errors
/// [`DeviceError::Missing`].
pub fn vulkan_device(number: usize) -> Result<(DeviceInfo, WgpuDevice)> {
    adapters()
        .into_iter()
        .nth(number)
        .ok_or_else(|| DeviceError::Missing {
            device: Device::Vulkan(number).to_string(),
            reason: "no such device was found".into(),
        })
}

fn adapters() -> Vec<(DeviceInfo, WgpuDevice)> {
    let found = quiet::catch(|| {
        let instance = Instance::new(InstanceDescriptor {
            backends: Backends::VULKAN,
            ..InstanceDescriptor::new_without_display_handle()
        });
        let adapters = instance.enumerate_adapters(Backends::VULKAN);
        cubecl::future::block_on(adapters)
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
            let info = DeviceInfo {
                device: Device::Vulkan(number),
                name: format!("{} (Vulkan)", adapter.name),
                // Vulkan tells; wgpu does not pass it on.
                memory: match adapter.device_type {
                    DeviceType::Cpu | DeviceType::IntegratedGpu => free_memory(),
                    _ => None,
                },
                accelerator,
            };
            (info, device)
        })
        .collect()
}
