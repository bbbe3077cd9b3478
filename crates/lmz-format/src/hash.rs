//! The hash of a member's raw bytes, and what checksums are compared with.

use std::fmt;

/// The first 16 bytes of the BLAKE3 hash of all raw bytes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawHash(pub [u8; 16]);

impl RawHash {
    /// The hash of `raw`.
    pub fn of(raw: &[u8]) -> Self {
        let mut hasher = RawHasher::new();
        hasher.update(raw);
        hasher.finish()
    }

    /// Whether this, from a footer, is the hash of what was decoded.
    pub fn agrees_with(self, decoded: Self) -> bool {
        agree(self, decoded)
    }
}

impl fmt::Display for RawHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for RawHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawHash({self})")
    }
}

/// Computes a [`RawHash`] piece by piece, so that a reader can compare what it decoded.
#[derive(Clone, Debug, Default)]
pub struct RawHasher(blake3::Hasher);

impl RawHasher {
    /// A hasher that has seen no byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next raw bytes.
    pub fn update(&mut self, raw: &[u8]) {
        self.0.update(raw);
    }

    /// The hash of all bytes added.
    pub fn finish(&self) -> RawHash {
        let mut out = [0; 16];
        out.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        RawHash(out)
    }
}

/// Whether a checksum that was read is the one of the bytes. A fuzzer does not guess checksums: for it
/// (`cfg(fuzzing)`) all are right, so that it gets to what lies behind them.
pub(crate) fn agree<T: PartialEq>(read: T, computed: T) -> bool {
    read == computed || cfg!(fuzzing)
}

/// Writes `bytes` as lower-case hexadecimal digits.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}
