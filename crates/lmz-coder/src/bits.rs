//! The decoder of a stream of which every interval is one of two: no division.

/// Reads what [`Encoder`](crate::Encoder) wrote, if each of its intervals was `[0, one)` or
/// `[one, 2^32)`: the coded stream of `docs/format.md`, bit by bit.
#[derive(Clone, Debug)]
pub struct BitDecoder<'a> {
    /// Where the coded bytes point, less the lower end of the range.
    offset: u128,
    range: u128,
    rest: &'a [u8],
}

impl<'a> BitDecoder<'a> {
    /// A decoder at the start of `bytes`, behind which there are zeros for ever.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            offset: 0,
            range: u128::MAX,
            rest: bytes,
        };
        for _ in 0..4 {
            decoder.offset = (decoder.offset << 32) | u128::from(decoder.word());
        }
        decoder
    }

    fn word(&mut self) -> u32 {
        let mut word = [0u8; 4];
        let n = self.rest.len().min(4);
        word[..n].copy_from_slice(&self.rest[..n]);
        self.rest = &self.rest[n..];
        u32::from_be_bytes(word)
    }

    /// The next bit: whether the coded bytes point into `[0, one)`; `one` is not 0. Damaged bytes give
    /// wrong bits and no error.
    #[inline]
    pub fn decode(&mut self, one: u32) -> bool {
        let scale = self.range >> 32;
        let split = scale * u128::from(one);
        let bit = self.offset < split;
        if bit {
            self.range = split;
        } else {
            self.offset -= split;
            self.range = scale * u128::from(one.wrapping_neg());
        }
        if self.range < 1 << 96 {
            self.range <<= 32;
            self.offset = (self.offset << 32) | u128::from(self.word());
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
