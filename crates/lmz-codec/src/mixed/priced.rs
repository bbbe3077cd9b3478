//! An encoder that knows what its bits have cost.

use lmz_coder::{Cost, Encoder, Interval};
use lmz_mix::Coder;

use crate::spent::Spent;

/// Codes bits, and follows how far they have narrowed the code space: the sum of their ideal costs.
#[derive(Default)]
pub struct Priced {
    encoder: Encoder,
    spent: Spent,
}

impl Priced {
    /// What all bits so far have cost.
    pub fn cost(&self) -> Cost {
        self.spent.cost()
    }

    /// The coded bytes.
    pub fn finish(self) -> Vec<u8> {
        self.encoder.finish()
    }
}

impl Coder for Priced {
    #[inline]
    fn code(&mut self, one: u32, bit: bool) -> bool {
        let width = if bit {
            one.max(1)
        } else {
            one.max(1).wrapping_neg()
        };
        self.spent.take(Interval { start: 0, width });
        self.encoder.code(one, bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_of_one_half_costs_one_bit() {
        let mut priced = Priced::default();
        for i in 0..100u32 {
            priced.code(1 << 31, i % 3 == 0);
        }
        assert!((priced.cost().bits() - 100.0).abs() < 1e-4);
        assert_eq!(priced.finish().len(), 13);
    }
}
