//! The name of a text that the model is shown before each segment.

use std::fmt;

use crate::error::Fault;
use crate::hash::write_hex;
use crate::header::ContextPolicy;
use crate::varint::{Cursor, put_varint};

/// Which text the model is shown before each segment, and how much of it.
///
/// A small member holds the first [`PrimeId::SHORT`] bytes of the hash; the others are 0 then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PrimeId {
    /// The first 16 bytes of the text's BLAKE3 hash.
    pub hash: [u8; 16],
    /// The text's length in bytes.
    pub len: u64,
    /// How many of its last tokens the model is shown: at least 1, fewer than a block's context.
    pub tokens: u32,
}

impl PrimeId {
    /// Bytes of the hash in a small member.
    pub const SHORT: usize = 4;
    /// The header's extension: odd, for a reader must understand it.
    pub(crate) const TAG: u64 = 1;

    /// As a small member holds it.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        self.hash[Self::SHORT..].fill(0);
        self
    }

    /// Whether only the beginning of the hash is known.
    pub fn is_short(self) -> bool {
        self == self.shortened()
    }

    /// Whether a text of this hash and length may be the one that this stands for.
    pub fn names(self, hash: [u8; 16], len: u64) -> bool {
        let full = Self { hash, len, ..self };
        self == full || (self.is_short() && self == full.shortened())
    }

    /// The hash, or what is known of it, in hexadecimal digits.
    pub fn hash_text(self) -> String {
        struct Hex<'a>(&'a [u8]);
        impl fmt::Display for Hex<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, self.0)
            }
        }
        let known = if self.is_short() { Self::SHORT } else { 16 };
        Hex(&self.hash[..known]).to_string()
    }

    /// Whether a block of this context has room for the tokens and one more.
    pub(crate) fn check(&self, policy: ContextPolicy) -> Result<(), &'static str> {
        if self.tokens == 0 || self.tokens >= policy.context {
            return Err("the prime's tokens do not fit the context");
        }
        Ok(())
    }

    pub(crate) fn put_extension(&self, out: &mut Vec<u8>) {
        let mut content = self.hash.to_vec();
        self.put_lengths(&mut content);
        put_varint(out, Self::TAG);
        put_varint(out, content.len() as u64);
        out.extend_from_slice(&content);
    }

    pub(crate) fn parse_extension(content: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(content);
        let hash = cursor.array()?;
        let prime = Self::take_lengths(&mut cursor, hash)?;
        if !cursor.rest().is_empty() {
            return Err(Fault::corrupt("the prime's extension is too long"));
        }
        Ok(prime)
    }

    pub(crate) fn put_small(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hash[..Self::SHORT]);
        self.put_lengths(out);
    }

    pub(crate) fn take_small(cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        let mut hash = [0; 16];
        hash[..Self::SHORT].copy_from_slice(cursor.take(Self::SHORT)?);
        Self::take_lengths(cursor, hash)
    }

    fn put_lengths(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len);
        put_varint(out, u64::from(self.tokens));
    }

    fn take_lengths(cursor: &mut Cursor<'_>, hash: [u8; 16]) -> Result<Self, Fault> {
        let len = cursor.varint()?;
        let tokens = cursor.varint_max(u64::from(u32::MAX), "the number of the prime's tokens")?;
        Ok(Self {
            hash,
            len,
            tokens: tokens as u32,
        })
    }
}
