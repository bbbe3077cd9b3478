//! One compressor on one text. What memory it takes shows in a process that does nothing else.

use std::fs;
use std::time::{Duration, Instant};

use lmz_codec::{CompressOptions, Observer};
use lmz_gpu::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{BenchError, Result};
use super::method::{Engine, Method};
use crate::figures::hex;
use crate::placement::Models;

/// Passes are repeated until they took this long.
const LONG_ENOUGH: Duration = Duration::from_millis(500);
const MAX_PASSES: usize = 100;

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The compressor.
    pub program: Method,
    /// Its settings, as its own command line has them.
    pub settings: String,
    /// That of lmz.
    pub model: Option<UsedModel>,
    /// Where it was asked to run.
    pub asked_device: String,
    /// Where it ran, as `--device` takes it: `cpu` for lmz too if the device was not to be had.
    pub device: String,
    /// What the device calls itself, if it is not the CPU.
    pub device_name: Option<String>,
    /// Bytes of the input.
    pub raw_bytes: u64,
    /// Of the input, in hexadecimal.
    pub sha256: String,
    /// Bytes of what was made of it.
    pub bytes: u64,
    /// What compressing takes.
    pub compressing: Cost,
    /// What restoring takes.
    pub restoring: Cost,
}

/// A model, which has to be there to restore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsedModel {
    /// What people call it.
    pub name: String,
    /// Its identity, as files store it.
    pub id: String,
    /// Bytes of it, prepared.
    pub bytes: u64,
}

/// What a direction takes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Of the best pass.
    pub seconds: f64,
    /// How many there were.
    pub passes: usize,
    /// Peak of resident memory above that of the process with the input read; null where the
    /// system does not tell.
    pub memory_bytes: Option<u64>,
}

/// How lmz is to run.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Its models.
    pub models: &'a Models,
    /// Its options; nothing is verified, since no other program does.
    pub options: &'a CompressOptions,
    /// The device that was asked for.
    pub device: Device,
}

/// Measures `method` on `raw`. `observer` hears what a device has to say.
///
/// # Errors
/// A compressor fails, or what it restores is something else.
pub fn measure(
    method: Method,
    raw: &[u8],
    setup: Setup<'_>,
    observer: &dyn Observer,
) -> Result<Measurement> {
    let held = resident();
    let models = setup.models;
    let (engine, model) = match method {
        Method::Lmz => {
            let model = models.for_compressing()?;
            let mut options = setup.options.clone();
            options.verify = false;
            let used = UsedModel {
                name: model.name().to_owned(),
                id: model.id().to_string(),
                bytes: model.prepared().as_bytes().len() as u64,
            };
            (Engine::Lmz(Box::new(model), options), Some(used))
        }
        other => (Engine::Other(other), None),
    };
    let place = || -> Result<(Device, Option<String>)> {
        Ok(match method {
            Method::Lmz => models.placed()?.place(),
            _ => (Device::Cpu, None),
        })
    };
    let (device, packed, compressing, restoring) = loop {
        let before = place()?;
        let (packed, compressing) = timed(held, || engine.compress(raw, observer))?;
        let (restored, restoring) = timed(held, || engine.restore(&packed, raw.len(), observer))?;
        if restored != raw {
            return Err(BenchError::Different(method.name()));
        }
        // A device that failed on the way was measured with the CPU: now the CPU is, alone.
        if place()? == before {
            break (before, packed, compressing, restoring);
        }
    };
    Ok(Measurement {
        program: method,
        settings: method.level().to_owned(),
        model,
        asked_device: match method {
            Method::Lmz => setup.device,
            _ => Device::Cpu,
        }
        .to_string(),
        device: device.0.to_string(),
        device_name: device.1,
        raw_bytes: raw.len() as u64,
        sha256: hex(&Sha256::digest(raw)),
        bytes: packed.len() as u64,
        compressing,
        restoring,
    })
}

fn timed<T>(held: Option<u64>, mut work: impl FnMut() -> Result<T>) -> Result<(T, Cost)> {
    let watched = reset_peak();
    let (mut best, mut total) = (Duration::MAX, Duration::ZERO);
    let mut passes = 0;
    let mut memory = None;
    loop {
        let start = Instant::now();
        let done = work()?;
        let time = start.elapsed();
        if passes == 0 && watched {
            memory = peak()
                .zip(held)
                .map(|(peak, held)| peak.saturating_sub(held));
        }
        passes += 1;
        best = best.min(time);
        total += time;
        if total >= LONG_ENOUGH || passes == MAX_PASSES {
            let cost = Cost {
                seconds: best.as_secs_f64(),
                passes,
                memory_bytes: memory,
            };
            return Ok((done, cost));
        }
    }
}

/// Lets the peak of resident memory start again from what is resident now (Linux).
fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn peak() -> Option<u64> {
    status("VmHWM:")
}

fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// A line of /proc/self/status, in bytes.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
