//! Reading a header's numbers and strings, every length checked against what is left.

use std::ops::Range;

use crate::error::{ModelError, Result};

/// A place in a file's bytes. Numbers are little-endian.
pub(super) struct Cursor<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a str, bytes: &'a [u8], at: usize) -> Self {
        Self { file, bytes, at }
    }

    /// The file's name.
    pub(super) fn file(&self) -> &'a str {
        self.file
    }

    /// Where the next byte is.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The place of the next `length` bytes, which are passed over. `what` is being read.
    pub(super) fn take(&mut self, length: u64, what: &str) -> Result<Range<usize>> {
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length))
            .filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return Err(self.malformed(format!(
                "{what} at byte {} needs {length} bytes, and the file ends after {}: it is \
                 truncated or damaged; download it again",
                self.at,
                self.left()
            )));
        };
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let range = self.take(N as u64, what)?;
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes[range]);
        Ok(array)
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// The place of a string: its length as a u64, then its bytes.
    pub(super) fn string(&mut self, what: &str) -> Result<Range<usize>> {
        let length = self.u64(what)?;
        self.take(length, what)
    }

    /// A string that names something.
    pub(super) fn name(&mut self, what: &str) -> Result<&'a str> {
        let range = self.string(what)?;
        let start = range.start;
        std::str::from_utf8(&self.bytes[range])
            .map_err(|_| self.malformed(format!("{what} at byte {start} is not UTF-8")))
    }

    /// The error for a file that is not what it should be.
    pub(super) fn malformed(&self, reason: String) -> ModelError {
        ModelError::Gguf {
            file: self.file.into(),
            reason,
        }
    }
}
