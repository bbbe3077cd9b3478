//! From logits to the next token.

use crate::error::{FloatError, Result};

/// How the next token is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Logits are divided by it; 0 takes the most likely token.
    pub temperature: f64,
    /// Only the most likely tokens that together reach this probability are considered.
    pub top_p: f64,
    /// What chance starts from: equal seeds give equal texts on one device.
    pub seed: u64,
    /// The most tokens to generate.
    pub max_tokens: usize,
    /// Token ids that end the text and are not part of it.
    pub end_tokens: Vec<u32>,
    /// Texts that end the text and are not part of it.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    /// The most likely token each time, at most 128 of them.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
            max_tokens: 128,
            end_tokens: vec![],
            stop: vec![],
        }
    }
}

impl Sampling {
    /// Refuses settings without meaning.
    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |name, value: f64, reason| {
            Err(FloatError::Setting {
                name,
                value: value.to_string(),
                reason,
            })
        };
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return refuse("temperature", self.temperature, "must not be negative");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return refuse("top_p", self.top_p, "must lie above 0 and not above 1");
        }
        Ok(())
    }

    /// The next token, drawn by `chance` or, at temperature 0, the most likely one.
    pub(crate) fn choose(&self, logits: &[f32], chance: &mut fastrand::Rng) -> u32 {
        if self.temperature == 0.0 {
            return most_likely(logits);
        }
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut odds: Vec<(usize, f64)> = logits
            .iter()
            .map(|&l| (f64::from(l - max) / self.temperature).exp())
            .enumerate()
            .collect();
        let total: f64 = odds.iter().map(|(_, p)| p).sum();
        let mut kept = total;
        if self.top_p < 1.0 {
            // The lower id first among equals, so that the order is one.
            odds.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let mut sum = 0.0;
            let enough = odds.iter().position(|(_, p)| {
                sum += p;
                sum >= self.top_p * total
            });
            odds.truncate(enough.map_or(odds.len(), |last| last + 1));
            kept = odds.iter().map(|(_, p)| p).sum();
        }
        let mut point = chance.f64() * kept;
        for &(token, p) in &odds {
            point -= p;
            if point < 0.0 {
                return token as u32;
            }
        }
        // Rounding used the last of it up, or a logit was not a number.
        most_likely(logits)
    }
}

/// The token of the largest logit, the lowest id among equals.
pub fn most_likely(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(sampling: &Sampling, logits: &[f32]) -> Vec<usize> {
        let mut chance = fastrand::Rng::with_seed(sampling.seed);
        let mut counts = vec![0; logits.len()];
        for _ in 0..10_000 {
            counts[sampling.choose(logits, &mut chance) as usize] += 1;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_lowest_of_the_largest() {
        let counts = draws(&Sampling::default(), &[0.0, 2.0, 2.0, 1.0]);
        assert_eq!(counts, [0, 10_000, 0, 0]);
    }

    #[test]
    fn temperature_one_follows_the_distribution() {
        let logits = [0.5_f32.ln(), 0.25_f32.ln(), 0.25_f32.ln()];
        let sampling = Sampling {
            temperature: 1.0,
            ..Sampling::default()
        };
        let counts = draws(&sampling, &logits);
        assert!((4800..5200).contains(&counts[0]), "{counts:?}");
        assert!((2300..2700).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn top_p_drops_the_tail() {
        let logits = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
        let sampling = Sampling {
            temperature: 1.0,
            top_p: 0.7,
            ..Sampling::default()
        };
        let counts = draws(&sampling, &logits);
        assert_eq!(counts[2], 0);
        assert!((6000..6500).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn settings_without_meaning_are_refused() {
        for (temperature, top_p) in [(-1.0, 1.0), (f64::NAN, 1.0), (1.0, 0.0), (1.0, f64::NAN)] {
            let sampling = Sampling {
                temperature,
                top_p,
                ..Sampling::default()
            };
            assert!(sampling.validate().is_err());
        }
    }
}
