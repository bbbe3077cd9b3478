//! Coded symbols and what could have stood in their place.

use lmz_coder::{Cost, ESCAPE_BYTE_BITS, Interval};
use lmz_model::Symbol;

/// A symbol that was coded, and its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedSymbol {
    /// A token, or a raw byte behind the escape.
    pub symbol: Symbol,
    /// How many raw bytes it stands for; 1 for an escape.
    pub raw_len: u32,
    /// The model's own code length: -log2 of its probability, before the probabilities are rounded to
    /// integer frequencies. For an escape, that of the escape symbol alone.
    pub ideal: Cost,
    /// Its share of the coder's 32-bit code space.
    pub interval: Interval,
    /// How many symbols the model held for likelier, and one more: 1 is the model's first guess.
    pub rank: u32,
    /// What it cost in the file, where what was seen of the group helped the model.
    pub mixed: Option<Cost>,
}

impl TracedSymbol {
    /// The bits of the raw byte behind an escape; nothing for a token.
    pub fn raw_byte(&self) -> Cost {
        match self.symbol {
            Symbol::Token(_) => Cost::default(),
            Symbol::Escape(_) => Cost::from_bits(ESCAPE_BYTE_BITS),
        }
    }

    /// Its interval, and that of the raw byte behind an escape.
    pub(super) fn intervals(&self) -> impl Iterator<Item = Interval> + use<> {
        let byte = match self.symbol {
            Symbol::Token(_) => None,
            Symbol::Escape(byte) => Some(Interval::of_byte(byte)),
        };
        std::iter::once(self.interval).chain(byte)
    }

    /// What it costs ideally, the raw byte behind an escape included.
    pub fn ideal(&self) -> Cost {
        self.ideal + self.raw_byte()
    }

    /// What it cost in the file: what mixing made of it, or what it costs ideally.
    pub fn cost(&self) -> Cost {
        self.mixed.unwrap_or_else(|| self.ideal())
    }

    /// What the integer frequencies make of that: 32 less the logarithm of the interval's width, with
    /// 24 fractional bits, the raw byte behind an escape included.
    pub fn quantised(&self) -> Cost {
        let width = lmz_coder::log2_q24(self.interval.width.into());
        Cost(Cost::from_bits(32).0 - width) + self.raw_byte()
    }

    /// The probability that the model gave it (an escape: the escape with this very byte).
    pub fn probability(&self) -> f64 {
        (-self.ideal().bits()).exp2()
    }
}

/// A symbol that could have stood in a coded one's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Its token; `None` is the escape, whatever byte would follow.
    pub token: Option<u32>,
    /// Its ideal code length.
    pub ideal: Cost,
}

/// The symbols that one block codes, and how much of the past it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedBlock {
    /// Number of its first symbol in the segment.
    pub first: usize,
    /// Symbols that it codes.
    pub len: usize,
    /// Symbols before the first that the model is shown: again, or in the first block the prime's.
    pub overlap: usize,
}
