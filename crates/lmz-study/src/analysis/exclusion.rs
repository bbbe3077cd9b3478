//! Models that have seen a benchmark: the paper's section 3.3.
//!
//! MIN-K% PROB (Shi et al. 2023) of an example is the mean negative log-likelihood of the k %
//! least likely of its tokens; of a benchmark, the mean over its examples. Text that was trained
//! on has fewer surprises. A better model has fewer, too: so what is abnormal is a score that is
//! far below what a line through the other models says for this model's compression.

use serde::{Deserialize, Serialize};

use crate::stats::{Figure, fit};

/// A model's MIN-K% score on one split of a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinK {
    /// The model.
    pub model: String,
    /// Its compression of the area's corpus.
    pub compression: f64,
    /// Mean negative log-likelihood of the k % least likely tokens, in nats.
    pub score: f64,
}

/// What the rule says about a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The model.
    pub model: String,
    /// Its score.
    pub score: f64,
    /// What the line through the others says.
    pub expected: f64,
    /// The lower end of the others' 95 % prediction band at the model's compression.
    pub limit: f64,
    /// Whether the score is below it.
    pub excluded: bool,
}

/// The rule, in words, for the methods section.
pub const RULE: &str = "a model is left out when its MIN-K% score is below the 95 % prediction \
                        band of a line of score on compression through all models of other families";

/// Applies the rule to every model. The line that a model is held against is fitted without its
/// whole family, as relatives share training data.
///
/// # Errors
/// A line through the others needs three models that differ in compression.
pub fn abnormal(scores: &[MinK], families: &[&str]) -> Figure<Vec<Exclusion>> {
    assert_eq!(scores.len(), families.len(), "a family for each model");
    let judge = |(i, one): (usize, &MinK)| {
        let others = || {
            let rows = scores.iter().zip(families);
            rows.filter(|(_, family)| **family != families[i])
                .map(|(row, _)| row)
        };
        let x: Vec<f64> = others().map(|row| row.compression).collect();
        let y: Vec<f64> = others().map(|row| row.score).collect();
        let band = fit(&x, &y)?.band(one.compression);
        let limit = band.y - band.prediction;
        Ok(Exclusion {
            model: one.model.clone(),
            score: one.score,
            expected: band.y,
            limit,
            excluded: one.score < limit,
        })
    };
    scores.iter().enumerate().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, compression: f64, score: f64) -> MinK {
        MinK {
            model: model.into(),
            compression,
            score,
        }
    }

    #[test]
    fn who_is_far_below_the_others_line_is_left_out_with_its_relatives() {
        let scores = [
            row("a-1", 0.40, 4.01),
            row("a-2", 0.45, 4.49),
            row("b-1", 0.50, 5.02),
            row("b-2", 0.55, 5.48),
            row("c-1", 0.60, 6.01),
            row("seen-1", 0.43, 2.9),
            row("seen-2", 0.50, 3.4),
        ];
        let families = ["a", "a", "b", "b", "c", "seen", "seen"];
        let found = abnormal(&scores, &families).unwrap();
        let out: Vec<&str> = found
            .iter()
            .filter(|one| one.excluded)
            .map(|one| one.model.as_str())
            .collect();
        assert_eq!(out, ["seen-1", "seen-2"]);
        assert!(abnormal(&scores[..4], &families[..4]).is_err());
    }
}
