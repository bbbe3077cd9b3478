//! A group's coded bytes: a head, what contexts code, what is stored, and the text (docs/format.md, "Mixed segments").

#[cfg(any(feature = "encode", test))]
use super::part::put_number;
use super::part::take_number;

/// A list has at most so many bytes, and one more for each eight raw bytes.
pub const MAX_LIST: usize = 64;

/// What stands before the coded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub shape: Shape,
    /// Blocks of a round, 1 to 64.
    pub lanes: usize,
    /// Symbols of the text.
    pub symbols: usize,
}

/// Of what parts a group is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text alone.
    Text,
    /// Bytes alone.
    Bytes,
    /// As a list of so many bytes says, and so many coded bytes hold the list and the bytes.
    List { list: usize, coded: usize },
}

/// What the first byte of a group says of its lanes; none if no group begins with it.
pub fn lanes(first: u8) -> Option<usize> {
    (first & 3 != 3).then_some(usize::from(first >> 2) + 1)
}

impl Head {
    /// Appends the head.
    #[cfg(any(feature = "encode", test))]
    pub fn put(&self, out: &mut Vec<u8>) {
        let code = match self.shape {
            Shape::List { .. } => 0,
            Shape::Text => 1,
            Shape::Bytes => 2,
        };
        out.push(code | ((self.lanes - 1) as u8) << 2);
        if let Shape::List { list, coded } = self.shape {
            put_number(out, list as u64);
            put_number(out, coded as u64);
        }
        if self.shape != Shape::Bytes {
            put_number(out, self.symbols as u64);
        }
    }

    /// Reads the head of a group of `raw_len` bytes; `coded` loses it.
    pub fn take(coded: &mut &[u8], raw_len: usize) -> Result<Self, String> {
        let (&first, rest) = coded.split_first().ok_or("is empty")?;
        *coded = rest;
        let mut number = |most: usize, what: &str| {
            let number = take_number(coded)?;
            match usize::try_from(number) {
                Ok(number) if number <= most => Ok(number),
                _ => Err(format!("claims {number} {what}")),
            }
        };
        let shape = match first & 3 {
            0 => Shape::List {
                list: number(raw_len / 8 + MAX_LIST, "bytes of a list")?,
                coded: number(usize::MAX, "coded bytes")?,
            },
            1 => Shape::Text,
            2 => Shape::Bytes,
            _ => return Err("has a shape that is not known".into()),
        };
        let symbols = match shape {
            Shape::Bytes => 0,
            _ => number(raw_len, "symbols")?,
        };
        Ok(Self {
            shape,
            lanes: lanes(first).ok_or("has a shape that is not known")?,
            symbols,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixing::MAX_LANES;

    #[test]
    fn heads_round_trip() {
        for (shape, symbols) in [
            (Shape::Text, 300),
            (Shape::Bytes, 0),
            (
                Shape::List {
                    list: 7,
                    coded: 1234,
                },
                0,
            ),
        ] {
            for lanes in [1, 4, MAX_LANES] {
                let head = Head {
                    shape,
                    lanes,
                    symbols,
                };
                let mut bytes = Vec::new();
                head.put(&mut bytes);
                bytes.push(9);
                let mut rest = &bytes[..];
                assert_eq!(Head::take(&mut rest, 1000), Ok(head));
                assert_eq!(rest, [9]);
            }
        }
        assert!(Head::take(&mut &[1u8, 0xe9, 0x07][..], 1000).is_err());
        assert!(Head::take(&mut &[3u8][..], 1000).is_err());
        assert!(Head::take(&mut &[][..], 1000).is_err());
    }
}
