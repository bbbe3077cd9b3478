//! The decoder of a stream of which every interval is one of two: no division.

/// Reads what [`Encoder`](crate::Encoder) wrote, if each of its intervals was `[0, one)` or
/// `[one, 2^32)`: the coded stream of `docs/format.md`, bit by bit.
#[derive(Clone, Debug)]
pub struct BitDecoder<'a> {
    /// Where the coded bytes point, less the lower end of the range.
    offset: u128,
    range: u128,
    rest: &'a [u8],
    /// Whether nobody knows what followed the bytes.
    cut: bool,
    /// By how much the coded bytes may point beyond `offset`, whatever followed those that are there.
    slack: u128,
    sure: bool,
}

impl<'a> BitDecoder<'a> {
    /// A decoder at the start of `bytes`, behind which there are zeros for ever.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::start(bytes, false)
    }

    /// A decoder of `bytes` whose end is cut off: [`is_sure`](Self::is_sure) says up to where they decide by themselves.
    pub fn cut(bytes: &'a [u8]) -> Self {
        Self::start(bytes, true)
    }

    fn start(bytes: &'a [u8], cut: bool) -> Self {
        let mut decoder = Self {
            offset: 0,
            range: u128::MAX,
            rest: bytes,
            cut,
            slack: 0,
            sure: true,
        };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    /// Takes the next word.
    fn shift(&mut self) {
        let mut word = [0u8; 4];
        let n = self.rest.len().min(4);
        word[..n].copy_from_slice(&self.rest[..n]);
        self.rest = &self.rest[n..];
        self.offset = (self.offset << 32) | u128::from(u32::from_be_bytes(word));
        if self.cut {
            let unknown = u32::MAX.checked_shr(8 * n as u32).unwrap_or(0);
            self.slack = (self.slack << 32) | u128::from(unknown);
        }
    }

    /// Whether all bits so far are the same whatever followed bytes that are [cut](Self::cut).
    pub fn is_sure(&self) -> bool {
        self.sure
    }

    /// The next bit: whether the coded bytes point into `[0, one)`; `one` is not 0. Damaged bytes give
    /// wrong bits and no error.
    #[inline]
    pub fn decode(&mut self, one: u32) -> bool {
        let scale = self.range >> 32;
        let split = scale * u128::from(one);
        let bit = self.offset < split;
        if self.slack != 0 {
            self.sure &= (self.offset.saturating_add(self.slack) < split) == bit;
        }
        if bit {
            self.range = split;
        } else {
            self.offset -= split;
            self.range = scale * u128::from(one.wrapping_neg());
        }
        if self.range < 1 << 96 {
            if self.cut {
                // Beyond the range nothing can point.
                let most = self.range.saturating_sub(1).saturating_sub(self.offset);
                self.slack = self.slack.min(most);
            }
            self.range <<= 32;
            self.shift();
        }
        bit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoder, Interval};
    use proptest::prelude::*;

    fn interval(one: u32, bit: bool) -> Interval {
        let (start, width) = if bit {
            (0, one)
        } else {
            (one, one.wrapping_neg())
        };
        Interval { start, width }
    }

    proptest! {
        #[test]
        fn reads_what_the_encoder_wrote(bits in prop::collection::vec((1u32.., any::<bool>()), 0..300)) {
            let mut encoder = Encoder::new();
            for &(one, bit) in &bits {
                encoder.encode(interval(one, bit)).unwrap();
            }
            let bytes = encoder.finish();
            let mut decoder = BitDecoder::new(&bytes);
            for &(one, bit) in &bits {
                prop_assert_eq!(decoder.decode(one), bit);
            }
        }

        /// What a beginning is sure of is so.
        #[test]
        fn a_beginning_says_what_is_sure(
            bits in prop::collection::vec((1u32.., any::<bool>()), 0..300),
            cut in 0usize..200,
        ) {
            let mut encoder = Encoder::new();
            for &(one, bit) in &bits {
                encoder.encode(interval(one, bit)).unwrap();
            }
            let bytes = encoder.finish();
            let cut = cut.min(bytes.len());
            let mut decoder = BitDecoder::cut(&bytes[..cut]);
            let mut cost = 0.0;
            for &(one, bit) in &bits {
                let found = decoder.decode(one);
                if !decoder.is_sure() {
                    break;
                }
                prop_assert_eq!(found, bit);
                cost -= (f64::from(interval(one, bit).width) / 2f64.powi(32)).log2();
            }
            if decoder.is_sure() {
                // Nothing is sure but what the bytes pay for.
                prop_assert!(cost <= 8.0 * cut as f64 + 1.0, "{} bits of {cut} bytes", cost);
            }
            let mut whole = BitDecoder::new(&bytes);
            bits.iter().for_each(|&(one, _)| { whole.decode(one); });
            prop_assert!(whole.is_sure());
        }

        #[test]
        fn any_bytes_give_bits(bytes in prop::collection::vec(any::<u8>(), 0..40), ones in prop::collection::vec(1u32.., 0..300)) {
            let mut decoder = BitDecoder::new(&bytes);
            let bits: Vec<bool> = ones.iter().map(|&one| decoder.decode(one)).collect();
            // They are bits that could have been coded.
            let mut encoder = Encoder::new();
            for (&one, &bit) in ones.iter().zip(&bits) {
                encoder.encode(interval(one, bit)).unwrap();
            }
            let coded = encoder.finish();
            let mut decoder = BitDecoder::new(&coded);
            let again: Vec<bool> = ones.iter().map(|&one| decoder.decode(one)).collect();
            prop_assert_eq!(again, bits);
        }
    }
}
