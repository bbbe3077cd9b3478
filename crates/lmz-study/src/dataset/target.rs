//! What is set against what: a column of compression and a column of scores.

use serde::{Deserialize, Serialize};

use super::types::{Dataset, LeaveOut, Metric, ModelKind};

/// A column of scores.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// One benchmark.
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
    /// Which figure.
    pub metric: Metric,
    /// The scores.
    pub target: Target,
    /// Models that are not part of the fit.
    pub leave_out: Vec<LeaveOut>,
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
        let each = |model: usize| self.of(data, model);
        (0..data.models.len()).map(each).collect()
    }

    fn of(&self, data: &Dataset, model: usize) -> Option<f64> {
        match self {
            Self::Benchmark(name) => {
                Some(data.scores[model][data.benchmark(name)?].as_ref()?.value)
            }
            Self::Area(name) => mean(
                data.areas[data.area(name)?]
                    .benchmarks
                    .iter()
                    .map(|name| Some(data.scores[model][data.benchmark(name)?].as_ref()?.value)),
            ),
            Self::Areas => mean(
                data.areas
                    .iter()
                    .map(|area| Self::Area(area.name.clone()).of(data, model)),
            ),
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
    /// A target against corpora, leaving out whom the target's area and the models' kind say.
    pub fn new(data: &Dataset, corpora: &[&str], metric: Metric, target: Target) -> Self {
        let mut leave_out: Vec<LeaveOut> = target
            .area(data)
            .map(|area| area.leave_out.clone())
            .unwrap_or_default();
        for model in &data.models {
            let named = leave_out.iter().any(|out| out.model == model.name);
            if model.kind == ModelKind::Instruct && !named {
                leave_out.push(LeaveOut {
                    model: model.name.clone(),
                    reason: "tuned on instructions".into(),
                });
            }
        }
        Self {
            corpora: corpora.iter().map(|&name| name.to_owned()).collect(),
            metric,
            target,
            leave_out,
        }
    }

    /// Each model's compression.
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

/// The mean, if all are known and there are any.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| crate::stats::mean(&values))
}
