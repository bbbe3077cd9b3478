//! Measurements of files, and their sums.

use lmz::bench::{Measurement, Method, UsedModel};
use serde::Serialize;

/// One file's measurements.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    pub file: String,
    pub raw_bytes: u64,
    pub sha256: String,
    pub results: Vec<Measurement>,
}

/// A program's sums over files.
pub struct Sum {
    pub method: Method,
    pub title: String,
    pub model: Option<UsedModel>,
    pub raw_bytes: u64,
    pub bytes: u64,
    /// Seconds.
    pub compressing: f64,
    /// Seconds.
    pub restoring: f64,
}

/// The sums of each program over the files.
pub fn sums(all: &[Compared]) -> Vec<Sum> {
    let Some(first) = all.first() else {
        return Vec::new();
    };
    let sum = |(at, result): (usize, &Measurement)| {
        let each = || all.iter().map(move |file| &file.results[at]);
        Sum {
            method: result.program,
            title: format!("{}{}", title(result), place(each())),
            model: result.model.clone(),
            raw_bytes: each().map(|r| r.raw_bytes).sum(),
            bytes: each().map(|r| r.bytes).sum(),
            compressing: each().map(|r| r.compressing.seconds).sum(),
            restoring: each().map(|r| r.restoring.seconds).sum(),
        }
    };
    first.results.iter().enumerate().map(sum).collect()
}

pub fn title(result: &Measurement) -> String {
    let with = match &result.model {
        Some(model) => &model.name,
        None => &result.settings,
    };
    format!("{} {with}", result.program.name())
}

/// Where a program ran, if it was asked to run elsewhere than on the CPU.
pub fn place<'a>(results: impl Iterator<Item = &'a Measurement>) -> String {
    let asked = results.filter(|result| result.asked_device != "cpu");
    let mut devices: Vec<&str> = asked.map(|result| result.device.as_str()).collect();
    devices.dedup();
    match devices.is_empty() {
        true => String::new(),
        false => format!(" on {}", devices.join(", ")),
    }
}
