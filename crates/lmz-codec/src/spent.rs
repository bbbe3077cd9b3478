//! What the range coder's state has narrowed down to: its rounding, told apart from the seal.

use lmz_coder::{Cost, Interval, log2_q24};

/// The coder's range, followed without its lower end (docs/format.md, "Coded segments"): the
/// information that the intervals have really taken, before the seal rounds it to whole bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    range: u128,
    words: u64,
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            range: u128::MAX,
            words: 0,
        }
    }
}

impl Spent {
    /// Narrows the range down to `interval`.
    pub(crate) fn take(&mut self, interval: Interval) {
        self.range = (self.range >> 32) * u128::from(interval.width);
        if self.range < 1 << 96 {
            self.range <<= 32;
            self.words += 1;
        }
    }

    /// The bits that the intervals have taken: 32 for each word, and 128 less the range's logarithm.
    pub fn cost(self) -> Cost {
        let shift = 64 - self.range.leading_zeros().min(64);
        let log = log2_q24((self.range >> shift) as u64) + Cost::from_bits(shift).0;
        let words = self.words.saturating_mul(Cost::from_bits(32).0);
        Cost(words + Cost::from_bits(128).0.saturating_sub(log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_cost_a_bit_each() {
        let mut spent = Spent::default();
        assert!(spent.cost().0 <= 1);
        for n in 1..=1000 {
            spent.take(Interval {
                start: 0,
                width: 1 << 31,
            });
            let bits = spent.cost().bits();
            assert!((bits - f64::from(n)).abs() < 1e-5, "{n}: {bits}");
        }
    }

    #[test]
    fn the_seal_rounds_up_to_a_byte() {
        let mut encoder = lmz_coder::Encoder::new();
        let mut spent = Spent::default();
        for n in 1..500u32 {
            let interval = Interval {
                start: n.wrapping_mul(2_654_435_761) >> 2,
                width: 1 + (n * n) % 1_000_003,
            };
            encoder.encode(interval).unwrap();
            spent.take(interval);
            let bits = encoder.clone().finish().len() as f64 * 8.0;
            let over = bits - spent.cost().bits();
            // A string may end in zeros that need not be written; it is never much longer.
            assert!(over < 8.001, "{n}: {over}");
        }
    }
}
