//! Random numbers that are the same everywhere: generated models and vectors depend on them.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014), from a seed.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    #[allow(clippy::should_implement_trait, reason = "it has no end")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..n`, from one number.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// A uniform index of a list of `n`.
    pub fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    /// Uniform in [0, 1), with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Nearly normal with variance 1. It adds exact numbers and calls no libm.
    pub fn normal(&mut self) -> f64 {
        let sum: i64 = (0..12).map(|_| (self.next() >> 40) as i64).sum();
        (sum - 6 * (1 << 24)) as f64 / f64::from(1 << 24)
    }

    /// Uniform in `-limit..=limit` (nearly: by a remainder).
    pub fn within(&mut self, limit: i64) -> i64 {
        (self.next() % (2 * limit as u64 + 1)) as i64 - limit
    }

    /// In `-limit..=limit`, all magnitudes alike, the extremes and zero often among them.
    pub fn wild(&mut self, limit: i64) -> i64 {
        match self.next() % 12 {
            0 => limit,
            1 => -limit,
            2 => 0,
            _ => self.within(limit) >> (self.next() % 64),
        }
    }

    /// A list of one of many kinds: all extreme, all zero, all small, wild.
    pub fn values(&mut self, n: usize, limit: i64) -> Vec<i64> {
        let kind = self.next() % 7;
        let small = limit >> (self.next() % 64);
        (0..n)
            .map(|_| match kind {
                0 => limit,
                1 => -limit,
                2 => [limit, -limit][self.next() as usize % 2],
                3 => 0,
                4 => self.within(small.max(1)),
                _ => self.wild(limit),
            })
            .collect()
    }
}

/// `n` random bytes: what no model and no compressor makes smaller.
pub fn noise(n: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..n).map(|_| random.next() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published sequence of the seed 1234567.
    #[test]
    fn numbers_are_those_of_splitmix64() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..5).map(|_| random.next()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut random = Random(1);
        let mut extremes = 0;
        for _ in 0..2000 {
            assert!(random.below(7) < 7);
            assert!((0.0..1.0).contains(&random.unit()));
            assert!(random.within(3).abs() <= 3);
            extremes += usize::from(random.wild(1 << 40).abs() == 1 << 40);
        }
        assert!(extremes > 200, "{extremes}");
        let normal: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let variance = normal.iter().map(|x| x * x).sum::<f64>() / normal.len() as f64;
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn noise_has_all_bytes() {
        let noise = noise(10_000, 3);
        let mut seen = [false; 256];
        noise
            .iter()
            .for_each(|&byte| seen[usize::from(byte)] = true);
        assert!(seen.iter().all(|&s| s));
    }
}
