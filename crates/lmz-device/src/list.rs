//! Which devices there are, and which one is used where the one asked for is missing.

use crate::device::{Device, DeviceInfo};
use crate::error::{DeviceError, Result};
use crate::memory::{cpu_name, free_memory};

/// The devices of this machine that this build can use. It never fails: a driver that is missing
/// or breaks leaves its devices out.
pub fn available() -> Vec<DeviceInfo> {
    #[cfg_attr(not(any(feature = "cuda", feature = "vulkan")), allow(unused_mut))]
    let mut all = vec![DeviceInfo {
        device: Device::Cpu,
        name: cpu_name(),
        memory: free_memory(),
        accelerator: false,
    }];
    #[cfg(feature = "cuda")]
    all.extend(crate::cuda::cuda_devices());
    #[cfg(feature = "vulkan")]
    all.extend(crate::vulkan::vulkan_devices());
    all
}

/// The device to use for the one asked for among those at hand, and a notice where that is another.
///
/// # Errors
/// Not even the CPU is among them.
pub fn resolve(wanted: Device, all: &[DeviceInfo]) -> Result<(Device, Option<String>)> {
    let cpu = all.iter().any(|info| info.device == Device::Cpu);
    if wanted == Device::Auto {
        let accelerator = |kind: fn(Device) -> bool| {
            all.iter()
                .find(|info| info.accelerator && kind(info.device))
                .map(|info| info.device)
        };
        let best = accelerator(|d| matches!(d, Device::Cuda(_)))
            .or_else(|| accelerator(|d| matches!(d, Device::Vulkan(_))))
            .or(cpu.then_some(Device::Cpu))
            .or(all.first().map(|info| info.device));
        return best
            .map(|device| (device, None))
            .ok_or_else(|| missing(wanted, all));
    }
    if all.iter().any(|info| info.device == wanted) {
        return Ok((wanted, None));
    }
    if !cpu {
        return Err(missing(wanted, all));
    }
    Ok((
        Device::Cpu,
        Some(format!("{}; the CPU is used instead", missing(wanted, all))),
    ))
}

fn missing(wanted: Device, all: &[DeviceInfo]) -> DeviceError {
    let same = |device: Device| match wanted {
        Device::Vulkan(_) => matches!(device, Device::Vulkan(_)),
        Device::Cuda(_) => matches!(device, Device::Cuda(_)),
        _ => false,
    };
    let others = all.iter().map(|info| info.device).filter(|d| same(*d));
    let others: Vec<String> = others.map(|device| device.to_string()).collect();
    let none = |built, feature, reason: &str| match built {
        true => reason.to_owned(),
        false => format!("this build has no support for it (cargo feature `{feature}`)"),
    };
    let reason = match (&others[..], wanted) {
        ([], Device::Vulkan(_)) => none(
            cfg!(feature = "vulkan"),
            "vulkan",
            "no Vulkan driver is installed, or it has no device",
        ),
        ([], Device::Cuda(_)) => none(
            cfg!(feature = "cuda"),
            "cuda",
            "NVIDIA's driver is not installed, or it has no device",
        ),
        ([], Device::Auto | Device::Cpu) => "no such device was found".to_owned(),
        ([one], _) => format!("no such device was found, only {one}"),
        (some, _) => format!("no such device was found, only {}", some.join(", ")),
    };
    DeviceError::Missing {
        device: wanted.to_string(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(device: Device, accelerator: bool) -> DeviceInfo {
        DeviceInfo {
            device,
            name: String::new(),
            memory: None,
            accelerator,
        }
    }

    #[test]
    fn auto_takes_cuda_then_a_card_then_the_cpu() {
        let cpu = info(Device::Cpu, false);
        let card = info(Device::Vulkan(1), true);
        let posing = info(Device::Vulkan(0), false);
        let cuda = info(Device::Cuda(0), true);
        let pick = |all: &[DeviceInfo]| resolve(Device::Auto, all).unwrap().0;
        assert_eq!(pick(&[cpu.clone(), posing.clone()]), Device::Cpu);
        assert_eq!(
            pick(&[cpu.clone(), posing.clone(), card.clone()]),
            Device::Vulkan(1)
        );
        assert_eq!(pick(&[cpu, posing, card, cuda]), Device::Cuda(0));
    }

    #[test]
    fn a_missing_device_falls_back_with_a_notice() {
        let (device, notice) = resolve(Device::Cuda(7), &[info(Device::Cpu, false)]).unwrap();
        assert_eq!(device, Device::Cpu);
        assert!(notice.unwrap().contains("cuda:7"));
        let all = [
            Device::Cpu,
            Device::Cuda(0),
            Device::Vulkan(0),
            Device::Cuda(1),
        ];
        let all = all.map(|device| info(device, true));
        let (_, notice) = resolve(Device::Cuda(7), &all).unwrap();
        assert_eq!(
            notice.unwrap(),
            "cuda:7: no such device was found, only cuda:0, cuda:1; the CPU is used instead"
        );
        assert!(resolve(Device::Cuda(7), &[]).is_err());
    }
}
