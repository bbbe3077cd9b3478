//! A model on a device.

use std::sync::Arc;

use cubecl::ir::{ElemType, IntKind, UIntKind};
use cubecl::prelude::*;
use lmz_device::Device;
use lmz_exact::{Accelerator, Engine, Lanes, Result};

use crate::client::{self, failed};
use crate::plan::Sizes;
use crate::product::has_instruction;
use crate::prove::prove;
use crate::session::{ModelOn, Session};
use crate::weights::{WeightsOn, model_bytes};
use crate::{DEFAULT_MEMORY, unsupported};

/// The share of a device's free memory that is used where no budget is given.
const SHARE: f64 = 0.7;

/// Lanes that a large card keeps busy.
const LANES: usize = 512;

/// A model on a device that has not proved itself.
struct Uploaded {
    accelerator: Arc<dyn Accelerator>,
    /// Whether the device's matrix instruction is used.
    instruction: bool,
}

/// A device that holds a model.
struct Gpu<R: Runtime> {
    model: Arc<ModelOn<R>>,
    /// Bytes for caches and buffers.
    budget: u64,
    sizes: Sizes,
}

impl<R: Runtime> std::fmt::Debug for Gpu<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("device", &self.model.device)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Positions of the proof that every device gives when it is opened: enough rows for every kernel that a pass
/// may choose.
const PROOF: usize = 8;

/// As [`open`](crate::open).
pub(crate) fn proven(
    device: Device,
    engine: &Engine,
    memory: Option<u64>,
) -> Result<Arc<dyn Accelerator>> {
    let uploaded = upload(device, engine, memory, true)?;
    match prove(&*uploaded.accelerator, engine, PROOF) {
        Ok(()) => return Ok(uploaded.accelerator),
        Err(error) if !uploaded.instruction => return Err(error),
        // Without the matrix instruction it may be exact.
        Err(_) => drop(uploaded),
    }
    let uploaded = upload(device, engine, memory, false)?;
    prove(&*uploaded.accelerator, engine, PROOF)?;
    Ok(uploaded.accelerator)
}

fn upload(
    device: Device,
    engine: &Engine,
    memory: Option<u64>,
    instruction: bool,
) -> Result<Uploaded> {
    match device {
        #[cfg(feature = "vulkan")]
        Device::Vulkan(number) => {
            let (client, info) = client::vulkan(number)?;
            let memory = memory.or(share(info.memory));
            on_client(client, &info.name, engine, memory, instruction)
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            let (client, info) = client::cuda(number)?;
            let memory = memory.or(share(info.memory));
            on_client(client, &info.name, engine, memory, instruction)
        }
        other => Err(unsupported(other)),
    }
}

fn share(free: Option<u64>) -> Option<u64> {
    free.map(|free| (free as f64 * SHARE) as u64)
}

/// The model of `engine` on the device of a CubeCL client, called `name`, with at most `memory` bytes
/// there; with the device's matrix instruction if it has one and `instruction` allows it.
fn on_client<R: Runtime>(
    client: ComputeClient<R>,
    name: &str,
    engine: &Engine,
    memory: Option<u64>,
    instruction: bool,
) -> Result<Uploaded> {
    for (kind, of) in [
        (ElemType::Int(IntKind::I64), "64-bit integers"),
        (ElemType::UInt(UIntKind::U64), "64-bit integers"),
    ] {
        if !client.features().supports_type(kind) {
            return Err(failed(
                name,
                format!("it has no {of}, which exact results need"),
            ));
        }
    }
    let parts = engine.parts();
    let memory = memory.unwrap_or(DEFAULT_MEMORY);
    let weights = model_bytes(&parts);
    let Some(budget) = memory.checked_sub(weights) else {
        return Err(failed(
            name,
            format!("the model takes {weights} bytes of the {memory} that may be used"),
        ));
    };
    let constants = lmz_device::catch(|| WeightsOn::new(&client, &parts, name));
    let constants = constants.map_err(|reason| failed(name, reason))??;
    let model = ModelOn {
        device: name.to_owned(),
        weights: constants,
        shape: parts.shape,
        rules: parts.rules,
        residual_bits: parts.residual_frac_bits,
        symbols: engine.symbols().len(),
        escape_shift: engine.symbols().escape_shift(),
        instruction: instruction && has_instruction(&client),
        client,
    };
    Ok(Uploaded {
        instruction: model.instruction,
        accelerator: Arc::new(Gpu {
            model: Arc::new(model),
            budget,
            sizes: Sizes::new(&parts),
        }),
    })
}

impl<R: Runtime> Accelerator for Gpu<R> {
    fn name(&self) -> String {
        self.model.device.clone()
    }

    fn lanes(&self) -> usize {
        LANES
    }

    fn open(&self, lanes: usize, positions: usize) -> Result<Box<dyn Lanes>> {
        let name = &self.model.device;
        let page = self.model.client.properties().memory.max_page_size;
        let Some(plan) = self.sizes.plan(self.budget, page, lanes, positions) else {
            return Err(failed(
                name,
                format!(
                    "{} bytes do not hold a lane of {positions} positions",
                    self.budget
                ),
            ));
        };
        let session = lmz_device::catch(|| Session::new(self.model.clone(), plan, &self.sizes));
        Ok(Box::new(session.map_err(|reason| failed(name, reason))?))
    }
}
