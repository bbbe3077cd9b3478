//! The range coder: constriction's queue with 32-bit words, a 128-bit state and 32-bit intervals,
//! and a seal of our own that spends at most four bytes.
//!
//! Why these widths: over a vocabulary of 150,000 a 64-bit state with 32-bit intervals loses 0.03
//! bit a token to the rounding of `range >> 32`; a 128-bit state loses none that can be measured.

use std::convert::Infallible;

use constriction::backends::ReadWords;
use constriction::stream::queue::{EncoderSituation, RangeDecoder, RangeEncoder};
use constriction::stream::{Decode, Encode};
use constriction::{CoderError as Inner, Queue};

use crate::distribution::{Distribution, Interval, Point, RawByte};

/// What can go wrong in coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoderError {
    /// An interval without width, or one that leaves the code space, was to be encoded.
    #[error("an interval of {width} at {start} is not inside the 32-bit code space")]
    InvalidInterval {
        /// First code point.
        start: u32,
        /// The number of code points.
        width: u32,
    },
    /// No encoder wrote these bytes: they point outside the current range.
    #[error("the coded bytes are damaged: they point outside the coder's range")]
    InvalidData,
}

/// Intervals to bytes.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    inner: RangeEncoder<u32, u128>,
}

impl Encoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one interval.
    ///
    /// # Errors
    /// [`CoderError::InvalidInterval`]; the encoder is unchanged then.
    pub fn encode(&mut self, interval: Interval) -> Result<(), CoderError> {
        let Interval { start, width } = interval;
        if width == 0 || start.checked_add(width - 1).is_none() {
            return Err(CoderError::InvalidInterval { start, width });
        }
        self.inner
            .encode_symbol((), interval)
            .map_err(|_| CoderError::InvalidInterval { start, width })
    }

    /// Seals and returns the bytes: the shortest string that, followed by zeros for ever, names a
    /// point inside the final range. No interval at all gives no byte.
    pub fn finish(self) -> Vec<u8> {
        let (words, state, situation) = self.inner.into_raw_parts();
        let (lower, range) = (state.lower(), state.range().get());
        let mut bytes = Vec::with_capacity(words.len() * 4 + 8);
        for word in &words {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        if range != u128::MAX {
            let point = seal_point(lower, range);
            if let EncoderSituation::Inverted(held, first) = situation {
                // Words held back because a carry could still run through them.
                let carry = point < lower;
                let (first, rest) = if carry {
                    (first.wrapping_add(1), 0)
                } else {
                    (first, u32::MAX)
                };
                bytes.extend_from_slice(&first.to_be_bytes());
                for _ in 1..held.get() {
                    bytes.extend_from_slice(&rest.to_be_bytes());
                }
            }
            bytes.extend_from_slice(&point.to_be_bytes());
        }
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes
    }
}

/// The point in `[lower, lower + range)` (mod 2^128) with the fewest significant bytes.
fn seal_point(lower: u128, range: u128) -> u128 {
    for bytes in 0..4u32 {
        let below = u128::MAX.checked_shr(8 * bytes).unwrap_or(0);
        let point = lower.wrapping_add(below) & !below;
        if point.wrapping_sub(lower) < range {
            return point;
        }
    }
    // The coder keeps range >= 2^96, so four bytes always suffice.
    let below = (1u128 << 96) - 1;
    lower.wrapping_add(below) & !below
}

/// The coded bytes as big-endian words, zeros for ever after the end.
#[derive(Clone, Debug)]
struct Words<'a>(&'a [u8]);

impl ReadWords<u32, Queue> for Words<'_> {
    type ReadError = Infallible;

    fn read(&mut self) -> Result<Option<u32>, Infallible> {
        let mut word = [0u8; 4];
        let n = self.0.len().min(4);
        word[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(Some(u32::from_be_bytes(word)))
    }

    fn maybe_exhausted(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bytes to symbols.
///
/// Reading past the end yields zeros and never fails: only the caller knows how many symbols there
/// are, and only a checksum tells damage.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    inner: RangeDecoder<u32, u128, Words<'a>>,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        let Ok(inner) = RangeDecoder::with_backend(Words(bytes));
        Self { inner }
    }

    /// The next symbol, `0..=V`.
    ///
    /// # Errors
    /// [`CoderError::InvalidData`] if no encoder can have written the bytes.
    pub fn decode(&mut self, distribution: &Distribution<'_>) -> Result<usize, CoderError> {
        self.inner.decode_symbol(distribution).map_err(invalid)
    }

    /// Where in the 32-bit code space the next symbol's interval lies: [`Distribution::find`] elsewhere
    /// tells the symbol, and [`Decoder::take`] consumes it. Nothing changes.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn point(&self) -> Result<u32, CoderError> {
        let mut probe = self.clone();
        probe.inner.decode_symbol(Point).map_err(invalid)
    }

    /// Consumes the symbol that has `interval`.
    ///
    /// # Errors
    /// [`CoderError::InvalidInterval`] if the interval does not hold the [point](Decoder::point), and as
    /// [`Decoder::decode`].
    pub fn take(&mut self, interval: Interval) -> Result<(), CoderError> {
        let Interval { start, width } = interval;
        if self.point()?.wrapping_sub(start) >= width {
            return Err(CoderError::InvalidInterval { start, width });
        }
        self.inner.decode_symbol(interval).map_err(invalid)
    }

    /// The raw byte behind an escape.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn decode_byte(&mut self) -> Result<u8, CoderError> {
        self.inner.decode_symbol(RawByte).map_err(invalid)
    }
}

fn invalid<F>(_: Inner<F, Infallible>) -> CoderError {
    CoderError::InvalidData
}
