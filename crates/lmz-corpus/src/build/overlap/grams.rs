//! Sequences of words as numbers.
//!
//! A word is a run of ASCII letters and digits, in lower case, or of bytes from 0x80 on (so of any other letters). A sequence
//! in which fewer than four words differ from the one before, or whose words have fewer than two bytes on average, proves
//! nothing (rows of zeros, rulers) and is left out. These are the rules of tools/train/overlap.py.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

/// Words that must differ from the one before them.
const CHANGES: usize = 4;
const FACTOR: u64 = 0xd134_2543_de82_ef95;

/// A sequence of words in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gram {
    /// Its hash.
    pub hash: u64,
    /// Which word it begins with.
    pub word: usize,
}

/// A text's words and sequences.
#[derive(Clone, Debug, Default)]
pub struct Grams {
    /// Where words are, in bytes.
    pub words: Vec<Range<u32>>,
    /// The sequences that prove something.
    pub grams: Vec<Gram>,
}

impl Grams {
    /// Those of `n` words.
    pub fn of(text: &str, n: usize) -> Self {
        let words = words(text.as_bytes());
        let mut scratch = Vec::new();
        let hashes: Vec<u64> = words
            .iter()
            .map(|word| {
                scratch.clear();
                scratch.extend_from_slice(&text.as_bytes()[word.start as usize..word.end as usize]);
                scratch.make_ascii_lowercase();
                xxh3_64(&scratch)
            })
            .collect();
        let mut grams = Vec::new();
        // FACTOR to the power of n - 1: what the word that leaves was multiplied by.
        let leaves = (1..n).fold(1u64, |power, _| power.wrapping_mul(FACTOR));
        let (mut sum, mut changes, mut bytes) = (0u64, 0usize, 0usize);
        for (at, hash) in hashes.iter().enumerate() {
            if at >= n {
                sum = sum.wrapping_sub(hashes[at - n].wrapping_mul(leaves));
                changes -= usize::from(hashes[at - n + 1] != hashes[at - n]);
                bytes -= words[at - n].len();
            }
            sum = sum.wrapping_mul(FACTOR).wrapping_add(*hash);
            changes += usize::from(at > 0 && hashes[at - 1] != *hash);
            bytes += words[at].len();
            if at + 1 >= n && changes >= CHANGES.min(n - 1) && bytes >= 2 * n {
                let hash = (sum ^ sum >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                grams.push(Gram {
                    hash: hash ^ hash >> 32,
                    word: at + 1 - n,
                });
            }
        }
        Self { words, grams }
    }
}

fn words(bytes: &[u8]) -> Vec<Range<u32>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in bytes.iter().enumerate() {
        let is_word = byte.is_ascii_alphanumeric() || *byte >= 0x80;
        match (is_word, start) {
            (true, None) => start = Some(at as u32),
            (false, Some(from)) => {
                words.push(from..at as u32);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        words.push(from..bytes.len() as u32);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_the_same_wherever_it_is() {
        let text = "One two, three; four -- five SIX seven eight nine";
        let a = Grams::of(text, 5);
        let b = Grams::of(
            &format!("zero zero {}", text.to_uppercase().replace(", ", "\n")),
            5,
        );
        let hashes = |grams: &Grams| {
            grams
                .grams
                .iter()
                .map(|gram| gram.hash)
                .collect::<Vec<u64>>()
        };
        assert_eq!(a.grams.len(), 5);
        assert_eq!(hashes(&b)[hashes(&b).len() - 5..], hashes(&a));
        assert_eq!(a.grams[1].word, 1);
        assert_eq!(
            &text[a.words[5].start as usize..a.words[5].end as usize],
            "SIX"
        );
        assert_ne!(
            hashes(&a)[0],
            hashes(&Grams::of("two one three four five", 5))[0]
        );
    }

    #[test]
    fn rows_of_the_same_prove_nothing() {
        assert!(Grams::of(&"zero ".repeat(50), 13).grams.is_empty());
        assert!(
            Grams::of("1 2 3 4 5 6 7 8 9 1 2 3 4 5 6", 13)
                .grams
                .is_empty()
        );
        assert_eq!(Grams::of("Ж ш Ж ш Ж ш Ж ш Ж ш Ж ш Ж", 13).grams.len(), 1);
        assert!(Grams::of("", 13).grams.is_empty());
        assert_eq!(Grams::of("too few words", 13).words.len(), 3);
    }
}
