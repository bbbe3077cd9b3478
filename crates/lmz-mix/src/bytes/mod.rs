//! Bytes by what was seen of them alone, without a language model: eight decisions a byte.

mod matches;
mod record;

use crate::apm::Apm;
use crate::bank::{ByteBank, CONTEXTS, in_second_half};
use crate::coder::Coder;
use crate::mixer::{Mixer, Rates, WEIGHT_ONE};
use crate::tables::{PROBABILITY_BITS, hash, tables};
use crate::version::Version;
use crate::wide::Wide;

use matches::Matcher;
use record::Records;

/// Inputs of the mixer.
const INPUTS: usize = 16;
const OF_BANK: usize = 4;
/// Contexts of the mixer's sets.
const SETS: [usize; 4] = [64 * 8, 256, 256, 256];
const MAP_CONTEXTS: usize = 1 << 12;

/// A bit as it was mixed.
struct Mixed {
    /// Of a 1, a share of 2^32.
    probability: u32,
    inputs: [i16; INPUTS],
    expected: [Option<(bool, usize)>; 2],
}

/// What is learnt from a sequence of bytes.
#[derive(Debug)]
pub struct Bytes {
    /// Inputs that this version has of the bank: of the first contexts.
    inputs: usize,
    bank: ByteBank,
    matchers: [Matcher; 2],
    mixer: Mixer<INPUTS, { SETS.len() }>,
    last: Apm,
    second: Apm,
    history: Vec<u8>,
    /// The last eight bytes, the last one lowest.
    tail: u64,
    word: u32,
    last_word: u32,
    records: Records,
    /// Where the line and the one before begin.
    lines: [usize; 2],
    /// Fields of the line so far.
    field: u32,
    /// The last two bytes that followed each byte, and each pair.
    followed: [u16; 256],
    followed_pair: Vec<u16>,
    wide: Wide,
}

impl Bytes {
    /// For about 2^`size` bytes: the contexts' tables have 2^(size - 4) slots each, at most 2^18.
    pub fn new(size: u32, version: Version) -> Self {
        let bits = slot_bits(size);
        let inputs = match version {
            Version::V1 => CONTEXTS - 1,
            Version::V2 => CONTEXTS,
        };
        let mut initial = [0; INPUTS];
        for weight in &mut initial[..OF_BANK + inputs] {
            *weight = WEIGHT_ONE / 100 * 25;
        }
        let rates = Rates {
            first: 200,
            last: 60,
            second: 16,
            least: 32,
        };
        let head_bits = size.clamp(10, 22);
        Self {
            inputs,
            bank: ByteBank::new(bits),
            matchers: [Matcher::new(8, head_bits), Matcher::new(5, head_bits)],
            mixer: Mixer::new(&SETS, &initial, 256, rates),
            last: Apm::new(MAP_CONTEXTS),
            second: Apm::new(MAP_CONTEXTS),
            history: Vec::new(),
            tail: 0,
            word: 0,
            last_word: 0,
            records: Records::new(),
            lines: [0; 2],
            field: 0,
            followed: [0; 256],
            followed_pair: vec![0; 1 << 16],
            wide: Wide::detect(),
        }
    }

    /// Bytes of memory that [`Bytes::new`] takes, to a few percent.
    pub fn memory(size: u32) -> usize {
        ByteBank::memory(slot_bits(size)) + (9 << 20) + (8 << size.clamp(10, 22))
    }

    /// What was coded so far.
    pub fn history(&self) -> &[u8] {
        &self.history
    }

    /// The bytes that were coded.
    pub fn into_history(self) -> Vec<u8> {
        self.history
    }

    /// Codes the next byte, and learns it. An encoder gives it; a decoder any.
    pub fn code<C: Coder>(&mut self, coder: &mut C, byte: u8) -> u8 {
        let mut hashes = self.contexts();
        self.bank.fetch_tags(&hashes);
        self.bank.locate(&hashes);
        let mut partial = 1u32;
        for bit in 0..8u32 {
            let mixed = self.mix(bit, partial, &hashes);
            let wanted = byte >> (7 - bit) & 1 == 1;
            let got = coder.code(mixed.probability, wanted);
            partial = partial << 1 | u32::from(got);
            let second = (bit == 3).then_some(partial);
            self.learn(&mixed, got, second.map(|high| (high, &mut hashes)));
        }
        let byte = partial as u8;
        self.push(byte);
        byte
    }

    /// The probability of a bit behind those of `partial` (behind a leading 1). `hashes` are the contexts of its half of the byte.
    #[inline]
    fn mix(&mut self, bit: u32, partial: u32, hashes: &[u32; CONTEXTS]) -> Mixed {
        self.wide.run(
            #[inline(always)]
            || {
                if bit.is_multiple_of(4) {
                    self.bank.select(hashes);
                }
                self.mix_here(bit, partial)
            },
        )
    }

    #[inline(always)]
    fn mix_here(&mut self, bit: u32, partial: u32) -> Mixed {
        let node = match bit {
            0..4 => partial,
            _ => 1 << (bit - 4) | partial & ((1 << (bit - 4)) - 1),
        } as usize;
        let column = self.history.len() % self.records.length().max(1);
        let c1 = self.tail as usize & 255;
        let expected = [
            self.matchers[0].expects(bit, partial),
            self.matchers[1].expects(bit, partial),
        ];
        let mut inputs = [0i16; INPUTS];
        for i in 0..2 {
            let pair = self.matchers[i].inputs(expected[i]);
            inputs[2 * i..2 * i + 2].copy_from_slice(&pair);
        }
        self.bank.look(node, 0);
        self.bank.inputs(&mut inputs[OF_BANK..]);
        inputs[OF_BANK + self.inputs..].fill(0);
        let by_match = match expected {
            [Some((bit, bucket)), _] => 1 + bucket / 2 * 2 + usize::from(bit),
            [None, Some((bit, bucket))] => 40 + bucket / 4 * 2 + usize::from(bit),
            _ => 0,
        };
        let rows = [
            by_match * 8 + bit as usize,
            partial as usize,
            c1,
            column.min(255),
        ];
        let mixed = self.mixer.mix(&inputs, &rows, partial as usize, self.wide);
        let first = self
            .last
            .map(mixed >> 8, hash(c1 as u32, partial) as usize % MAP_CONTEXTS);
        let pair = hash(self.tail as u32 & 0xffff, partial) as usize % MAP_CONTEXTS;
        let other = self.second.map(mixed >> 8, pair);
        let apm = (first + other) << (PROBABILITY_BITS - 17);
        let p = (tables().squash(mixed) + apm) / 2;
        let p = p.clamp(2, (1 << PROBABILITY_BITS) - 2);
        Mixed {
            probability: p << (32 - PROBABILITY_BITS),
            inputs,
            expected,
        }
    }

    /// Learns a bit. With a byte's high half, `hashes` become those of the low half.
    #[inline]
    fn learn(&mut self, mixed: &Mixed, bit: bool, mut second: Option<(u32, &mut [u32; CONTEXTS])>) {
        self.wide.run(
            #[inline(always)]
            || {
                if let Some((high, hashes)) = &mut second {
                    **hashes = in_second_half(hashes, *high);
                    self.bank.fetch_tags(hashes);
                }
                self.mixer.learn(&mixed.inputs, bit);
                self.last.learn(bit);
                self.second.learn(bit);
                for (matcher, expected) in self.matchers.iter_mut().zip(mixed.expected) {
                    matcher.learn(expected, bit);
                }
                if let Some((_, hashes)) = &second {
                    self.bank.locate(hashes);
                }
                self.bank.learn(bit);
            },
        );
    }

    fn push(&mut self, byte: u8) {
        let (c1, c2) = (self.tail as usize & 255, self.tail as usize & 0xffff);
        self.followed[c1] = self.followed[c1] << 8 | u16::from(byte);
        self.followed_pair[c2] = self.followed_pair[c2] << 8 | u16::from(byte);
        self.history.push(byte);
        self.tail = self.tail << 8 | u64::from(byte);
        let n = self.history.len();
        if byte.is_ascii_alphanumeric() || byte >= 128 {
            self.word = hash(self.word.wrapping_add(1), u32::from(byte));
        } else {
            if self.word != 0 {
                self.last_word = self.word;
                self.word = 0;
            }
            if matches!(byte, b' ' | b',' | b'\t' | b';' | b':' | b'|' | b'=' | b'"') {
                self.field += 1;
            }
        }
        if byte == b'\n' {
            self.lines = [n, self.lines[0]];
            self.field = 0;
        }
        self.records.push(byte, n);
        for matcher in &mut self.matchers {
            matcher.push(&self.history, self.tail);
        }
    }

    fn back(&self, distance: usize) -> u32 {
        let n = self.history.len();
        u32::from(n.checked_sub(distance).map_or(0, |at| self.history[at]))
    }

    fn contexts(&self) -> [u32; CONTEXTS] {
        let n = self.history.len();
        let c4 = self.tail as u32;
        let c8 = (self.tail >> 32) as u32;
        let c1 = c4 & 0xff;
        let length = self.records.length();
        let (up, up2) = (self.back(length), self.back(2 * length));
        let column = (n % length) as u32;
        // The byte above, in text.
        let at = self.lines[1] + (n - self.lines[0]);
        let above = if at < self.lines[0] {
            u32::from(self.history[at])
        } else {
            0
        };
        let followed = u32::from(self.followed[c1 as usize]);
        let pair = u32::from(self.followed_pair[c4 as usize & 0xffff]);
        let contexts = [
            c1,
            c4 & 0xffff,
            c4,
            hash(c4, c8 & 0xffff),
            hash(self.word, c1),
            hash(hash(self.word, self.last_word), c1),
            c4 & 0xff_ff00,
            hash(up | up2 << 8, column),
            hash(up | c1 << 8, length as u32),
            hash(above | c1 << 8, self.field),
            hash(followed | c1 << 16, pair & 255),
            column,
        ];
        let mut hashes = [0; CONTEXTS];
        for (i, (h, context)) in hashes.iter_mut().zip(contexts).enumerate() {
            *h = hash(context, i as u32 + 1);
        }
        hashes
    }
}

fn slot_bits(size: u32) -> u32 {
    size.saturating_sub(4).clamp(8, 18)
}
