//! What is promised of every file, and whether this one keeps it.

use super::account::{Ledger, Mixed};
use super::bits::Bits;

/// The most that integer frequencies and the range coder may add to the exact engine's ideal bits.
pub const MAX_OVERHEAD: f64 = 0.0005;
/// The most that the engines may differ, either way.
pub const MAX_ENGINE_DIFFERENCE: f64 = 0.005;
/// The most bits that a seal may add: one ends each segment that the model codes; a mixed group has up to two.
pub const SEAL_BITS: u32 = 8;
/// Fewest tokens for which the engines' difference says something: it is a mean of single
/// tokens' differences, which go both ways.
pub const MIN_TOKENS: u64 = 1000;

/// A promise, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// A name for JSON.
    pub key: &'static str,
    /// The promise in words, with its limit.
    pub promise: String,
    /// The measured value in words.
    pub found: String,
    /// Whether it is kept.
    pub verdict: Verdict,
}

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The value is within its limit.
    Kept,
    /// Broken: the program has an error, or the file is not what it says.
    Broken,
    /// There is nothing to judge it by.
    Open,
}

impl Verdict {
    fn of(kept: bool) -> Self {
        if kept { Self::Kept } else { Self::Broken }
    }
}

impl Ledger {
    /// Every promise that can be checked on this ledger, and how it stands.
    pub fn bounds(&self) -> Vec<Bound> {
        vec![
            self.overhead(),
            self.seals(),
            self.engines(),
            self.container_named(),
            self.recorded(),
        ]
    }

    /// The promises that are broken.
    pub fn broken(&self) -> Vec<Bound> {
        let mut all = self.bounds();
        all.retain(|bound| bound.verdict == Verdict::Broken);
        all
    }

    fn overhead(&self) -> Bound {
        let exact = self.exact - self.mixed.exact;
        let over = self.spent - exact;
        let verdict = match self.segments[0] {
            0 => Verdict::Open,
            _ => Verdict::of(over.bits() <= exact.bits() * MAX_OVERHEAD),
        };
        Bound {
            key: "coder_overhead",
            promise: format!(
                "integer frequencies and the range coder add at most {} % to the exact engine's ideal bits",
                MAX_OVERHEAD * 100.0
            ),
            found: relative(over, exact),
            verdict,
        }
    }

    fn seals(&self) -> Bound {
        let Mixed {
            text,
            contexts,
            heads,
            stored,
            ..
        } = self.mixed;
        let coded = Bits::of_bytes(self.coded[0] + self.coded[3] - heads - stored);
        let seals = coded - self.spent - text - contexts;
        let segments = self.segments[0] + self.segments[3];
        let most = f64::from(SEAL_BITS) * (segments + self.segments[3]) as f64;
        Bound {
            key: "seals",
            promise: format!("a seal adds at most {SEAL_BITS} bits; a mixed group has one or two"),
            found: format!("{:.1} bits for {segments} segments", seals.bits()),
            // A thousandth of a bit: the logarithm of the coder's state is rounded.
            verdict: match segments {
                0 => Verdict::Open,
                _ => Verdict::of(seals.bits() <= most * 1.001),
            },
        }
    }

    fn engines(&self) -> Bound {
        let promise = format!(
            "the exact engine's ideal bits lie within {} % of the float engine's",
            MAX_ENGINE_DIFFERENCE * 100.0
        );
        let (found, verdict) = match self.float {
            None => ("no float engine was asked".to_owned(), Verdict::Open),
            Some(float) => {
                let difference = self.exact - float;
                let found = relative(difference, float);
                if self.tokens < MIN_TOKENS {
                    let found = format!("{found}, too few tokens to judge ({})", self.tokens);
                    (found, Verdict::Open)
                } else {
                    let kept =
                        difference.bits().abs() <= float.bits().abs() * MAX_ENGINE_DIFFERENCE;
                    (found, Verdict::of(kept))
                }
            }
        };
        Bound {
            key: "exact_against_float",
            promise,
            found,
            verdict,
        }
    }

    fn container_named(&self) -> Bound {
        let coded: u64 = self.coded.iter().sum();
        let named = self.container.total() == self.file_bytes && coded == self.container.coded;
        Bound {
            key: "container",
            promise: "every byte of the file has a name".into(),
            found: format!(
                "{} of {} bytes",
                self.container.total() - self.container.coded + coded,
                self.file_bytes
            ),
            verdict: Verdict::of(named),
        }
    }

    fn recorded(&self) -> Bound {
        Bound {
            key: "recorded",
            promise: "each segment's header records its ideal bits".into(),
            found: format!(
                "{} of {} segments differ",
                self.misrecorded,
                self.segments[0] + self.segments[3]
            ),
            verdict: Verdict::of(self.misrecorded == 0),
        }
    }
}

fn relative(difference: Bits, of: Bits) -> String {
    if of.0 == 0 {
        return format!("{:+.3} bits", difference.bits());
    }
    let percent = difference.bits() * 100.0 / of.bits();
    format!("{percent:+.5} %")
}
