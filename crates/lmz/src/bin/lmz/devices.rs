//! `lmz devices`: what models can be scored on.

use std::io::{self, Write};

use serde::Serialize;

use crate::args::DevicesArgs;
use crate::message::Failure;

/// A line of the list.
#[derive(Serialize)]
struct Device {
    /// What `--device` takes.
    device: String,
    name: String,
    /// Bytes; of the CPU what is free.
    memory: Option<u64>,
    /// Whether `auto` may take it before the CPU.
    accelerator: bool,
}

#[cfg(feature = "float")]
fn available() -> Vec<Device> {
    let device = |info: lmz::float::DeviceInfo| Device {
        device: info.device.to_string(),
        name: info.name,
        memory: info.memory,
        accelerator: info.accelerator,
    };
    lmz::float::available().into_iter().map(device).collect()
}

#[cfg(not(feature = "float"))]
fn available() -> Vec<Device> {
    Vec::new()
}

/// Prints the list.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &DevicesArgs) -> Result<bool, Failure> {
    let devices = available();
    let mut out = io::stdout().lock();
    let mut print = || -> io::Result<()> {
        if args.json {
            serde_json::to_writer_pretty(&mut out, &devices)?;
            return writeln!(out);
        }
        if devices.is_empty() {
            return writeln!(out, "none: this lmz was built without the float engine");
        }
        writeln!(out, "{:<10} {:>10}  name", "device", "memory")?;
        for d in &devices {
            let memory = d.memory.map_or("unknown".into(), |bytes| {
                format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
            });
            let note = match (d.accelerator, d.device.as_str()) {
                (false, "cpu") => " (memory: what is free)",
                (false, _) => " (software, not taken by auto)",
                (true, _) => "",
            };
            writeln!(out, "{:<10} {memory:>10}  {}{note}", d.device, d.name)?;
        }
        Ok(())
    };
    print().map_err(Failure::stdout)?;
    Ok(true)
}
