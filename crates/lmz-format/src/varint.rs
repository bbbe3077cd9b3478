//! Little-endian integers and LEB128 varints, minimal encodings only.

use crate::error::{Fault, Result};

/// The most bytes of a varint that holds a `u64`.
pub(crate) const MAX_VARINT_LEN: usize = 10;

/// Appends `value` in its one valid encoding.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads fields from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let taken = self.rest().get(..len).ok_or(Fault::Short)?;
        self.at += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0u64;
        for i in 0..MAX_VARINT_LEN {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if i == MAX_VARINT_LEN - 1 && byte > 1 {
                break;
            }
            value |= bits << (7 * i);
            if byte & 0x80 == 0 {
                if byte == 0 && i > 0 {
                    return Err(Fault::corrupt("a varint is longer than it needs to be"));
                }
                return Ok(value);
            }
        }
        Err(Fault::corrupt("a varint exceeds 64 bits"))
    }

    /// A varint that must not exceed `max`; `what` names it.
    pub(crate) fn varint_max(&mut self, max: u64, what: &'static str) -> Result<u64, Fault> {
        let value = self.varint()?;
        if value > max {
            return Err(Fault::corrupt(format!(
                "{what} is {value}, more than {max}"
            )));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_round_trip(value: u64, shift in 0u32..64) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            prop_assert!(bytes.len() <= MAX_VARINT_LEN);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.varint().unwrap(), value);
            prop_assert_eq!(cursor.position(), bytes.len());
            for len in 0..bytes.len() {
                prop_assert_eq!(Cursor::new(&bytes[..len]).varint(), Err(Fault::Short));
            }
        }
    }

    #[test]
    fn overlong_and_oversized_varints_are_refused() {
        let max = [[0xff; 9].as_slice(), &[0x01]].concat();
        assert_eq!(Cursor::new(&max).varint(), Ok(u64::MAX));
        let over = [[0xff; 9].as_slice(), &[0x02]].concat();
        for bad in [&[0x80, 0x00][..], &[0xff, 0x80, 0x00], &over, &[0x80; 11]] {
            assert!(matches!(Cursor::new(bad).varint(), Err(Fault::Corrupt(_))));
        }
    }
}
