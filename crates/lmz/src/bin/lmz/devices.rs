//! `lmz devices`: what models can run on, and whether it computes what the CPU computes.

use std::io::{self, Write};

use lmz::gpu::{self, Device, DeviceInfo};
use serde::Serialize;

use crate::args::DevicesArgs;
use crate::message::Failure;

/// Positions of the check.
const POSITIONS: usize = 64;

/// A line of the list.
#[derive(Serialize)]
struct Line {
    /// What `--device` takes.
    device: String,
    name: String,
    /// Bytes; of the CPU what is free.
    memory: Option<u64>,
    /// Whether `auto` may take it before the CPU.
    accelerator: bool,
    /// Whether it computes the bits that the CPU computes.
    exact: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Line {
    fn new(info: DeviceInfo) -> Self {
        let failure = check(info.device).err().map(|error| error.to_string());
        Self {
            device: info.device.to_string(),
            name: info.name,
            memory: info.memory,
            accelerator: info.accelerator,
            exact: failure.is_none(),
            failure,
        }
    }

    fn note(&self) -> String {
        match (&self.failure, self.accelerator, self.device.as_str()) {
            (Some(failure), ..) => format!(" (not used for files: {failure})"),
            (None, false, "cpu") => " (memory: what is free)".to_owned(),
            (None, false, _) => " (exact; software, not taken by auto)".to_owned(),
            (None, true, _) => " (exact)".to_owned(),
        }
    }
}

/// The embedded model on a device against the CPU.
fn check(device: Device) -> anyhow::Result<()> {
    if device == Device::Cpu {
        return Ok(());
    }
    let model = lmz::embedded_model()?;
    let accelerator = gpu::open(device, model.engine(), None)?;
    gpu::prove(&*accelerator, model.engine(), POSITIONS)?;
    Ok(())
}

/// Prints the list.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &DevicesArgs) -> Result<bool, Failure> {
    let devices: Vec<Line> = gpu::available().into_iter().map(Line::new).collect();
    let mut out = io::stdout().lock();
    let mut print = || -> io::Result<()> {
        if args.json {
            serde_json::to_writer_pretty(&mut out, &devices)?;
            return writeln!(out);
        }
        writeln!(out, "{:<10} {:>10}  name", "device", "memory")?;
        for d in &devices {
            let memory = d.memory.map_or("unknown".into(), |bytes| {
                format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
            });
            writeln!(out, "{:<10} {memory:>10}  {}{}", d.device, d.name, d.note())?;
        }
        Ok(())
    };
    print().map_err(Failure::stdout)?;
    Ok(devices.iter().all(|d| d.exact))
}
