//! The match models of bytes: flat history, one look-up a byte.

use crate::memory::Table;
use crate::tables::{hash, tables};

const BUCKETS: usize = 32;
/// Bytes that are compared when a candidate is found.
const VERIFIED: usize = 48;

/// A match model.
#[derive(Debug)]
pub struct Matcher {
    /// Bytes that are hashed, at most 8.
    length: usize,
    heads: Table<u32>,
    shift: u32,
    /// By bucket of the length and expected bit.
    hits: Vec<u16>,
    /// Where the expected byte lies.
    at: usize,
    /// Bytes that agreed; 0 for no match.
    agreed: usize,
    /// After a failure, until it is made good.
    doubt: u32,
    /// The expected byte behind a leading 1; 0 for none.
    expected: u32,
    used: usize,
}

impl Matcher {
    pub fn new(length: usize, bits: u32) -> Self {
        let hits = (0..BUCKETS * 2)
            .map(|i| {
                let miss = 65536 * 3 / (10 * (1 + i as u32 / 2));
                (if i & 1 == 1 { 65535 - miss } else { miss }) as u16
            })
            .collect();
        Self {
            length,
            heads: Table::new(0, 1 << bits),
            shift: 32 - bits,
            hits,
            at: 0,
            agreed: 0,
            doubt: 0,
            expected: 0,
            used: 0,
        }
    }

    /// A byte was appended to the history.
    pub fn push(&mut self, history: &[u8], tail: u64) {
        let n = history.len();
        if self.agreed > 0 {
            if history[self.at] == history[n - 1] {
                self.at += 1;
                self.agreed = (self.agreed + 1).min(65535);
                if self.agreed > 16 {
                    self.doubt = self.doubt.saturating_sub(1);
                }
            } else {
                self.agreed = 0;
                self.doubt = 8;
            }
        }
        if n >= self.length {
            let tail = tail & (u64::MAX >> (64 - 8 * self.length));
            let slot = (hash(tail as u32, (tail >> 32) as u32) >> self.shift) as usize;
            if self.agreed == 0 {
                let candidate = self.heads[slot] as usize;
                if candidate > 0 {
                    let most = VERIFIED.min(candidate);
                    let common = (0..most)
                        .take_while(|&i| history[candidate - 1 - i] == history[n - 1 - i])
                        .count();
                    if common >= self.length {
                        self.agreed = common;
                        self.at = candidate;
                    }
                }
            }
            self.heads[slot] = n as u32;
        }
        self.expected = match self.agreed {
            0 => 0,
            _ => u32::from(history[self.at]) | 256,
        };
    }

    /// What is expected behind the bits `partial` (behind a leading 1): the bit and the bucket, 1 to 31.
    #[inline(always)]
    pub fn expects(&self, bit: u32, partial: u32) -> Option<(bool, usize)> {
        if self.expected >> (8 - bit) != partial {
            return None;
        }
        let n = self.agreed;
        let bucket = match n {
            0..16 => n,
            16..32 => 16 + (n - 16) / 4,
            32..64 => 20 + (n - 32) / 8,
            64..512 => 24 + (n - 64) / 64,
            _ => 31,
        };
        let bucket = if self.doubt > 0 { bucket / 2 } else { bucket };
        Some((
            self.expected >> (7 - bit) & 1 == 1,
            (1 + bucket).min(BUCKETS - 1),
        ))
    }

    /// The two inputs of the mixer.
    #[inline(always)]
    pub fn inputs(&mut self, expected: Option<(bool, usize)>) -> [i16; 2] {
        let Some((bit, bucket)) = expected else {
            return [0, 0];
        };
        self.used = bucket * 2 + usize::from(bit);
        let p = u32::from(self.hits[self.used]);
        [tables().stretch16(p), ((p as i32 - 32768) >> 5) as i16]
    }

    /// Learns the bit that came.
    #[inline(always)]
    pub fn learn(&mut self, expected: Option<(bool, usize)>, bit: bool) {
        if expected.is_some() {
            let hit = &mut self.hits[self.used];
            let p = i32::from(*hit);
            *hit = (p + (((if bit { 65535 } else { 0 }) - p) >> 6)) as u16;
        }
    }
}
