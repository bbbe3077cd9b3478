//! What no model is worth running on.

use lmz_coder::BitDecoder;
use lmz_mix::Bytes;

#[cfg(feature = "encode")]
use super::priced::Priced;

/// How many bits it takes to count to a length: the size that tables are made for.
pub fn size_of(len: usize) -> u32 {
    usize::BITS - len.saturating_sub(1).leading_zeros()
}

/// Bytes to coded bytes.
#[cfg(feature = "encode")]
pub fn encode(raw: &[u8], size: u32) -> Priced {
    let (mut model, mut encoder) = (Bytes::new(size), Priced::default());
    for &byte in raw {
        model.code(&mut encoder, byte);
    }
    encoder
}

/// Coded bytes, of which more and more are asked for.
pub struct Decoding<'a> {
    model: Bytes,
    decoder: BitDecoder<'a>,
}

impl<'a> Decoding<'a> {
    pub fn new(coded: &'a [u8], size: u32) -> Self {
        Self {
            model: Bytes::new(size),
            decoder: BitDecoder::new(coded),
        }
    }

    /// The next bytes.
    pub fn take(&mut self, len: usize) -> Vec<u8> {
        (0..len)
            .map(|_| self.model.code(&mut self.decoder, 0))
            .collect()
    }
}
