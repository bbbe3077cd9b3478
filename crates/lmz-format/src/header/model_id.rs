//! Which model a member was made with.

use std::fmt;

use crate::hash::write_hex;

/// The identity of a prepared model: the first 16 bytes of its BLAKE3 hash. A small member names
/// its model by the first [`ModelId::SHORT`] of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelId {
    /// Zeros where they are not known.
    pub(super) bytes: [u8; 16],
    /// Only the beginning is known.
    short: bool,
}

impl ModelId {
    /// Bytes of an identity in a small member.
    pub const SHORT: usize = 8;

    /// A whole identity.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self {
            bytes,
            short: false,
        }
    }

    /// The beginning of an identity, as a small member holds it.
    pub fn beginning(start: [u8; Self::SHORT]) -> Self {
        let mut bytes = [0; 16];
        bytes[..Self::SHORT].copy_from_slice(&start);
        Self { bytes, short: true }
    }

    /// Its beginning, as a small member holds it.
    #[must_use]
    pub fn shortened(self) -> Self {
        Self::beginning(self.start())
    }

    /// Whether only the beginning is known.
    pub fn is_short(self) -> bool {
        self.short
    }

    /// Whether `full`, a whole identity, may be the one that this stands for.
    pub fn names(self, full: Self) -> bool {
        self == full || (self.short && self == full.shortened())
    }

    pub(crate) fn start(self) -> [u8; Self::SHORT] {
        std::array::from_fn(|i| self.bytes[i])
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.short { Self::SHORT } else { 16 };
        write_hex(f, &self.bytes[..known])
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelId({self})")
    }
}
