//! Which signatures are compared at all: those that agree in one of several bands.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::minhash::{PERMUTATIONS, Signature};

/// How many steps an integral is taken in.
const STEPS: u32 = 200;

/// Locality-sensitive hashing: `bands` bands of `rows` numbers of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// How many bands there are.
    pub bands: usize,
    /// How many numbers each has.
    pub rows: usize,
}

impl Bands {
    /// The bands that err least for a threshold of similarity: the chance that documents below it are compared, and the
    /// chance that documents above it are not, both taken over all similarities, add up to the least (as in datasketch).
    pub fn for_threshold(threshold: f64) -> Self {
        let mut best = (f64::INFINITY, Self { bands: 1, rows: 1 });
        for bands in 1..=PERMUTATIONS {
            for rows in 1..=PERMUTATIONS / bands {
                let compared = |s: f64| 1.0 - (1.0 - s.powi(rows as i32)).powi(bands as i32);
                let wrong = integral(0.0, threshold, compared);
                let missed = integral(threshold, 1.0, |s| 1.0 - compared(s));
                let error = 0.5 * wrong + 0.5 * missed;
                if error < best.0 {
                    best = (error, Self { bands, rows });
                }
            }
        }
        best.1
    }

    /// A number for each band; two documents are compared if they agree in one.
    pub fn hashes(self, signature: &Signature) -> impl Iterator<Item = u64> + '_ {
        let bands = signature.chunks_exact(self.rows).take(self.bands);
        bands.enumerate().map(|(number, rows)| {
            let mut bytes = [0; 4 * PERMUTATIONS];
            for (bytes, row) in bytes.chunks_exact_mut(4).zip(rows) {
                bytes.copy_from_slice(&row.to_le_bytes());
            }
            xxh3_64_with_seed(&bytes[..4 * rows.len()], number as u64)
        })
    }
}

/// By Simpson's rule.
fn integral(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step = (to - from) / f64::from(STEPS);
    let inner = (1..STEPS).map(|n| {
        let weight = if n % 2 == 1 { 4.0 } else { 2.0 };
        weight * f(from + f64::from(n) * step)
    });
    (f(from) + f(to) + inner.sum::<f64>()) * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::super::MinHasher;
    use super::*;

    /// Values of datasketch 2.0.0 (`_optimal_param`, weights 0.5 and 0.5); tools/corpus/check_minhash.py asks it again.
    #[test]
    fn the_bands_are_those_of_datasketch() {
        for (threshold, bands, rows) in BANDS {
            assert_eq!(
                Bands::for_threshold(threshold),
                Bands { bands, rows },
                "{threshold}"
            );
        }
    }

    const BANDS: [(f64, usize, usize); 3] = [(0.5, 42, 6), (0.7, 25, 10), (0.85, 13, 19)];

    #[test]
    fn documents_that_are_alike_meet() {
        let hasher = MinHasher::new(1);
        let bands = Bands::for_threshold(0.85);
        let text: String = (0..1000).map(|n| format!("w{n} ")).collect();
        let near = text.replace("w500 ", "x ");
        let far: String = (600..1600).map(|n| format!("w{n} ")).collect();
        let of = |text: &str| -> Vec<u64> {
            let signature = hasher.signature(text).unwrap();
            bands.hashes(&signature).collect()
        };
        let meets = |a: &[u64], b: &[u64]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        assert_eq!(of(&text).len(), bands.bands);
        assert!(meets(&of(&text), &of(&near)) > bands.bands / 2);
        assert_eq!(meets(&of(&text), &of(&far)), 0);
    }
}
