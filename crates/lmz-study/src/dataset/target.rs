//! What is set against what: a column of compression and a column of scores.

use serde::{Deserialize, Serialize};

use super::mark::Mark;
use super::types::{Dataset, LeaveOut, Metric, ModelKind, Why};

/// A column of scores.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The scores in the benchmark of this name.
    Benchmark(String),
    /// The mean over an area's benchmarks, of models that have all of them.
    Area(String),
    /// The mean of the areas' means, of models that have all of them.
    Areas,
}

/// A column of compression set against a column of scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Names of corpora; the mean of their figures, of models that have all of them.
    pub corpora: Vec<String>,
    /// The figure by which compression is told.
    pub metric: Metric,
    /// The column of scores.
    pub target: Target,
    /// Models of the study that the paper would not take.
    pub leave_out: Vec<LeaveOut>,
    /// Whether the fit is without them.
    pub population: Population,
}

/// Which models are part of a fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Population {
    /// Those that the paper would take: base models whose abilities have emerged.
    #[default]
    Fit,
    /// Every model that has both figures.
    All,
}

impl Population {
    /// `fit` or `all`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::All => "all",
        }
    }
}

impl Target {
    /// What people are shown.
    pub fn title(&self, data: &Dataset) -> String {
        match self {
            Self::Benchmark(name) => data
                .benchmark(name)
                .map_or(name.clone(), |b| data.benchmarks[b].title.clone()),
            Self::Area(name) => {
                let title = data.area(name).map(|area| &data.areas[area].title);
                format!("{} (average)", title.unwrap_or(name))
            }
            Self::Areas => "Average of all areas".into(),
        }
    }

    /// Each model's figure, from 0 to 1.
    pub fn column(&self, data: &Dataset) -> Vec<Option<f64>> {
        let each = |model: usize| Some(self.of(data, model)?.value);
        (0..data.models.len()).map(each).collect()
    }

    /// A model's figure with its error, and what guessing scores.
    pub fn of(&self, data: &Dataset, model: usize) -> Option<Mark> {
        let scored = |name: &String| {
            let b = data.benchmark(name)?;
            let score = data.scores[model][b].as_ref()?;
            Some(Mark {
                value: score.value,
                stderr: score.stderr,
                chance: data.benchmarks[b].chance,
            })
        };
        match self {
            Self::Benchmark(name) => scored(name),
            Self::Area(name) => {
                let area = &data.areas[data.area(name)?];
                Mark::mean(area.benchmarks.iter().map(scored))
            }
            Self::Areas => {
                let areas = data.areas.iter();
                Mark::mean(areas.map(|area| Self::Area(area.name.clone()).of(data, model)))
            }
        }
    }

    /// The area that it belongs to.
    pub fn area<'a>(&self, data: &'a Dataset) -> Option<&'a super::types::Area> {
        data.areas.iter().find(|area| match self {
            Self::Benchmark(name) => area.benchmarks.contains(name),
            Self::Area(name) => area.name == *name,
            Self::Areas => false,
        })
    }

    /// Benchmarks, then areas, then the mean of the areas if there are several.
    pub fn all(data: &Dataset) -> Vec<Self> {
        let benchmarks = data.benchmarks.iter();
        let mut all: Vec<Self> = benchmarks
            .map(|benchmark| Self::Benchmark(benchmark.name.clone()))
            .collect();
        all.extend(data.areas.iter().map(|area| Self::Area(area.name.clone())));
        if data.areas.len() > 1 {
            all.push(Self::Areas);
        }
        all
    }
}

impl Question {
    /// A target against corpora. Left out is whom the target's area names, who is tuned on
    /// instructions, and who scores no better than chance.
    pub fn new(data: &Dataset, corpora: &[&str], metric: Metric, target: Target) -> Self {
        let mut leave_out: Vec<LeaveOut> = target
            .area(data)
            .map(|area| area.leave_out.clone())
            .unwrap_or_default();
        for (m, model) in data.models.iter().enumerate() {
            if leave_out.iter().any(|out| out.model == model.name) {
                continue;
            }
            let chance = target.of(data, m).filter(Mark::is_chance);
            let (why, reason) = match (model.kind, chance) {
                (ModelKind::Instruct, _) => (Why::Instruct, "tuned on instructions".into()),
                (_, Some(mark)) => (Why::Chance, guessed(&mark)),
                _ => continue,
            };
            leave_out.push(LeaveOut {
                model: model.name.clone(),
                reason,
                why,
            });
        }
        Self {
            corpora: corpora.iter().map(|&name| name.to_owned()).collect(),
            metric,
            target,
            leave_out,
            population: Population::Fit,
        }
    }

    /// Each model's compression, in the order of the models; `None` where a figure is missing.
    pub fn x(&self, data: &Dataset) -> Vec<Option<f64>> {
        let of = |model: usize, name: &String| {
            let measure = data.compression[model][data.corpus(name)?].as_ref()?;
            self.metric.of(measure)
        };
        (0..data.models.len())
            .map(|model| mean(self.corpora.iter().map(|name| of(model, name))))
            .collect()
    }
}

fn guessed(mark: &Mark) -> String {
    format!(
        "not above chance: {:.1} % where guessing scores {:.1} %",
        100.0 * mark.value,
        100.0 * mark.chance.unwrap_or_default()
    )
}

/// The mean, if all are known and there are any.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| crate::stats::mean(&values))
}
