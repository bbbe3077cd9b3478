//! Values drawn from a fuzzer's bytes. Most take one byte, and a bound is drawn as easily as any other value.

use super::ZERO_EXPONENT;

/// The bytes that are left. When there are none, zeros follow.
#[derive(Debug)]
pub struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    /// Draws from `bytes`; behind their end come zeros.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        byte
    }

    /// Below `end`, at most 256.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// Elements of a block: around the widths of vectors and the chunks of sums.
    pub fn size(&mut self) -> usize {
        match self.byte() {
            n @ 0..200 => usize::from(n) % 67 + 1,
            n @ 200..232 => 496 + usize::from(n - 200),
            n => 1012 + usize::from(n - 232),
        }
    }

    /// An integer in `-limit..=limit`.
    pub fn value(&mut self, limit: i64) -> i64 {
        let byte = self.byte();
        let low = i64::from(byte & 31);
        let value = match byte >> 5 {
            0 => limit,
            1 => -limit,
            2 => low - 16,
            3 => limit - low,
            4 => low - limit,
            // Powers of two and what lies beside them.
            5 => (1 << (2 * low)) + i64::from(self.byte() % 3) - 1,
            6 => -(1 << (2 * low)),
            _ => i64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        };
        match value.unsigned_abs() <= limit.unsigned_abs() {
            true => value,
            false => (i128::from(value) % (i128::from(limit) + 1)) as i64,
        }
    }

    /// `n` of them; what the bytes do not reach repeats what they do.
    pub fn values(&mut self, n: usize, limit: i64) -> Vec<i64> {
        let drawn = match self.byte() {
            0..128 => 1 + self.below(32),
            _ => n,
        };
        let pattern: Vec<i64> = (0..drawn.min(n)).map(|_| self.value(limit)).collect();
        pattern.iter().copied().cycle().take(n).collect()
    }

    /// As [`Draw::values`].
    pub fn i32s(&mut self, n: usize, limit: i32) -> Vec<i32> {
        let values = self.values(n, limit.into()).into_iter();
        values.map(|value| value as i32).collect()
    }

    /// As [`Draw::values`].
    pub fn i16s(&mut self, n: usize, limit: i16) -> Vec<i16> {
        let values = self.values(n, limit.into()).into_iter();
        values.map(|value| value as i16).collect()
    }

    /// An exponent of two: most are near those where shifts change, some at the bounds of a model's.
    pub fn exponent(&mut self) -> i32 {
        match self.byte() {
            n @ 0..224 => i32::from(n) - 140,
            n => (i32::from(n) - 240) * 130,
        }
    }

    /// As [`Draw::exponent`], or that of a block of zeros.
    pub fn exponent_or_none(&mut self) -> i32 {
        match self.byte() {
            0..240 => self.exponent(),
            _ => ZERO_EXPONENT,
        }
    }
}
