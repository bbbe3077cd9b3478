//! How fast a device is, and how that is measured.

use std::time::Duration;

use lmz_codec::Timing;
use lmz_exact::NUMERICS_VERSION;

use super::work::Text;

/// Multiply-adds, or seconds, from which on a measurement says something.
const LONG_WORK: f64 = (1u64 << 36) as f64;
const LONG: Duration = Duration::from_secs(2);
/// Bytes of text that a token stands for, about.
const TEXT_PER_TOKEN: f64 = 4.0;
/// Characters of a device's name.
const MAX_NAME: usize = 120;

/// Multiply-adds of text: what times are predicted from.
pub fn multiply_adds(bytes: u64, per_token: u64) -> f64 {
    bytes as f64 / TEXT_PER_TOKEN * per_token as f64
}

/// What was measured of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Speed {
    /// Multiply-adds a second.
    pub encoding: Option<f64>,
    /// Multiply-adds a second.
    pub decoding: Option<f64>,
    /// Seconds before it begins.
    pub start: Option<f64>,
}

impl Speed {
    /// Seconds of some work, if all of it was measured before; without the start.
    pub(super) fn seconds(&self, text: &Text, per_token: u64) -> Option<f64> {
        let part = |bytes: u64, speed: Option<f64>| match bytes {
            0 => Some(0.0),
            _ => Some(multiply_adds(bytes, per_token) / speed?),
        };
        Some(part(text.encoding, self.encoding)? + part(text.decoding, self.decoding)?)
    }
}

/// Multiply-adds a second, if enough was done to say.
pub fn rate(timing: Timing, per_token: u64) -> Option<f64> {
    let work = multiply_adds(timing.bytes, per_token);
    let long = timing.bytes > 0 && (work >= LONG_WORK || timing.time >= LONG);
    let rate = work / timing.time.as_secs_f64();
    (long && rate.is_finite()).then_some(rate)
}

/// What measurements are kept by. Speed depends on all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The device's name; of a CPU with what of it is used.
    pub device: String,
    /// Version of the program.
    pub lmz: String,
    /// Version of the numerics.
    pub numerics: u64,
    /// The binary logarithm of the model's multiply-adds per token.
    pub model: u32,
    /// See [`Text::lanes`].
    pub lanes: u32,
}

impl Key {
    /// That of this program.
    pub fn new(device: &str, per_token: u64, lanes: u32) -> Self {
        Self {
            device: clean(device),
            lmz: env!("CARGO_PKG_VERSION").to_owned(),
            numerics: NUMERICS_VERSION.into(),
            model: per_token.max(1).ilog2(),
            lanes,
        }
    }
}

/// A name without what a terminal would obey, of bounded length.
pub fn clean(name: &str) -> String {
    let visible = name.chars().filter(|c| !c.is_control());
    visible.take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_TOKEN: u64 = 1 << 22;

    #[test]
    fn short_runs_say_nothing() {
        let timing = |bytes, millis| {
            let mut timing = Timing::default();
            timing.bytes = bytes;
            timing.time = Duration::from_millis(millis);
            timing
        };
        assert_eq!(rate(timing(0, 5000), PER_TOKEN), None);
        assert_eq!(rate(timing(1000, 100), PER_TOKEN), None);
        // 2^36 multiply-adds.
        assert_eq!(
            rate(timing(1 << 16, 500), PER_TOKEN),
            Some((1u64 << 37) as f64)
        );
        assert_eq!(rate(timing(1 << 16, 0), PER_TOKEN), None);
        assert!(rate(timing(1000, 3000), PER_TOKEN).is_some());
    }
}
