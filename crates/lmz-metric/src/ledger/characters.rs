//! Code points of a text that comes in pieces.

/// Counts Unicode code points; notices what is not UTF-8.
#[derive(Clone, Debug, Default)]
pub(super) struct Characters {
    count: u64,
    /// The beginning of a character that the last piece cut: at most three bytes.
    cut: Vec<u8>,
    invalid: bool,
}

impl Characters {
    /// Takes the next piece.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.invalid {
            return;
        }
        let mut rest = bytes;
        // Completes the cut character byte by byte.
        while !self.cut.is_empty() {
            let Some((&byte, after)) = rest.split_first() else {
                return;
            };
            self.cut.push(byte);
            rest = after;
            match std::str::from_utf8(&self.cut) {
                Ok(_) => {
                    self.count += 1;
                    self.cut.clear();
                }
                Err(error) if error.error_len().is_some() => {
                    self.invalid = true;
                    return;
                }
                Err(_) => {}
            }
        }
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) if error.error_len().is_some() => {
                self.invalid = true;
                return;
            }
            Err(error) => {
                let (valid, cut) = rest.split_at(error.valid_up_to());
                self.cut = cut.to_vec();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        self.count += valid.chars().count() as u64;
    }

    /// The number of code points; `None` if the whole was not UTF-8.
    pub fn finish(self) -> Option<u64> {
        (!self.invalid && self.cut.is_empty()).then_some(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(pieces: &[&[u8]]) -> Option<u64> {
        let mut characters = Characters::default();
        pieces.iter().for_each(|piece| characters.push(piece));
        characters.finish()
    }

    #[test]
    fn cuts_do_not_matter() {
        let text = "Grüße, 世界 🌍!";
        let bytes = text.as_bytes();
        let expected = Some(text.chars().count() as u64);
        for size in 1..bytes.len() {
            let pieces: Vec<_> = bytes.chunks(size).collect();
            assert_eq!(count(&pieces), expected, "pieces of {size}");
        }
        assert_eq!(count(&[]), Some(0));
    }

    #[test]
    fn what_is_not_utf8_has_no_count() {
        for bytes in [&b"a\xff"[..], b"\xe4\xb8", b"\xed\xa0\x80", b"\xe4b"] {
            for size in 1..=bytes.len() {
                let pieces: Vec<_> = bytes.chunks(size).collect();
                assert_eq!(count(&pieces), None, "{bytes:?} in pieces of {size}");
            }
        }
    }
}
