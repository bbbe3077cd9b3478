//! `lmz devices`: what models can run on, and whether it computes what the CPU computes.

use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use lmz::figures::seconds;
use lmz::gpu::{self, Device, DeviceInfo};
use lmz::placement::{Cache, Entry as Measured, clean};
use serde::Serialize;

use crate::args::help;
use crate::exit::Exit;
use crate::terminal::message::Failure;
use crate::terminal::visible::{Visible, print_json};
use crate::verb::{Entry, Verb};

/// `lmz devices`
#[derive(Debug, Parser)]
#[command(
    about = "List the devices that models can run on, and check them",
    long_about = help::DEVICES_LONG,
    max_term_width = 100
)]
pub struct DevicesArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

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
    /// What work on it has measured.
    measured: Vec<Measured>,
}

impl Line {
    fn new(info: DeviceInfo, cache: &Cache) -> Self {
        let failure = check(info.device).err().map(|error| error.to_string());
        let name = clean(&info.name);
        let measured = cache.of(|device| match info.device {
            // With what of it was used behind the name.
            Device::Cpu => device
                .strip_prefix(&name)
                .is_some_and(|rest| rest.starts_with(", ")),
            _ => device == name,
        });
        Self {
            measured: measured.cloned().collect(),
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

/// What was measured, for people.
fn measured(entry: &Measured, name: &str) -> String {
    let rate = |rate: Option<f64>| rate.map_or("-".into(), |rate| format!("{:.1}", rate / 1e9));
    let start = entry
        .start
        .and_then(|s| Duration::try_from_secs_f64(s).ok());
    let start = start.map_or(String::new(), |start| {
        format!(", {} to start", seconds(start))
    });
    let used = entry.device.strip_prefix(&clean(name)).unwrap_or_default();
    format!(
        "10^9 multiply-adds/s: encoding {}, decoding {}{start} (models of 2^{} a token, segments: {} \
         and more{used})",
        rate(entry.encoding),
        rate(entry.decoding),
        entry.model,
        entry.lanes,
    )
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

impl Verb for DevicesArgs {
    const NAME: &'static str = "devices";

    /// Prints the list: whether all of them are exact.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        list(self.json)
    }
}

fn list(json: bool) -> Result<Exit, Failure> {
    let cache = Cache::of_user();
    let devices = gpu::available().into_iter();
    let devices: Vec<Line> = devices.map(|info| Line::new(info, &cache)).collect();
    let print = || -> io::Result<()> {
        if json {
            return print_json(&devices);
        }
        let mut out = Visible(io::stdout().lock());
        writeln!(out, "{:<10} {:>10}  name", "device", "memory")?;
        for d in &devices {
            let memory = d.memory.map_or("unknown".into(), |bytes| {
                format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
            });
            writeln!(out, "{:<10} {memory:>10}  {}{}", d.device, d.name, d.note())?;
            for entry in &d.measured {
                writeln!(out, "{:<21}  {}", "", measured(entry, &d.name))?;
            }
        }
        Ok(())
    };
    print().map_err(Failure::stdout)?;
    Ok(Exit::of(devices.iter().all(|d| d.exact)))
}
