//! Weights to intervals, lazily: encoding computes one interval, decoding searches once.

use std::num::NonZeroU32;

use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};

use crate::cost::Cost;
use crate::exp2::LOGIT_FRAC_BITS;

/// Bits that a raw byte behind the escape symbol costs.
pub const ESCAPE_BYTE_BITS: u32 = 8;

/// A symbol's share `[start, start + width)` of the 32-bit code space. Both parts stay below 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// First code point of the share.
    pub start: u32,
    /// Its size; at least 1 in every interval that this crate makes.
    pub width: u32,
}

impl Interval {
    /// The interval of a raw byte behind the escape symbol: 1/256 of the code space.
    pub const fn of_byte(byte: u8) -> Self {
        Self {
            start: (byte as u32) << 24,
            width: 1 << 24,
        }
    }

    /// The code length that this share implies, in bits, for display.
    pub fn bits(self) -> f64 {
        32.0 - f64::from(self.width).log2()
    }
}

/// What a distribution's intervals follow from besides the weights before a symbol: the number of
/// symbols and the sum of all weights. A device that holds the weights sends back sums of them; the
/// intervals are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// V, the escape's number.
    symbols: usize,
    /// Sum of the weights, the escape's included; at least 1.
    total: u64,
    escape: u64,
}

impl Shares {
    /// For `symbols` weights with the sum `sum`; `escape_shift` is as in [`Distribution::new`].
    ///
    /// # Panics
    /// If there is no symbol, or 2^24 or more, or the sum is 0 or above 2^56, which 32-bit weights do not reach.
    pub fn new(symbols: usize, sum: u64, escape_shift: u32) -> Self {
        assert!((1..1 << 24).contains(&symbols), "{symbols} symbols");
        assert!(sum > 0, "all weights are 0");
        assert!(sum <= 1 << 56, "weights of {sum}");
        let escape = if escape_shift == 0 {
            0
        } else {
            (sum >> escape_shift.min(63)) + 1
        };
        Self {
            symbols,
            total: sum + escape,
            escape,
        }
    }

    /// Sum of all weights, the escape's included.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The escape's symbol number, one past the last real symbol.
    pub fn escape(&self) -> usize {
        self.symbols
    }

    /// `2^32 - V'`: what is shared by weight; the rest is the floor of 1 for each symbol.
    fn shared(&self) -> u64 {
        (1 << 32) - (self.symbols as u64 + 1)
    }

    fn start(&self, cumulative: u64, symbol: usize) -> u64 {
        let scaled = u128::from(cumulative) * u128::from(self.shared()) / u128::from(self.total);
        scaled as u64 + symbol as u64
    }

    /// The share of `symbol`, 0..=V, which has the weight `own` (the escape's is known) after weights
    /// that sum to `before`.
    ///
    /// # Panics
    /// If there is no such symbol or the weights are more than all.
    pub fn interval(&self, symbol: usize, before: u64, own: u64) -> Interval {
        assert!(
            symbol <= self.symbols,
            "symbol {symbol} of {}",
            self.symbols
        );
        let own = if symbol == self.symbols {
            self.escape
        } else {
            own
        };
        assert!(
            before <= self.total && own <= self.total - before,
            "weights of {before} and {own}"
        );
        let start = self.start(before, symbol);
        let end = self.start(before + own, symbol + 1);
        Interval {
            start: start as u32,
            width: (end - start) as u32,
        }
    }

    /// The model's ideal cost of a symbol, `distance` being the largest logit less this symbol's.
    pub fn cost(&self, distance: u32) -> Cost {
        Cost::of_symbol(distance, self.total)
    }

    /// The ideal cost of the escape, without the raw byte behind it.
    pub fn escape_cost(&self) -> Cost {
        if self.escape == 0 {
            return Cost::from_bits(32);
        }
        let distance = crate::log2_q24(self.total) - crate::log2_q24(self.escape);
        debug_assert!(distance < 1 << (Cost::FRAC_BITS + LOGIT_FRAC_BITS));
        Cost(distance)
    }
}

/// A distribution over `V` symbols and, as symbol `V`, the escape.
///
/// With `C(s)` the sum of the weights before `s`, `V' = V + 1` and `T` the sum of all weights with
/// the escape's, symbol `s` starts at `F(s) = floor(C(s) * (2^32 - V') / T) + s`. So `F` is strictly
/// increasing, every symbol has a share of at least 1 of 2^32, and `F(V') = 2^32`.
#[derive(Clone, Debug)]
pub struct Distribution<'a> {
    weights: &'a [u32],
    shares: Shares,
}

/// Boundary stride of the decoder's search.
const BLOCK: usize = 64;

impl<'a> Distribution<'a> {
    /// A distribution by weights, of which the largest is [`WEIGHT_ONE`](crate::WEIGHT_ONE) when they
    /// come from logits.
    ///
    /// `escape_shift` says how likely the escape is: 0 stands for "never needed" (the smallest
    /// share), `n` for 2^-n of the other weights' sum.
    ///
    /// # Panics
    /// If there is no symbol, or 2^24 or more, or no weight is positive: a caller's error, not one of
    /// input.
    pub fn new(weights: &'a [u32], escape_shift: u32) -> Self {
        Self {
            weights,
            shares: Shares::new(weights.len(), sum(weights), escape_shift),
        }
    }

    /// Sum of all weights, the escape's included.
    pub fn total(&self) -> u64 {
        self.shares.total()
    }

    /// The escape's symbol number, one past the last real symbol.
    pub fn escape(&self) -> usize {
        self.weights.len()
    }

    /// What the intervals follow from besides the weights.
    pub fn shares(&self) -> &Shares {
        &self.shares
    }

    /// The share of a symbol, `0..=V`.
    ///
    /// # Panics
    /// If `symbol` is above `V`.
    pub fn interval(&self, symbol: usize) -> Interval {
        assert!(
            symbol <= self.weights.len(),
            "symbol {symbol} of {}",
            self.weights.len()
        );
        self.share(sum(&self.weights[..symbol]), symbol)
    }

    fn share(&self, before: u64, symbol: usize) -> Interval {
        let own = self.weights.get(symbol).map_or(0, |&w| u64::from(w));
        self.shares.interval(symbol, before, own)
    }

    /// The model's ideal cost of a symbol, `distance` being the largest logit less this symbol's.
    pub fn cost(&self, distance: u32) -> Cost {
        self.shares.cost(distance)
    }

    /// The ideal cost of the escape, without the raw byte behind it.
    pub fn escape_cost(&self) -> Cost {
        self.shares.escape_cost()
    }

    /// The symbol whose share holds `point`, and that share.
    pub fn find(&self, point: u32) -> (usize, Interval) {
        // F(s) <= point  <=>  C(s) * shared < (point - s + 1) * total, without a division.
        let (shared, total) = (self.shares.shared(), self.shares.total());
        let starts_by = |cumulative: u64, symbol: usize| {
            let Some(room) = u64::from(point).checked_sub(symbol as u64) else {
                return false;
            };
            u128::from(cumulative) * u128::from(shared) < u128::from(room + 1) * u128::from(total)
        };
        let (mut before, mut first) = (0u64, 0usize);
        for block in self.weights.chunks(BLOCK) {
            let after = before + sum(block);
            if !starts_by(after, first + block.len()) {
                break;
            }
            before = after;
            first += block.len();
        }
        let mut symbol = first;
        while symbol < self.weights.len() {
            let after = before + u64::from(self.weights[symbol]);
            if !starts_by(after, symbol + 1) {
                break;
            }
            before = after;
            symbol += 1;
        }
        (symbol, self.share(before, symbol))
    }
}

#[inline]
fn sum(weights: &[u32]) -> u64 {
    weights
        .iter()
        .fold(0u64, |total, &weight| total.wrapping_add(u64::from(weight)))
}

impl EntropyModel<32> for Distribution<'_> {
    type Symbol = usize;
    type Probability = u32;
}

impl DecoderModel<32> for Distribution<'_> {
    fn quantile_function(&self, quantile: u32) -> (usize, u32, NonZeroU32) {
        let (symbol, share) = self.find(quantile);
        (
            symbol,
            share.start,
            NonZeroU32::new(share.width).expect("every share is at least 1"),
        )
    }
}

impl EntropyModel<32> for Interval {
    type Symbol = ();
    type Probability = u32;
}

impl EncoderModel<32> for Interval {
    fn left_cumulative_and_probability(
        &self,
        _symbol: impl std::borrow::Borrow<()>,
    ) -> Option<(u32, NonZeroU32)> {
        self.start.checked_add(self.width - 1)?;
        Some((self.start, NonZeroU32::new(self.width)?))
    }
}

/// An interval that was found elsewhere.
impl DecoderModel<32> for Interval {
    fn quantile_function(&self, _quantile: u32) -> ((), u32, NonZeroU32) {
        let width = NonZeroU32::new(self.width).unwrap_or(NonZeroU32::MIN);
        ((), self.start, width)
    }
}

/// Asks the decoder where its point lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point;

impl EntropyModel<32> for Point {
    type Symbol = u32;
    type Probability = u32;
}

impl DecoderModel<32> for Point {
    fn quantile_function(&self, quantile: u32) -> (u32, u32, NonZeroU32) {
        (quantile, quantile, NonZeroU32::MIN)
    }
}

/// The 256 equal shares of a raw byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawByte;

impl EntropyModel<32> for RawByte {
    type Symbol = u8;
    type Probability = u32;
}

impl DecoderModel<32> for RawByte {
    fn quantile_function(&self, quantile: u32) -> (u8, u32, NonZeroU32) {
        let byte = (quantile >> 24) as u8;
        let share = Interval::of_byte(byte);
        (
            byte,
            share.start,
            NonZeroU32::new(share.width).expect("2^24"),
        )
    }
}
