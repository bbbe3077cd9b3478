//! Two layers of logistic mixing.
//!
//! Each *set* of the first layer holds one row of weights for each of its contexts; a decision uses one
//! row of each set, and each row is trained on its own output. The second layer mixes the sets' outputs.

use crate::tables::{FINE_MAX, PROBABILITY_BITS, Tables, tables};

/// Largest number of sets.
pub const MAX_SETS: usize = 8;
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

/// How wide the processor's registers are: the same numbers, sooner.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
enum Wide {
    None,
    Avx2,
    Avx512,
}

#[cfg(target_arch = "x86_64")]
impl Wide {
    fn detect() -> Self {
        use std::arch::is_x86_feature_detected as has;
        if !has!("avx2") {
            Self::None
        } else if has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512dq") {
            Self::Avx512
        } else {
            Self::Avx2
        }
    }
}

/// A mixer of `INPUTS` inputs, of which unused ones are 0.
#[derive(Debug)]
pub struct Mixer<const INPUTS: usize> {
    sets: usize,
    /// First row of each set.
    begins: [usize; MAX_SETS],
    weights: Vec<[i32; INPUTS]>,
    seconds: Vec<[i32; MAX_SETS]>,
    rows: [usize; MAX_SETS],
    second: usize,
    /// Outputs of the sets, 16 fractional bits.
    dots: [i32; MAX_SETS],
    output: i32,
    rates: Rates,
    rate: i32,
    tables: &'static Tables,
    #[cfg(target_arch = "x86_64")]
    wide: Wide,
}

impl<const INPUTS: usize> Mixer<INPUTS> {
    /// `sets` gives the number of contexts of each set, `initial` the weights of every row, `seconds` the
    /// contexts of the second layer.
    pub fn new(sets: &[usize], initial: &[i32; INPUTS], seconds: usize, rates: Rates) -> Self {
        let mut begins = [0; MAX_SETS];
        let mut rows = 0;
        for (begin, n) in begins.iter_mut().zip(sets) {
            *begin = rows;
            rows += n;
        }
        let mut second = [0; MAX_SETS];
        for weight in &mut second[..sets.len()] {
            *weight = FINAL_ONE / sets.len() as i32;
        }
        Self {
            sets: sets.len(),
            begins,
            weights: vec![*initial; rows],
            seconds: vec![second; seconds],
            rows: [0; MAX_SETS],
            second: 0,
            dots: [0; MAX_SETS],
            output: 0,
            rates,
            rate: rates.first << 14,
            tables: tables(),
            #[cfg(target_arch = "x86_64")]
            wide: Wide::detect(),
        }
    }

    /// The mixed probability, stretched, with 16 fractional bits, within ±[`FINE_MAX`].
    #[inline]
    pub fn mix(
        &mut self,
        inputs: &[i16; INPUTS],
        contexts: &[usize; MAX_SETS],
        second: usize,
    ) -> i32 {
        self.second = second;
        for (set, &context) in contexts.iter().enumerate().take(self.sets) {
            self.rows[set] = self.begins[set] + context;
        }
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        match self.wide {
            // SAFETY: the processor has it.
            Wide::Avx512 => unsafe { self.sum_avx512(inputs) },
            // SAFETY: the processor has it.
            Wide::Avx2 => unsafe { self.sum_avx2(inputs) },
            Wide::None => self.sum(inputs),
        }
        #[cfg(not(target_arch = "x86_64"))]
        self.sum(inputs);
        self.output
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn sum_avx2(&mut self, inputs: &[i16; INPUTS]) {
        self.sum(inputs);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512dq")]
    fn sum_avx512(&mut self, inputs: &[i16; INPUTS]) {
        self.sum(inputs);
    }

    /// Each set's row, and all of them.
    #[inline(always)]
    fn sum(&mut self, inputs: &[i16; INPUTS]) {
        let second = &self.seconds[self.second];
        let mut sum = 0i64;
        for (set, &row) in self.rows.iter().enumerate().take(self.sets) {
            let dot = dot(inputs, &self.weights[row]).clamp(-FINE_MAX, FINE_MAX);
            self.dots[set] = dot;
            sum += i64::from(dot) * i64::from(second[set]);
        }
        let most = i64::from(FINE_MAX);
        self.output = (sum >> 24).clamp(-most, most) as i32;
    }

    /// Learns the bit that followed.
    #[inline]
    pub fn learn(&mut self, inputs: &[i16; INPUTS], bit: bool) {
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        match self.wide {
            // SAFETY: the processor has it.
            Wide::Avx512 => unsafe { self.step_avx512(inputs, bit) },
            // SAFETY: the processor has it.
            Wide::Avx2 => unsafe { self.step_avx2(inputs, bit) },
            Wide::None => self.step(inputs, bit),
        }
        #[cfg(not(target_arch = "x86_64"))]
        self.step(inputs, bit);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn step_avx2(&mut self, inputs: &[i16; INPUTS], bit: bool) {
        self.step(inputs, bit);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512dq")]
    fn step_avx512(&mut self, inputs: &[i16; INPUTS], bit: bool) {
        self.step(inputs, bit);
    }

    #[inline(always)]
    fn step(&mut self, inputs: &[i16; INPUTS], bit: bool) {
        let goal = i32::from(bit) << PROBABILITY_BITS;
        let rate = self.rate >> 14;
        let second = &mut self.seconds[self.second];
        let error = goal - self.tables.squash(self.output) as i32;
        let step = ((error >> 6) * self.rates.second) >> 6;
        for (set, weight) in second.iter_mut().enumerate().take(self.sets) {
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

/// Sum of products, 16 fractional bits.
#[inline(always)]
fn dot<const INPUTS: usize>(inputs: &[i16; INPUTS], weights: &[i32; INPUTS]) -> i32 {
    // Half by half: 16 products of 12 and 16 bits fit 32.
    let half = |from: usize| {
        let mut sum = 0i32;
        for i in from..from + INPUTS / 2 {
            sum += i32::from(inputs[i]) * i32::from((weights[i] >> 16) as i16);
        }
        sum
    };
    // 8 fractional bits of the inputs, 12 of the weights.
    (half(0) >> 4) + (half(INPUTS / 2) >> 4)
}

#[inline(always)]
fn train<const INPUTS: usize>(inputs: &[i16; INPUTS], weights: &mut [i32; INPUTS], step: i16) {
    for (weight, &input) in weights.iter_mut().zip(inputs) {
        let change = (i32::from(input) * i32::from(step) + 2) >> 2;
        *weight = weight.saturating_add(change);
    }
}
