//! Devices and their names.

use std::fmt;
use std::str::FromStr;

use crate::error::{DeviceError, Result};

/// Where a model is computed.
///
/// ```
/// use lmz_device::Device;
///
/// assert_eq!("cuda:1".parse::<Device>().ok(), Some(Device::Cuda(1)));
/// assert_eq!(Device::Vulkan(0).to_string(), "vulkan:0");
/// assert!("tpu".parse::<Device>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// CUDA where there is one, a graphics card with Vulkan otherwise, or else the CPU. A CPU
    /// that poses as a Vulkan device is never taken.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The Vulkan device of this number in [`available`](crate::available)'s order.
    Vulkan(usize),
    /// The CUDA device of this number.
    Cuda(usize),
}

impl Device {
    /// Reads a name: `auto`, `cpu`, `vulkan[:N]` or `cuda[:N]`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(name: &str) -> Result<Self> {
        let unknown = || DeviceError::Name(name.chars().take(64).collect());
        let (kind, number) = match name.split_once(':') {
            Some((kind, number)) => (kind, Some(number.parse().map_err(|_| unknown())?)),
            None => (name, None),
        };
        match (kind, number) {
            ("auto", None) => Ok(Self::Auto),
            ("cpu", None) => Ok(Self::Cpu),
            ("vulkan", number) => Ok(Self::Vulkan(number.unwrap_or(0))),
            ("cuda", number) => Ok(Self::Cuda(number.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Vulkan(number) => write!(f, "vulkan:{number}"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// A device of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The name to ask for it by.
    pub device: Device,
    /// What it calls itself.
    pub name: String,
    /// Its memory in bytes, where it is known; for the CPU what is free.
    pub memory: Option<u64>,
    /// Whether it is hardware of its own: false for the CPU, and for one posing as a GPU.
    pub accelerator: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for device in [
            Device::Auto,
            Device::Cpu,
            Device::Vulkan(2),
            Device::Cuda(0),
        ] {
            assert_eq!(device.to_string().parse::<Device>().unwrap(), device);
        }
        assert_eq!(Device::parse("vulkan").unwrap(), Device::Vulkan(0));
        for bad in ["", "gpu", "cpu:0", "auto:1", "cuda:", "cuda:-1", "cuda:1:2"] {
            assert!(Device::parse(bad).is_err(), "{bad}");
        }
    }
}
