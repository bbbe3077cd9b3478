//! Where the bits of a file went: every coded symbol with what the model was shown and what it said.
//!
//! A [`Tracer`] walks over a finished file. It decodes each segment and checks it, tokenises the raw
//! bytes again, runs the encoder's parallel pass over the known symbols and seals their intervals
//! anew: only if this gives the file's own coded bytes, bit for bit, are the figures handed out.
//! So a complete trace also proves that the file restores.
//!
//! [`contexts`] answers the same question for bytes that were not compressed: which tokens would the
//! model see, and which of them would it code?

mod contexts;
mod score;
mod spent;
mod tracer;

use lmz_coder::{Cost, ESCAPE_BYTE_BITS, Interval};
use lmz_format::SegmentInfo;
use lmz_model::Symbol;

pub use contexts::{BlockContext, contexts, segments};
pub use spent::Spent;
pub use tracer::{TraceOptions, Tracer};

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
}

impl TracedSymbol {
    /// The bits of the raw byte behind an escape; nothing for a token.
    pub fn raw_byte(&self) -> Cost {
        match self.symbol {
            Symbol::Token(_) => Cost::default(),
            Symbol::Escape(_) => Cost::from_bits(ESCAPE_BYTE_BITS),
        }
    }

    /// What it costs ideally, the raw byte behind an escape included.
    pub fn ideal(&self) -> Cost {
        self.ideal + self.raw_byte()
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

/// A segment and all that was coded in it.
#[derive(Clone, Debug)]
pub struct SegmentTrace {
    /// What the container says of it.
    pub info: SegmentInfo,
    /// Its raw bytes, decoded and checked.
    pub raw: Vec<u8>,
    /// What was coded, in order; empty for a segment that zstd keeps or that is stored.
    pub symbols: Vec<TracedSymbol>,
    /// The blocks of the symbols.
    pub blocks: Vec<TracedBlock>,
    /// For each symbol the most probable ones in its place, best first, as many as
    /// [`alternatives_each`](Self::alternatives_each) says.
    pub alternatives: Vec<Alternative>,
    /// How many alternatives each symbol has.
    pub alternatives_each: usize,
    /// The coder's state after the last symbol, before the seal.
    pub spent: Spent,
    /// The token that every block starts with.
    start_token: u32,
    /// The prime's symbols, which the first block sees.
    shown: crate::shown::Shown,
}

impl SegmentTrace {
    /// The alternatives of a symbol.
    pub fn alternatives(&self, symbol: usize) -> &[Alternative] {
        let from = symbol.saturating_mul(self.alternatives_each);
        self.alternatives
            .get(from..from + self.alternatives_each)
            .unwrap_or_default()
    }

    /// What the model was shown in each block, with the symbols that it coded at the end.
    pub fn contexts(&self) -> Vec<BlockContext> {
        let known = self.shown.len();
        let coded = self.symbols.iter().map(|s| s.symbol);
        let symbols: Vec<Symbol> = self.shown.iter().copied().chain(coded).collect();
        let blocks = self.blocks.iter().map(|block| crate::blocks::Block {
            first: known + block.first,
            end: known + block.first + block.len,
            overlap: block.overlap,
        });
        blocks
            .map(|block| BlockContext::new(block, &symbols, self.start_token))
            .collect()
    }

    /// Sum of the ideal costs.
    pub fn ideal(&self) -> Cost {
        self.symbols.iter().map(TracedSymbol::ideal).sum()
    }

    /// Sum of the costs under the integer frequencies.
    pub fn quantised(&self) -> Cost {
        self.symbols.iter().map(TracedSymbol::quantised).sum()
    }
}
