//! Uploading a model to a device, within a budget of memory.

use std::sync::Arc;

use cubecl::ir::{ElemType, IntKind, UIntKind};
use cubecl::prelude::*;
use lmz_device::{Device, Watch};
use lmz_exact::{Accelerator, Engine, ExactError, Lanes, Result};

use crate::client::{self, failed};
use crate::limits::{DEFAULT_MEMORY, unsupported};
use crate::plan::{Short, Sizes};
use crate::product::has_instruction;
use crate::prove::prove;
use crate::session::{ModelOn, Session};
use crate::weights::WeightsOn;

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

/// Positions of a lane for which memory has to be there when a model is opened: those of a block, unless a
/// file says otherwise.
const POSITIONS: usize = 1024;

/// A device that holds a model.
struct Gpu<R: Runtime> {
    model: Arc<ModelOn<R>>,
    /// Bytes for constants, caches and buffers.
    memory: u64,
    sizes: Sizes,
}

impl<R: Runtime> std::fmt::Debug for Gpu<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("device", &self.model.device)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

/// Positions of the proof that every device gives when it is opened: enough rows for every kernel that a pass
/// may choose.
const PROOF: usize = 8;

/// As [`open`](crate::open): with the matrix instruction, or without where the proof fails with it.
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
            let memory = budget(memory, info.memory);
            upload_on(client, &info.name, engine, memory, instruction)
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            let (client, info) = client::cuda(number)?;
            let memory = budget(memory, info.memory);
            upload_on(client, &info.name, engine, memory, instruction)
        }
        other => Err(unsupported(other)),
    }
}

/// The memory that may be used where `asked` was asked for and `free` is free.
fn budget(asked: Option<u64>, free: Option<u64>) -> Option<u64> {
    match (asked, free) {
        (Some(asked), Some(free)) => Some(asked.min(free)),
        (None, Some(free)) => Some((free as f64 * SHARE) as u64),
        (asked, None) => asked,
    }
}

/// Bytes for people, never fewer than there are.
fn mebibytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// The model of `engine` on the device of a CubeCL client, called `name`, with at most `memory` bytes
/// there; with the device's matrix instruction if it has one. It has not proved itself.
///
/// # Errors
/// As [`open`](crate::open).
pub fn on_client<R: Runtime>(
    client: ComputeClient<R>,
    name: &str,
    engine: &Engine,
    memory: Option<u64>,
) -> Result<Arc<dyn Accelerator>> {
    let uploaded = upload_on(client, name, engine, memory, true)?;
    Ok(uploaded.accelerator)
}

/// As [`on_client`]; the matrix instruction is used only if `instruction` allows it.
fn upload_on<R: Runtime>(
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
    if parts.rules.wide_values {
        let why = "this model needs version 2 of the numerics, which only the CPU computes";
        return Err(failed(name, why));
    }
    let memory = memory.unwrap_or(DEFAULT_MEMORY);
    let sizes = Sizes::new(parts);
    let page = client.properties().memory.max_page_size;
    if let Err(short) = sizes.plan(memory, page, 1, POSITIONS) {
        return Err(too_small(name, short, memory, POSITIONS));
    }
    let watch = Watch::start();
    // A few words, and CubeCL keeps what they point to for the whole process.
    let client: &'static ComputeClient<R> = Box::leak(Box::new(client));
    let constants = exactly(client, || WeightsOn::new(client, parts, name));
    let constants = constants.map_err(|reason| failed(name, reason))??;
    let model = ModelOn {
        device: name.to_owned(),
        weights: constants,
        shape: parts.shape,
        rules: parts.rules,
        residual_bits: parts.residual_frac_bits,
        symbols: engine.symbols().len(),
        escape_shift: engine.symbols().escape_shift(),
        kernel: engine.kernel(),
        instruction: instruction && has_instruction(client),
        watch,
        client,
    };
    Ok(Uploaded {
        instruction: model.instruction,
        accelerator: Arc::new(Gpu {
            model: Arc::new(model),
            memory,
            sizes,
        }),
    })
}

/// Runs what allocates buffers that stay, each in as much memory as it needs: pages that CubeCL would share
/// among buffers are up to a quarter of the device's memory.
fn exactly<R: Runtime, T: Send>(
    client: &ComputeClient<R>,
    allocate: impl FnOnce() -> T + Send,
) -> std::result::Result<T, String> {
    lmz_device::catch(|| client.memory_persistent_allocation((), |()| allocate()))
        .and_then(|done| done.map_err(|error| format!("{error:?}")))
}

fn too_small(name: &str, short: Short, memory: u64, positions: usize) -> ExactError {
    let reason = match short {
        Short::Memory(needed) => format!(
            "the model needs {} there for a block of {positions} tokens, and {} may be used",
            mebibytes(needed),
            mebibytes(memory)
        ),
        Short::Page => format!(
            "a block of {positions} tokens needs a buffer that is larger than the device can bind"
        ),
    };
    failed(name, reason)
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
        let plan = self.sizes.plan(self.memory, page, lanes, positions);
        let plan = plan.map_err(|short| too_small(name, short, self.memory, positions))?;
        let client = self.model.client;
        // What lanes before these took is free, but kept for buffers of the same sizes.
        client.memory_cleanup();
        let session = exactly(client, || {
            Session::new(self.model.clone(), plan, &self.sizes)
        });
        Ok(Box::new(session.map_err(|reason| failed(name, reason))?))
    }
}
