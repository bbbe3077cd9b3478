//! Match models: what followed the last time that the same bytes came.

use super::history::{AHEAD, Ahead, History, Place};
use crate::memory::Table;
use crate::tables::{hash, tables};

/// Bytes that are compared when a candidate is found.
const VERIFIED: usize = 32;
const BUCKETS: usize = 32;

/// One match model, for all lanes: where each hash was seen last, and how far predictions hold.
#[derive(Debug)]
pub struct Matcher {
    /// Bytes that are hashed.
    length: u32,
    /// Block and offset, 32 bits each; 0 is none.
    heads: Table<u64>,
    shift: u32,
    /// Probability that the expected bit comes, 16 bits: by bucket of the length, end of token or not, and expected bit.
    hits: Vec<u16>,
    used: usize,
}

/// A lane's match.
#[derive(Clone, Copy, Debug, Default)]
pub struct Match {
    place: Place,
    /// Bytes that agreed; 0 for no match.
    length: u32,
    /// Look-ups for which a match counts for less, after it failed.
    doubt: u32,
    ahead: Ahead,
    /// Of the ahead, whether all bytes of the token so far agree.
    agrees: bool,
}

/// What a match says of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub bit: bool,
    /// 1..=31
    pub bucket: usize,
}

impl Match {
    /// At the start of a token.
    pub fn begin(&mut self, history: &History) {
        if self.length > 0 {
            self.ahead = history.ahead(self.place);
            self.agrees = true;
        }
    }

    /// Another byte of the token, its `at`th, is known.
    #[inline(always)]
    pub fn see(&mut self, at: usize, byte: u8) {
        self.agrees &= at < self.ahead.known && self.ahead.bytes[at] == byte;
    }

    /// Whether the token is expected to go on behind `at` bytes, or the bit behind the known ones.
    #[inline(always)]
    pub fn expects(&self, at: usize, end: bool, bit: u8, partial: u8) -> Option<Expected> {
        if self.length == 0 || !self.agrees || at > self.ahead.known {
            return None;
        }
        let expected = if end {
            if at == AHEAD {
                return None;
            }
            self.ahead.begins >> at & 1 == 0
        } else {
            if at == self.ahead.known {
                return None;
            }
            let byte = u32::from(self.ahead.bytes[at]) | 256;
            if byte >> (8 - bit) != u32::from(partial) {
                return None;
            }
            byte >> (7 - bit) & 1 == 1
        };
        let length = self.length + at as u32;
        let bucket = match length {
            0..16 => length,
            16..32 => 16 + (length - 16) / 4,
            32..64 => 20 + (length - 32) / 8,
            64..512 => 24 + (length - 64) / 64,
            _ => 31,
        };
        let bucket = if self.doubt > 0 { bucket / 2 } else { bucket };
        Some(Expected {
            bit: expected,
            bucket: (1 + bucket as usize).min(BUCKETS - 1),
        })
    }

    /// A token of `bytes` was coded, and is in the history.
    pub fn commit(&mut self, bytes: &[u8], history: &History) {
        if self.length == 0 {
            return;
        }
        // What agreed may lie beyond what was looked at.
        let same = self.agrees
            && bytes.len() <= self.ahead.known
            && bytes == &self.ahead.bytes[..bytes.len()];
        if same {
            self.length = (self.length + bytes.len() as u32).min(65535);
            self.place = history.advance(self.place, bytes.len());
            if self.length > 16 {
                self.doubt = 0;
            }
        } else {
            self.length = 0;
            self.doubt = 8;
        }
    }
}

impl Matcher {
    /// Hashes `length` bytes into 2^`bits` entries.
    pub fn new(length: u32, bits: u32) -> Self {
        let mut hits = vec![0; BUCKETS * 4];
        for (i, hit) in hits.iter_mut().enumerate() {
            // 1 - 0.3 / (1 + bucket), of a 1 where a 1 is expected.
            let miss = 65536 * 3 / (10 * (1 + i as u32 / 4));
            *hit = if i & 1 == 1 { 65535 - miss } else { miss } as u16;
        }
        Self {
            length,
            heads: Table::new(0, 1 << bits),
            shift: 32 - bits,
            hits,
            used: 0,
        }
    }

    /// The two inputs of the mixer.
    #[inline(always)]
    pub fn inputs(&mut self, expected: Option<Expected>, end: bool) -> [i16; 2] {
        let Some(Expected { bit, bucket }) = expected else {
            return [0, 0];
        };
        self.used = bucket * 4 + 2 * usize::from(end) + usize::from(bit);
        let p = u32::from(self.hits[self.used]);
        [tables().stretch16(p), ((p as i32 - 32768) >> 5) as i16]
    }

    /// Learns the bit that came.
    #[inline(always)]
    pub fn learn(&mut self, expected: Option<Expected>, bit: bool) {
        if expected.is_some() {
            let hit = &mut self.hits[self.used];
            let p = i32::from(*hit);
            *hit = (p + (((if bit { 65535 } else { 0 }) - p) >> 6)) as u16;
        }
    }

    fn slot(&self, tail: u128) -> usize {
        let tail = tail & ((1 << (8 * self.length)) - 1);
        let h = hash(tail as u32, (tail >> 32) as u32);
        let h = hash(h, (tail >> 64) as u32 ^ (tail >> 96) as u32);
        (h >> self.shift) as usize
    }

    /// A byte has come: `tail` are the last 16 bytes before `place`, `known` of them. Where `look` is
    /// set, a match is sought if there is none.
    pub fn index(
        &mut self,
        tail: u128,
        known: u32,
        place: Place,
        look: Option<(&mut Match, &History)>,
    ) {
        if known < self.length {
            return;
        }
        let slot = self.slot(tail);
        if let Some((found, history)) = look
            && found.length == 0
        {
            let head = self.heads[slot];
            if head != 0 {
                let candidate = Place {
                    block: (head >> 32) as u32,
                    offset: head as u32,
                };
                let common = history.common(place, candidate, VERIFIED) as u32;
                if common >= self.length {
                    found.length = common;
                    found.place = history.advance(candidate, 0);
                    found.doubt = found.doubt.saturating_sub(1);
                }
            }
        }
        self.heads[slot] = u64::from(place.block) << 32 | u64::from(place.offset);
    }
}
