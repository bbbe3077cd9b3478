//! Two layers of logistic mixing.
//!
//! Each *set* of the first layer holds one row of weights for each of its contexts; a decision uses one
//! row of each set, and each row is trained on its own output. The second layer mixes the sets' outputs.

use crate::memory::Table;
use crate::tables::{FINE_MAX, PROBABILITY_BITS, Tables, tables};
use crate::wide::Wide;

/// 1.0 as a weight of the first layer.
pub const WEIGHT_ONE: i32 = 1 << WEIGHT_BITS;

const WEIGHT_BITS: u32 = 28;
/// 1.0 as a weight of the second layer.
const FINAL_ONE: i32 = 1 << 24;

/// Rates of a mixer: the first layer begins with `first` / 2^16 and goes down to `last` / 2^16 over some 2^`decay` decisions.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// At the start.
    pub first: i32,
    /// In the long run.
    pub last: i32,
    /// Of the second layer.
    pub second: i32,
    /// Smallest step of the first layer: what was nearly right teaches nothing.
    pub least: i32,
}

/// A mixer of `INPUTS` inputs, of which unused ones are 0, with `SETS` sets.
#[derive(Debug)]
pub struct Mixer<const INPUTS: usize, const SETS: usize> {
    /// First row of each set.
    begins: [usize; SETS],
    weights: Table<[i32; INPUTS]>,
    seconds: Vec<[i32; SETS]>,
    rows: [usize; SETS],
    second: usize,
    /// Outputs of the sets, 16 fractional bits.
    dots: [i32; SETS],
    output: i32,
    rates: Rates,
    rate: i32,
    tables: &'static Tables,
}

impl<const INPUTS: usize, const SETS: usize> Mixer<INPUTS, SETS> {
    /// `sets` gives the number of contexts of each set, `initial` the weights of every row, `seconds` the
    /// contexts of the second layer.
    pub fn new(
        sets: &[usize; SETS],
        initial: &[i32; INPUTS],
        seconds: usize,
        rates: Rates,
    ) -> Self {
        let mut begins = [0; SETS];
        let mut rows = 0;
        for (begin, n) in begins.iter_mut().zip(sets) {
            *begin = rows;
            rows += n;
        }
        Self {
            begins,
            weights: Table::new(*initial, rows),
            seconds: vec![[FINAL_ONE / SETS as i32; SETS]; seconds],
            rows: [0; SETS],
            second: 0,
            dots: [0; SETS],
            output: 0,
            rates,
            rate: rates.first << 14,
            tables: tables(),
        }
    }

    /// The mixed probability, stretched, with 16 fractional bits, within ±[`FINE_MAX`].
    #[inline(always)]
    pub fn mix(
        &mut self,
        inputs: &[i16; INPUTS],
        contexts: &[usize; SETS],
        second: usize,
        wide: Wide,
    ) -> i32 {
        self.second = second;
        let rows = self.rows.iter_mut().zip(&self.begins);
        for ((row, begin), context) in rows.zip(contexts) {
            *row = begin + context;
        }
        self.dots = wide.dots(inputs, &self.weights, &self.rows);
        let second = &self.seconds[self.second];
        let mut sum = 0i64;
        for (dot, second) in self.dots.iter_mut().zip(second) {
            *dot = (*dot).clamp(-FINE_MAX, FINE_MAX);
            sum += i64::from(*dot) * i64::from(*second);
        }
        let most = i64::from(FINE_MAX);
        self.output = (sum >> 24).clamp(-most, most) as i32;
        self.output
    }

    /// Learns the bit that followed.
    #[inline(always)]
    pub fn learn(&mut self, inputs: &[i16; INPUTS], bit: bool) {
        let goal = i32::from(bit) << PROBABILITY_BITS;
        let rate = self.rate >> 14;
        let second = &mut self.seconds[self.second];
        let error = goal - self.tables.squash(self.output) as i32;
        let step = ((error >> 6) * self.rates.second) >> 6;
        for (set, weight) in second.iter_mut().enumerate() {
            let change = ((self.dots[set] >> 8) * step + (1 << 7)) >> 8;
            *weight = weight.saturating_add(change);
            let error = goal - self.tables.squash(self.dots[set]) as i32;
            // 16 bits with a sign: so that products are cheap.
            let step = (i64::from(error) * i64::from(rate) + (1 << 13)) >> 14;
            let step = step.clamp(-32767, 32767) as i32;
            if step.abs() >= self.rates.least {
                train(inputs, &mut self.weights[self.rows[set]], step as i16);
            }
        }
        self.rate -= (self.rate - (self.rates.last << 14)) >> 14;
    }
}

#[inline(always)]
fn train<const INPUTS: usize>(inputs: &[i16; INPUTS], weights: &mut [i32; INPUTS], step: i16) {
    for (weight, &input) in weights.iter_mut().zip(inputs) {
        let change = (i32::from(input) * i32::from(step) + 2) >> 2;
        *weight = weight.saturating_add(change);
    }
}
