//! A model on one device, whatever its backend.

mod contract;
mod runner;

use lmz_device::Device;

use crate::devices::resolve;
use crate::dtype::Dtype;
use crate::error::{FloatError, Result};
#[cfg(any(feature = "vulkan", feature = "cuda"))]
use crate::kernels::Kernels;
use crate::place::Place;
use crate::scoring::ScoringOptions;

pub(crate) use contract::{Engine, SharedWeights};
use runner::Runner;

/// Opens a model on the device that the options ask for, or on the CPU if that fails.
pub(crate) fn open(weights: SharedWeights, options: ScoringOptions) -> Result<Box<dyn Engine>> {
    weights.blueprint().validate()?;
    if options.batch == Some(0) {
        return Err(FloatError::Setting {
            name: "batch",
            value: "0".into(),
            reason: "must be at least 1",
        });
    }
    let (found, notice) = resolve(options.device)?;
    let first = open_on(found, weights.clone(), &options, notice);
    match first {
        Err(error @ (FloatError::Device { .. } | FloatError::Devices(_)))
            if cfg!(feature = "cpu") =>
        {
            let notice = format!("{error}; the CPU is used instead");
            open_on(Device::Cpu, weights, &options, Some(notice))
        }
        other => other,
    }
}

fn open_on(
    device: Device,
    weights: SharedWeights,
    options: &ScoringOptions,
    notice: Option<String>,
) -> Result<Box<dyn Engine>> {
    match device {
        #[cfg(feature = "cpu")]
        Device::Cpu => {
            // burn-flex stores half-precision numbers, but computes in f32 and converts.
            if options.dtype != Dtype::F32 {
                return Err(FloatError::Dtype {
                    device: device.to_string(),
                    dtype: options.dtype.name(),
                });
            }
            let place = Place::<burn_flex::Flex> {
                device: Default::default(),
                name: lmz_device::cpu_name(),
                free: lmz_device::free_memory(),
                most_tokens: 4096,
            };
            Runner::open(place, weights, options, notice)
        }
        #[cfg(feature = "vulkan")]
        Device::Vulkan(number) => {
            let place = crate::gpu::vulkan(number)?;
            check_dtype(&place, options.dtype)?;
            Runner::open(place, weights, options, notice)
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            let place = crate::gpu::cuda(number)?;
            check_dtype(&place, options.dtype)?;
            Runner::open(place, weights, options, notice)
        }
        other => Err(FloatError::Device {
            device: other.to_string(),
            reason: "this build has no support for it".into(),
        }),
    }
}

#[cfg(any(feature = "vulkan", feature = "cuda"))]
fn check_dtype<B: Kernels>(place: &Place<B>, dtype: Dtype) -> Result<()> {
    let known = lmz_device::catch(|| B::supports_dtype(&place.device, dtype.burn()));
    match known {
        Ok(true) => Ok(()),
        Ok(false) => Err(FloatError::Dtype {
            device: place.name.clone(),
            dtype: dtype.name(),
        }),
        Err(reason) => Err(FloatError::Device {
            device: place.name.clone(),
            reason,
        }),
    }
}
