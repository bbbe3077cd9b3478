//! What is refused, and what is taken where nothing is asked for.

use lmz_device::Device;
use lmz_exact::ExactError;

/// Memory that a session takes where none is asked for and the device does not tell.
pub const DEFAULT_MEMORY: u64 = 1 << 30;

/// The error of a device that this build knows nothing of.
pub(crate) fn unsupported(device: Device) -> ExactError {
    ExactError::Device {
        device: device.to_string(),
        reason: "this build has no support for it".to_owned(),
    }
}
