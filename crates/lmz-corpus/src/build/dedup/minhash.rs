//! MinHash: how alike two documents' sets of words are, told by 256 numbers of each.
//!
//! The scheme is datasketch's `affine32` (the default of its version 2): a word's hash of 32 bits, here the low half of its
//! XXH3, is mixed by MurmurHash3's finaliser to `h`; permutation k maps it to `a_k * h + b_k` modulo 2^32 with an odd `a_k`;
//! number k of a signature is the least value over all words. The `a` and `b` come from SplitMix64 that starts at 1.
//! With the same hash and permutations datasketch gives the same signatures (tools/corpus/check_minhash.py).

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

/// Numbers of a signature.
pub const PERMUTATIONS: usize = 256;

/// What documents are compared by.
pub type Signature = [u32; PERMUTATIONS];

/// Fewest different words that a comparison says something about, as CodeParrot has it.
const FEWEST: usize = 10;

/// Makes signatures.
pub struct MinHasher {
    a: Signature,
    b: Signature,
    /// How many words that follow each other are one element of the set.
    words: usize,
}

impl MinHasher {
    /// For sets of sequences of `words` words.
    pub fn new(words: usize) -> Self {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ z >> 31) as u32
        };
        let (mut a, mut b) = ([0; PERMUTATIONS], [0; PERMUTATIONS]);
        for k in 0..PERMUTATIONS {
            a[k] = next() | 1;
            b[k] = next();
        }
        Self { a, b, words }
    }

    /// The signature of a text, or `None` if it has too few words to be compared.
    ///
    /// Words are runs of letters, digits and `_` in ASCII, as CodeParrot has them, or of characters outside of it.
    pub fn signature(&self, text: &str) -> Option<Signature> {
        let hashes = self.elements(text);
        if hashes.len() < FEWEST {
            return None;
        }
        let mut least = [u32::MAX; PERMUTATIONS];
        for hash in hashes {
            let h = mix(hash);
            for ((least, a), b) in least.iter_mut().zip(&self.a).zip(&self.b) {
                *least = (*least).min(a.wrapping_mul(h).wrapping_add(*b));
            }
        }
        Some(least)
    }

    fn elements(&self, text: &str) -> HashSet<u32, BuildHasherDefault<AsItIs>> {
        let mut set = HashSet::default();
        let words = text
            .as_bytes()
            .split(|&b| b < 0x80 && !b.is_ascii_alphanumeric() && b != b'_')
            .filter(|word| !word.is_empty());
        if self.words <= 1 {
            set.extend(words.map(|word| xxh3_64(word) as u32));
            return set;
        }
        let mut last = std::collections::VecDeque::with_capacity(self.words);
        for word in words {
            if last.len() == self.words {
                last.pop_front();
            }
            last.push_back(xxh3_64(word));
            if last.len() == self.words {
                let joined = last.iter().fold(0u64, |sum, hash| {
                    (sum.rotate_left(23) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                });
                set.insert((joined >> 32) as u32);
            }
        }
        set
    }
}

/// MurmurHash3's finaliser of 32 bits.
fn mix(mut h: u32) -> u32 {
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

/// Which part of the numbers two signatures have in common: an estimate of what part of their words they do.
pub fn similarity(a: &Signature, b: &Signature) -> f64 {
    let same = a.iter().zip(b).filter(|(a, b)| a == b).count();
    same as f64 / PERMUTATIONS as f64
}

/// Of a hash that is a key.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers of 32 bits");
    }

    fn write_u32(&mut self, key: u32) {
        self.0 = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_near_the_truth() {
        let hasher = MinHasher::new(1);
        let text = |from: u32, to: u32| (from..to).map(|n| format!("w{n} ")).collect::<String>();
        let signature = |from, to| hasher.signature(&text(from, to)).unwrap();
        // 900 words of 1,100 in common.
        let found = similarity(&signature(0, 1000), &signature(100, 1100));
        assert!((found - 900.0 / 1100.0).abs() < 0.07, "{found}");
        assert_eq!(similarity(&signature(0, 50), &signature(0, 50)), 1.0);
        assert_eq!(hasher.signature("a b c a b c a b c a b c"), None);
    }

    #[test]
    fn order_counts_for_sequences_of_words_only() {
        let (text, turned) = (
            "a b c d e f g h i j k l m n o p",
            "p o n m l k j i h g f e d c b a",
        );
        let one = MinHasher::new(1);
        assert_eq!(one.signature(text), one.signature(turned));
        let five = MinHasher::new(5);
        assert_ne!(five.signature(text), five.signature(turned));
    }
}
