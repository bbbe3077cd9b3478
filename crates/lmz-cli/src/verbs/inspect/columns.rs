//! The page's data: columns of small integers, one entry for each symbol, packed with zlib.
//!
//! Columns compress well, and a browser turns them into typed arrays without parsing. Numbers are
//! little-endian; `varint` is LEB128.
//!
//! | column | entries | |
//! |---|---|---|
//! | `raw` | bytes | the raw bytes of the file |
//! | `length` | varint each symbol | raw bytes of the symbol |
//! | `bits` | u16 each symbol | cost in 1/256 bit, 65535 for more: ideally, or what mixing made of it |
//! | `model` | u16 each symbol | the model's own cost, likewise |
//! | `rank` | varint each symbol | how many symbols were likelier, and one |
//! | `escape` | varint each escape | distance from the escape before, in symbols |
//! | `other` | u32 each alternative, the best of all symbols first | number in the table |
//! | `price` | u16 each alternative | its ideal cost in 1/2048 bit, 65535 for more |
//! | `word` | varint each word | bytes of a word of the table |
//! | `words` | bytes | the words of the table, one after another |

use std::collections::HashMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use lmz::Model;
use lmz::model::Symbol;
use lmz::trace::SegmentTrace;
use lmz_coder::Cost;

/// Stands for the escape among the alternatives.
const ESCAPE: u32 = u32::MAX;

/// Collects the symbols of a file.
pub struct Columns {
    /// Alternatives of each symbol.
    each: usize,
    raw: Vec<u8>,
    length: Vec<u8>,
    bits: Vec<u8>,
    model: Vec<u8>,
    rank: Vec<u8>,
    escape: Vec<u8>,
    /// Symbols since the last escape.
    since: u64,
    symbols: u64,
    /// Tokens of all alternatives, symbol by symbol.
    other: Vec<u32>,
    price: Vec<u16>,
}

/// The packed columns.
pub struct Blob {
    /// The zlib stream.
    pub packed: Vec<u8>,
    /// Name and size of each column, in order.
    pub columns: Vec<(&'static str, usize)>,
    /// Symbols.
    pub symbols: u64,
    /// Alternatives of each symbol.
    pub each: usize,
    /// Number of the escape in the table of words.
    pub escape_word: usize,
}

impl Columns {
    pub fn new(each: usize) -> Self {
        Self {
            each,
            raw: Vec::new(),
            length: Vec::new(),
            bits: Vec::new(),
            model: Vec::new(),
            rank: Vec::new(),
            escape: Vec::new(),
            since: 0,
            symbols: 0,
            other: Vec::new(),
            price: Vec::new(),
        }
    }

    /// Takes the next segment.
    pub fn push(&mut self, trace: &SegmentTrace) {
        self.raw.extend_from_slice(&trace.raw);
        for (n, symbol) in trace.symbols.iter().enumerate() {
            varint(&mut self.length, symbol.raw_len.into());
            for (column, cost) in [
                (&mut self.bits, symbol.cost()),
                (&mut self.model, symbol.ideal()),
            ] {
                column.extend_from_slice(&fixed(cost, 8).to_le_bytes());
            }
            varint(&mut self.rank, symbol.rank.into());
            if let Symbol::Escape(_) = symbol.symbol {
                varint(&mut self.escape, self.since);
                self.since = 0;
            }
            self.since += 1;
            let others = trace.alternatives(n);
            for place in 0..self.each {
                let other = others.get(place);
                self.other
                    .push(other.map_or(ESCAPE, |other| other.token.unwrap_or(ESCAPE)));
                self.price
                    .push(other.map_or(u16::MAX, |other| fixed(other.ideal, 11)));
            }
        }
        self.symbols += trace.symbols.len() as u64;
    }

    /// Packs the columns. `model` knows the tokens' bytes.
    ///
    /// # Errors
    /// None is known to happen: everything is in memory.
    pub fn finish(self, model: Option<&Model>) -> io::Result<Blob> {
        let (mut word, mut words) = (Vec::new(), Vec::new());
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        let symbols = model.map(|model| model.engine().symbols());
        let mut number = |token: u32| -> u32 {
            let next = numbers.len() as u32;
            *numbers.entry(token).or_insert_with(|| {
                let bytes = symbols.and_then(|table| Some(table.bytes(table.symbol(token)?)));
                let bytes = bytes.unwrap_or_default();
                varint(&mut word, bytes.len() as u64);
                words.extend_from_slice(bytes);
                next
            })
        };
        let escape_word = number(ESCAPE) as usize;
        let mut other = Vec::with_capacity(4 * self.other.len());
        let mut price = Vec::with_capacity(2 * self.price.len());
        for place in 0..self.each {
            for (token, cost) in (self.other.iter().zip(&self.price))
                .skip(place)
                .step_by(self.each)
            {
                other.extend_from_slice(&number(*token).to_le_bytes());
                price.extend_from_slice(&cost.to_le_bytes());
            }
        }
        let columns: [(&'static str, Vec<u8>); 10] = [
            ("raw", self.raw),
            ("length", self.length),
            ("bits", self.bits),
            ("model", self.model),
            ("rank", self.rank),
            ("escape", self.escape),
            ("other", other),
            ("price", price),
            ("word", word),
            ("words", words),
        ];
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        for (_, bytes) in &columns {
            encoder.write_all(bytes)?;
        }
        Ok(Blob {
            packed: encoder.finish()?,
            columns: columns.map(|(name, bytes)| (name, bytes.len())).to_vec(),
            symbols: self.symbols,
            each: self.each,
            escape_word,
        })
    }
}

/// A cost with this many fractional bits, rounded; the largest number for what is more.
fn fixed(cost: Cost, frac_bits: u32) -> u16 {
    let shift = Cost::FRAC_BITS - frac_bits;
    let rounded = cost.0.saturating_add(1 << (shift - 1)) >> shift;
    u16::try_from(rounded).unwrap_or(u16::MAX)
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_round_and_saturate() {
        assert_eq!(fixed(Cost::from_bits(1), 8), 256);
        assert_eq!(fixed(Cost((1 << 24) + (1 << 15)), 8), 257);
        assert_eq!(fixed(Cost::from_bits(300), 8), u16::MAX);
        assert_eq!(fixed(Cost(u64::MAX), 11), u16::MAX);
    }

    #[test]
    fn varints_are_leb128() {
        let mut out = Vec::new();
        for n in [0, 127, 128, 300] {
            varint(&mut out, n);
        }
        assert_eq!(out, [0, 127, 128, 1, 172, 2]);
    }
}
