//! Spelling bytes by the longest tokens that match, for what the tokenizer cannot do.

use super::symbol::Symbol;
use crate::vocab::Vocabulary;

/// The vocabulary as a trie: token ids sorted by their bytes, so that the tokens with a given
/// prefix are a range.
pub(crate) struct Speller {
    vocabulary: Vocabulary,
    /// Ids sorted by bytes, then by descending id.
    sorted: Vec<u32>,
    /// For each first byte, the end of its tokens in `sorted`; they start where the last ended.
    ends: [usize; 256],
}

impl Speller {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Self {
        let mut entries: Vec<(&[u8], u32)> = vocabulary
            .iter()
            .filter_map(|(id, bytes)| Some((bytes?, id)))
            .collect();
        // Of equal tokens the highest id comes first: SentencePiece lists byte tokens before
        // the ordinary ones, and the ordinary one is what the model has seen.
        entries.sort_unstable_by_key(|&(bytes, id)| (bytes, std::cmp::Reverse(id)));
        let mut ends = [0; 256];
        for (byte, end) in (0u8..=255).zip(&mut ends) {
            *end = entries.partition_point(|(bytes, _)| bytes[0] <= byte);
        }
        Self {
            sorted: entries.into_iter().map(|(_, id)| id).collect(),
            vocabulary: vocabulary.clone(),
            ends,
        }
    }

    /// The table that this was built from.
    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Appends symbols for `input`: at each place the longest token, or else an escape.
    pub(crate) fn spell(&self, mut input: &[u8], out: &mut Vec<Symbol>) {
        while let Some((&first, rest)) = input.split_first() {
            match self.longest(input) {
                Some((id, length)) => {
                    out.push(Symbol::Token(id));
                    input = &input[length..];
                }
                None => {
                    out.push(Symbol::Escape(first));
                    input = rest;
                }
            }
        }
    }

    /// The longest token that `input` starts with, and its length in bytes.
    fn longest(&self, input: &[u8]) -> Option<(u32, usize)> {
        let first = usize::from(*input.first()?);
        let start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut range = &self.sorted[start..self.ends[first]];
        let mut best = None;
        // Every token in `range` agrees with `input` in its first `depth` bytes.
        let mut depth = 1;
        while let Some(&id) = range.first() {
            if self.bytes(id).len() == depth {
                // Tokens of just these bytes sort before all longer ones.
                best = Some((id, depth));
                let same = range.partition_point(|&id| self.bytes(id).len() == depth);
                range = &range[same..];
            }
            let Some(&next) = input.get(depth) else { break };
            let low = range.partition_point(|&id| self.bytes(id)[depth] < next);
            let high = range.partition_point(|&id| self.bytes(id)[depth] <= next);
            range = &range[low..high];
            depth += 1;
        }
        best
    }

    fn bytes(&self, id: u32) -> &[u8] {
        self.vocabulary.get(id).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_match_and_escape() {
        let tokens: [&[u8]; 7] = [b"a", b"ab", b"abcd", b"b", b"a", b"\xff\x00", b""];
        let vocabulary = Vocabulary::from_parts(tokens.iter().map(|t| Some(t.to_vec())).collect());
        let speller = Speller::new(&vocabulary);
        let spell = |input: &[u8]| {
            let mut out = Vec::new();
            speller.spell(input, &mut out);
            out
        };
        use Symbol::{Escape, Token};
        assert_eq!(spell(b"abcd"), [Token(2)]);
        assert_eq!(spell(b"abc"), [Token(1), Escape(b'c')]);
        assert_eq!(spell(b"aab"), [Token(4), Token(1)]);
        assert_eq!(spell(b"ba\xff"), [Token(3), Token(4), Escape(0xff)]);
        assert_eq!(spell(b"\xff\x00\x00"), [Token(5), Escape(0)]);
        assert_eq!(spell(b""), []);
    }
}
