//! A share of the inputs, for one of several processes.

use std::str::FromStr;

/// Part `index` of `of`: the inputs whose numbers leave that remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    index: usize,
    of: usize,
}

impl Part {
    /// All inputs.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether an input is one of this part.
    pub fn has(self, input: usize) -> bool {
        input % self.of == self.index
    }
}

impl FromStr for Part {
    type Err = String;

    /// `0/4` to `3/4`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not I/N with I from 0 to N - 1");
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let (index, of) = (
            index.parse().map_err(|_| wrong())?,
            of.parse().map_err(|_| wrong())?,
        );
        if index < of {
            Ok(Self { index, of })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once() {
        let parts: Vec<Part> = ["0/3", "1/3", "2/3"]
            .map(|part| part.parse().unwrap())
            .into();
        for input in 0..20 {
            assert_eq!(parts.iter().filter(|part| part.has(input)).count(), 1);
        }
        for wrong in ["3/3", "", "1", "a/b", "-1/2", "0/0"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
