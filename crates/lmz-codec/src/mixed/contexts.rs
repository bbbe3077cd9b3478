//! What no model is worth running on.

use lmz_coder::BitDecoder;
use lmz_mix::{Bytes, Version};

#[cfg(feature = "encode")]
use super::priced::Priced;

/// How many bits it takes to count to a length: the size that tables are made for.
pub fn size_of(len: usize) -> u32 {
    usize::BITS - len.saturating_sub(1).leading_zeros()
}

/// Bytes to coded bytes.
#[cfg(feature = "encode")]
pub fn encode(raw: &[u8], size: u32, version: Version) -> Priced {
    let (mut model, mut encoder) = (Bytes::new(size, version), Priced::default());
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
    pub fn new(coded: &'a [u8], size: u32, version: Version) -> Self {
        Self {
            model: Bytes::new(size, version),
            decoder: BitDecoder::new(coded),
        }
    }

    /// Coded bytes whose end is cut off.
    pub fn cut(coded: &'a [u8], size: u32, version: Version) -> Self {
        Self {
            model: Bytes::new(size, version),
            decoder: BitDecoder::cut(coded),
        }
    }

    /// The next bytes up to where the coded bytes no longer decide: no more than `len`.
    pub fn take_sure(&mut self, len: usize) -> Vec<u8> {
        let mut sure = Vec::new();
        while sure.len() < len {
            let byte = self.model.code(&mut self.decoder, 0);
            if !self.decoder.is_sure() {
                break;
            }
            sure.push(byte);
        }
        sure
    }

    /// The next bytes.
    pub fn take(&mut self, len: usize) -> Vec<u8> {
        (0..len)
            .map(|_| self.model.code(&mut self.decoder, 0))
            .collect()
    }
}
