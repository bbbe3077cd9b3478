//! Which devices this build can use.

use lmz_device::{Device, DeviceInfo};

use crate::error::Result;

/// The devices of this machine that this build can use. It never fails: a driver that is missing
/// or breaks leaves its devices out.
pub fn available() -> Vec<DeviceInfo> {
    let mut all = lmz_device::available();
    all.retain(|info| cfg!(feature = "cpu") || info.device != Device::Cpu);
    all
}

/// The device to use for the one asked for, and a notice where that is another.
///
/// # Errors
/// Not even the CPU is there, because this build was made without it.
pub fn resolve(wanted: Device) -> Result<(Device, Option<String>)> {
    Ok(lmz_device::resolve(wanted, &available())?)
}
