//! Bits to bytes and back, through one function, so that the two directions cannot drift apart.

use lmz_coder::{BitDecoder, Encoder, Interval};

/// Codes bits: an encoder writes the bit that it is given, a decoder finds it.
pub trait Coder {
    /// Codes one bit. `one` of 2^32 is the share of a 1, neither 0 nor all. An encoder codes and returns
    /// `bit`; a decoder takes no notice of `bit` and returns what it has read.
    fn code(&mut self, one: u32, bit: bool) -> bool;
}

impl Coder for Encoder {
    #[inline]
    fn code(&mut self, one: u32, bit: bool) -> bool {
        let one = one.max(1);
        let interval = if bit {
            Interval {
                start: 0,
                width: one,
            }
        } else {
            Interval {
                start: one,
                width: one.wrapping_neg(),
            }
        };
        self.encode(interval).expect("both shares are at least 1");
        bit
    }
}

impl Coder for BitDecoder<'_> {
    #[inline]
    fn code(&mut self, one: u32, _bit: bool) -> bool {
        self.decode(one.max(1))
    }
}
