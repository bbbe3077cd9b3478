//! What a report holds.

use serde::Serialize;
use serde_json::Value;

use crate::analysis::{RULE, SizePoint, Study};
use crate::dataset::{CHANCE_RULE, Fact};
use crate::published::Published;
use crate::stats::{BOOTSTRAPS, PERMUTATIONS, SEED};

/// Licence of the charting library that is part of the page.
const LICENCE: &str = include_str!("../../assets/plot.LICENSE");

/// A study's figures with all that a report shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of the program.
    pub version: String,
    /// The figures, and what they say.
    pub study: Study,
    /// The paper's figures beside ours, in the report of the published study.
    pub published: Option<Published>,
    /// Correlation by corpus size.
    pub sizes: Vec<SizeFigure>,
    /// Spread between samples of a corpus.
    pub spread: Vec<SpreadRow>,
    /// What the MIN-K% rule says.
    pub exclusions: Vec<BenchmarkExclusion>,
    /// The rule, in words.
    pub exclusion_rule: String,
    /// How the statistics are defined.
    pub statistics: Vec<Fact>,
    /// Licence of the charting library in the page.
    pub licence: String,
}

/// Correlation by the size of one corpus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeFigure {
    /// Name of the corpus.
    pub corpus: String,
    /// What it is set against, in words.
    pub target: String,
    /// A point for each size, the smallest first.
    pub points: Vec<SizePoint>,
}

/// How far a model's figure moves between samples of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpreadRow {
    /// Name of the model.
    pub model: String,
    /// Name of the corpus.
    pub corpus: String,
    /// Mean bits per character.
    pub mean: f64,
    /// Sample standard deviation of the bits per character.
    pub deviation: f64,
}

/// What the rule says about a model and a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchmarkExclusion {
    /// Name of the model.
    pub model: String,
    /// Name of the benchmark.
    pub benchmark: String,
    /// Which split of it: `test` or `train`.
    pub split: String,
    /// The model's MIN-K% score, in nats.
    pub score: f64,
    /// The least that is normal.
    pub limit: f64,
    /// Whether it is below.
    pub excluded: bool,
}

/// A report of a study, without anything beyond it.
pub fn report(study: Study) -> Report {
    Report {
        version: env!("CARGO_PKG_VERSION").into(),
        study,
        published: None,
        sizes: Vec::new(),
        spread: Vec::new(),
        exclusions: Vec::new(),
        exclusion_rule: RULE.into(),
        statistics: statistics(),
        licence: LICENCE.into(),
    }
}

impl Report {
    /// The report as a JSON value, numbers to nine significant digits: what is beyond them is
    /// rounding noise.
    pub fn to_value(&self) -> Value {
        // Strings, numbers and string keys have no way to fail.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        round(&mut value);
        value
    }
}

fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|f| format!("{f:.8e}"));
            if let Some(rounded) = rounded.and_then(|text| text.parse().ok()) {
                *value = Value::from(f64::to_owned(&rounded));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(map) => map.values_mut().for_each(round),
        _ => {}
    }
}

fn statistics() -> Vec<Fact> {
    let bootstraps = format!(
        "95 % percentile intervals of {BOOTSTRAPS} draws of as many models with replacement, \
         SplitMix64 from seed {SEED}; permutation test of Pearson’s ρ: all orders up to seven \
         models, else {PERMUTATIONS} random ones"
    );
    [
        ("Coefficients", "Pearson’s ρ, Spearman’s ρ (mean ranks for ties), Kendall’s τ-b; two-sided p-values; undefined below three models and for a constant column"),
        ("Line", "least squares of score on compression; RMSE is the root of the mean square residual (divisor n), scores from 0 to 1; bands by Student’s t with n − 2 degrees of freedom"),
        ("Resampling", bootstraps.as_str()),
        ("Fits", "over base models whose abilities have emerged, as the paper has it: without models tuned on instructions, those left out by name or by their MIN-K% scores, and those not above chance in the scores at hand; the same over all models stands beside it"),
        ("Chance", CHANCE_RULE),
        ("Influence", "Cook’s distance; Pearson’s ρ without each model and without each family"),
        ("Partial correlation", "Pearson’s ρ with the logarithm of the parameter count held fixed, over models whose count is known"),
        ("Missing figures", "a model without one of the two figures is not part of that correlation; averages need all their parts"),
    ]
    .map(|(name, value)| Fact {
        name: name.into(),
        value: value.into(),
    })
    .into()
}
