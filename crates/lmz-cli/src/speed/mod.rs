//! Whether work is done sooner on a card or on the CPU.

pub mod cache;

use std::time::Duration;

use lmz::{NUMERICS_VERSION, SegmentPlan, Timing};

use crate::report;
pub use cache::{Cache, Entry};

/// Multiply-adds from which on work goes to a card that was never measured. A CPU does them in a few seconds;
/// a card takes half a second before it begins.
const LARGE_WORK: f64 = (1u64 << 38) as f64;
/// Seconds that a card takes before it begins, where that was not measured.
const START: f64 = 0.5;
/// Multiply-adds, or seconds, from which on a measurement says something.
const LONG_WORK: f64 = (1u64 << 36) as f64;
const LONG: Duration = Duration::from_secs(2);
/// Bytes of text that a token stands for, about.
const TEXT_PER_TOKEN: f64 = 4.0;
/// Segments beyond which more of them make nothing faster.
const MOST_LANES: u32 = 256;

/// Bytes of text that go through a model, and how many segments there are at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub encoding: u64,
    pub decoding: u64,
    /// A power of four.
    pub lanes: u32,
}

impl Text {
    /// Adds a file of `len` bytes of text.
    pub fn add(&mut self, len: u64, encoded: bool, decoded: bool, plan: SegmentPlan) {
        let counted = |counts: bool| if counts { len } else { 0 };
        self.encoding = self.encoding.saturating_add(counted(encoded));
        self.decoding = self.decoding.saturating_add(counted(decoded));
        self.lanes = self.lanes.max(lanes(len, plan));
    }
}

/// The power of four below the number of segments.
fn lanes(len: u64, plan: SegmentPlan) -> u32 {
    let (mut segments, mut offset) = (0u32, 0u64);
    while offset < len && segments < MOST_LANES {
        offset = offset.saturating_add(plan.size_at(offset).max(1));
        segments += 1;
    }
    4u32.pow(segments.max(1).ilog2() / 2)
}

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
    fn seconds(&self, text: &Text, per_token: u64) -> Option<f64> {
        let part = |bytes: u64, speed: Option<f64>| match bytes {
            0 => Some(0.0),
            _ => Some(multiply_adds(bytes, per_token) / speed?),
        };
        Some(part(text.encoding, self.encoding)? + part(text.decoding, self.decoding)?)
    }
}

/// Where work is done, and why there.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub card: bool,
    pub why: String,
}

/// Chooses between the CPU and a card for text (none if nobody knows how much there is) and a model of
/// `per_token` multiply-adds.
pub fn choose(text: Option<Text>, per_token: u64, cpu: Speed, card: Speed) -> Choice {
    let choice = |card, why: String| Choice { card, why };
    let Some(text) = text else {
        return choice(false, "how much work there is is not known".into());
    };
    let on_cpu = cpu.seconds(&text, per_token);
    let start = card.start.unwrap_or(START);
    let on_card = card.seconds(&text, per_token).map(|time| start + time);
    match (on_card, on_cpu) {
        (Some(card), Some(cpu)) => choice(
            card < cpu,
            format!("{} predicted, {} on the CPU", seconds(card), seconds(cpu)),
        ),
        (None, Some(cpu)) if cpu < start => choice(
            false,
            format!("the work is small, {} predicted", seconds(cpu)),
        ),
        (on_card, _) => {
            let work = multiply_adds(text.encoding.saturating_add(text.decoding), per_token);
            match on_card {
                _ if work < LARGE_WORK => choice(false, "the work is small".into()),
                Some(card) => choice(true, format!("{} predicted", seconds(card))),
                None => choice(true, "the work is large, its speed not yet measured".into()),
            }
        }
    }
}

fn seconds(seconds: f64) -> String {
    report::seconds(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
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
    pub lmz: String,
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
            device: cache::clean(device),
            lmz: env!("CARGO_PKG_VERSION").to_owned(),
            numerics: NUMERICS_VERSION.into(),
            model: per_token.max(1).ilog2(),
            lanes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_TOKEN: u64 = 1 << 22;

    fn speed(encoding: f64, decoding: f64, start: f64) -> Speed {
        Speed {
            encoding: Some(encoding),
            decoding: Some(decoding),
            start: Some(start),
        }
    }

    /// Text of so many multiply-adds.
    fn text(encoding: u64, decoding: u64) -> Option<Text> {
        Some(Text {
            encoding: encoding / PER_TOKEN * 4,
            decoding: decoding / PER_TOKEN * 4,
            lanes: 1,
        })
    }

    fn card(text: Option<Text>, cpu: Speed, card: Speed) -> bool {
        choose(text, PER_TOKEN, cpu, card).card
    }

    #[test]
    fn without_measurements_large_work_goes_to_the_card() {
        let none = Speed::default();
        assert!(!card(None, none, none));
        assert!(!card(text(0, 0), none, none));
        assert!(!card(text(1 << 37, 0), none, none));
        assert!(card(text(1 << 37, 1 << 37), none, none));
        assert!(card(text(1 << 38, 0), none, none));
        // A card that is known beside a CPU that is not.
        assert!(!card(text(1 << 37, 0), none, speed(1e12, 1e12, 0.1)));
        assert!(card(text(1 << 40, 0), none, speed(1e12, 1e12, 0.1)));
        let why = choose(text(1 << 40, 0), PER_TOKEN, none, speed(1e12, 1e12, 0.1)).why;
        assert_eq!(why, "1.2 s predicted");
    }

    #[test]
    fn with_measurements_the_sooner_one_does_the_work() {
        let cpu = speed(1e11, 5e10, 0.0);
        let fast = speed(1e13, 1e12, 0.3);
        // 2.7 s against 0.3 s.
        assert!(card(text(1 << 38, 0), cpu, fast));
        // Less than what was large without measurements: 0.7 s against 0.3 s.
        assert!(card(text(1 << 36, 0), cpu, fast));
        // 0.17 s against 0.3 s.
        assert!(!card(text(1 << 34, 0), cpu, fast));
        // A card that encodes fast and decodes slowly.
        let lopsided = speed(1e13, 1e10, 0.3);
        assert!(card(text(1 << 40, 0), cpu, lopsided));
        assert!(!card(text(0, 1 << 40), cpu, lopsided));
        assert!(!card(text(1 << 40, 1 << 40), cpu, lopsided));
        let choice = choose(text(1 << 40, 1 << 40), PER_TOKEN, cpu, fast);
        assert!(choice.card);
        assert_eq!(choice.why, "1.5 s predicted, 33.0 s on the CPU");
    }

    #[test]
    fn half_a_measurement_is_none() {
        let cpu = speed(1e11, 5e10, 0.0);
        let encoding = Speed {
            decoding: None,
            ..speed(1e10, 1e10, 0.3)
        };
        // Slower than the CPU by what is known of it.
        assert!(!card(text(1 << 40, 0), cpu, encoding));
        // Nothing is known of its decoding: large work finds out.
        assert!(card(text(0, 1 << 40), cpu, encoding));
        // But not what the CPU does before the card has begun.
        let why = choose(text(0, 1 << 33), PER_TOKEN, cpu, encoding).why;
        assert_eq!(why, "the work is small, 0.2 s predicted");
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        let most = Some(Text {
            encoding: u64::MAX,
            decoding: u64::MAX,
            lanes: 256,
        });
        let slow = speed(1e3, 1e3, 3600.0);
        let choice = choose(most, u64::MAX, slow, slow);
        assert!(!choice.card);
        assert!(choose(most, u64::MAX, Speed::default(), Speed::default()).card);
    }

    #[test]
    fn lanes_are_counted_by_the_plan() {
        for (len, plan, expected) in [
            (0, SegmentPlan::Default, 1),
            (1 << 16, SegmentPlan::Default, 1),
            (1 << 20, SegmentPlan::Default, 16),
            (u64::MAX, SegmentPlan::Default, 256),
            (15 * 1000, SegmentPlan::Fixed(1000), 4),
            (16 * 1000, SegmentPlan::Fixed(1000), 16),
        ] {
            assert_eq!(lanes(len, plan), expected, "{len} {plan:?}");
        }
    }

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
