//! The coder of docs/format.md, "Coded segments", transcribed from the text and not from `lmz-coder`: words that carries
//! run back through.

use lmz_coder::Interval;

use crate::Random;

/// The encoder of the text.
#[derive(Debug)]
pub struct TextEncoder {
    lower: u128,
    range: u128,
    words: Vec<u32>,
    started: bool,
    /// How often a carry was added to words already written.
    pub carries: usize,
}

const TOP: u128 = 1 << 96;

impl Default for TextEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl TextEncoder {
    /// Before the first symbol.
    pub fn new() -> Self {
        Self {
            lower: 0,
            range: u128::MAX,
            words: Vec::new(),
            started: false,
            carries: 0,
        }
    }

    fn carry(&mut self) {
        self.carries += 1;
        for word in self.words.iter_mut().rev() {
            *word = word.wrapping_add(1);
            if *word != 0 {
                return;
            }
        }
        panic!("a carry out of the first word");
    }

    /// Codes a symbol by its interval.
    pub fn encode(&mut self, interval: Interval) {
        self.started = true;
        let scale = self.range >> 32;
        self.range = scale * u128::from(interval.width);
        let (lower, wrapped) = self
            .lower
            .overflowing_add(scale * u128::from(interval.start));
        self.lower = lower;
        if wrapped {
            self.carry();
        }
        if self.range < TOP {
            self.words.push((self.lower >> 96) as u32);
            self.lower <<= 32;
            self.range <<= 32;
        }
    }

    /// Whether the range reaches over the end of the 128 bits, so that a carry may still come.
    pub fn straddles(&self) -> bool {
        self.lower.checked_add(self.range).is_none()
    }

    /// A narrow interval that keeps the coder straddling, if it does.
    pub fn straddling_interval(&self, random: &mut Random) -> Option<Interval> {
        let scale = self.range >> 32;
        let quantile = u32::try_from(self.lower.wrapping_neg() / scale).ok()?;
        let start = quantile.saturating_sub(random.below(3) as u32);
        let width = (quantile - start + 1).saturating_add(random.below(2) as u32);
        start.checked_add(width - 1)?;
        self.straddles().then_some(Interval { start, width })
    }

    /// Seals: as few bytes as name a point within the range, without zeros at their end.
    pub fn finish(mut self) -> Vec<u8> {
        if self.started {
            let point = (0..=4u32)
                .map(|n| {
                    let u = if n == 0 {
                        u128::MAX
                    } else {
                        (1u128 << (128 - 8 * n)) - 1
                    };
                    self.lower.wrapping_add(u) & !u
                })
                .find(|point| point.wrapping_sub(self.lower) < self.range)
                .expect("four bytes suffice");
            if point < self.lower {
                self.carry();
            }
            let bytes = point.to_be_bytes();
            for word in bytes.chunks(4) {
                self.words
                    .push(u32::from_be_bytes(word.try_into().expect("four bytes")));
            }
        }
        let mut bytes: Vec<u8> = self
            .words
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        bytes.truncate(
            bytes
                .iter()
                .rposition(|&b| b != 0)
                .map_or(0, |last| last + 1),
        );
        bytes
    }
}

/// The decoder of the text; zeros follow the bytes.
#[derive(Debug)]
pub struct TextDecoder<'a> {
    lower: u128,
    range: u128,
    point: u128,
    rest: &'a [u8],
}

impl<'a> TextDecoder<'a> {
    /// Reads the first 128 bits.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            lower: 0,
            range: u128::MAX,
            point: 0,
            rest: bytes,
        };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    fn shift(&mut self) {
        let mut word = 0u32;
        for _ in 0..4 {
            let (byte, rest) = self
                .rest
                .split_first()
                .map_or((0, self.rest), |(b, rest)| (*b, rest));
            self.rest = rest;
            word = (word << 8) | u32::from(byte);
        }
        self.point = (self.point << 32) | u128::from(word);
    }

    /// The code point of the next symbol; `None` where the bytes are damaged.
    pub fn quantile(&self) -> Option<u32> {
        u32::try_from(self.point.wrapping_sub(self.lower) / (self.range >> 32)).ok()
    }

    /// Goes behind the symbol of this interval.
    pub fn take(&mut self, interval: Interval) {
        let scale = self.range >> 32;
        self.lower = self.lower.wrapping_add(scale * u128::from(interval.start));
        self.range = scale * u128::from(interval.width);
        if self.range < TOP {
            self.lower <<= 32;
            self.range <<= 32;
            self.shift();
        }
    }
}
