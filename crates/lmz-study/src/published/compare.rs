//! Every correlation that the paper reports, beside ours.

use serde::Serialize;

use super::tables::{CITATION, ReportedRow, mmlu_styles, paper, reported, resampling};
use crate::analysis::answer;
use crate::dataset::{
    Benchmark, Dataset, LeaveOut, Metric, Population, Question, Score, Target, Why,
};
use crate::stats::{BootstrapInterval, Statistic, bootstrap, mean};

/// A figure that differs by no more than this in rho reproduces: the tables' rounding (three
/// digits of bits per character, one of percent) leaves so much open.
pub const RHO_TOLERANCE: f64 = 0.004;
/// The same for the RMSE.
pub const RMSE_TOLERANCE: f64 = 0.001;

/// All that `lmz study published` says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// Where the figures are from.
    pub citation: String,
    /// Largest difference in rho that counts as reproduced.
    pub rho_tolerance: f64,
    /// Largest difference in the RMSE.
    pub rmse_tolerance: f64,
    /// Reported figures that the tables suffice for, and that agree.
    pub reproduced: usize,
    /// Those that do not agree.
    pub differing: usize,
    /// Those for which figures are missing from the paper.
    pub unavailable: usize,
    /// One entry for each figure that the paper reports.
    pub figures: Vec<ReportedFigure>,
    /// The spread of Table 10: the paper's mean of it, and ours.
    pub resampling: Resampling,
}

/// The spread between samples of the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Resampling {
    /// Models of Table 10.
    pub models: usize,
    /// Mean of the standard deviations, as the paper has it.
    pub reported: f64,
    /// The same from the table's rounded figures.
    pub ours: f64,
}

/// A reported figure beside ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportedFigure {
    /// Area, or kind of analysis.
    pub area: String,
    /// What is set against the corpus.
    pub name: String,
    /// Figure or table of the paper.
    pub source: String,
    /// Pearson's rho in the paper.
    pub rho: f64,
    /// Root of the mean square residual in the paper, of scores from 0 to 1.
    pub rmse: f64,
    /// Ours, or why there is none.
    pub ours: Comparison,
}

/// What became of a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Comparison {
    /// It could be computed.
    Computed {
        /// Models of the fit.
        n: usize,
        /// Pearson's rho, by the paper's printed figures.
        rho: f64,
        /// Ours less the paper's.
        rho_difference: f64,
        /// 95 % interval of rho over models drawn again.
        interval: Option<BootstrapInterval>,
        /// Root of the mean square residual.
        rmse: f64,
        /// Ours less the paper's.
        rmse_difference: f64,
        /// Whether both differences are within the tolerance.
        reproduced: bool,
    },
    /// It could not be computed.
    Unavailable {
        /// Why not, in words.
        reason: String,
    },
}

/// Recomputes all of them.
pub fn compare() -> Published {
    let mut data = paper();
    add_default_style(&mut data);
    let figures: Vec<ReportedFigure> = reported().iter().map(|row| one(&data, row)).collect();
    let count = |wanted: &dyn Fn(&Comparison) -> bool| {
        figures.iter().filter(|figure| wanted(&figure.ours)).count()
    };
    let deviations: Vec<f64> = resampling().into_iter().map(|row| row.2).collect();
    Published {
        citation: CITATION.into(),
        rho_tolerance: RHO_TOLERANCE,
        rmse_tolerance: RMSE_TOLERANCE,
        reproduced: count(&|ours| {
            matches!(
                ours,
                Comparison::Computed {
                    reproduced: true,
                    ..
                }
            )
        }),
        differing: count(&|ours| {
            matches!(
                ours,
                Comparison::Computed {
                    reproduced: false,
                    ..
                }
            )
        }),
        unavailable: count(&|ours| matches!(ours, Comparison::Unavailable { .. })),
        resampling: Resampling {
            models: deviations.len(),
            reported: 0.0021,
            ours: mean(&deviations),
        },
        figures,
    }
}

/// MMLU in its default style belongs to no area: it is there to be compared.
fn add_default_style(data: &mut Dataset) {
    data.benchmarks.push(Benchmark {
        name: "mmlu_default".into(),
        title: "MMLU (default style)".into(),
        metric: "accuracy, 5-shot".into(),
        chance: Some(0.25),
    });
    let styles = mmlu_styles();
    for (model, scores) in data.models.iter().zip(&mut data.scores) {
        let row = styles.iter().find(|row| row.model == model.name);
        scores.push(row.map(|row| Score {
            value: row.mmlu_default / 100.0,
            stderr: None,
            n: None,
        }));
    }
}

fn one(data: &Dataset, row: &ReportedRow) -> ReportedFigure {
    ReportedFigure {
        area: row.area.clone(),
        name: row.name.clone(),
        source: row.source.clone(),
        rho: row.rho,
        rmse: row.rmse,
        ours: ours(data, row),
    }
}

fn ours(data: &Dataset, row: &ReportedRow) -> Comparison {
    if !row.unavailable.is_empty() {
        return Comparison::Unavailable {
            reason: row.unavailable.clone(),
        };
    }
    let target = match row.y.split_once(':') {
        Some((_, area)) => Target::Area(area.into()),
        None if row.y == "areas" => Target::Areas,
        None => Target::Benchmark(row.y.clone()),
    };
    let left_out = data
        .models
        .iter()
        .filter(|model| model.family == row.leave_out);
    let question = Question {
        corpora: row.x.split('+').map(str::to_owned).collect(),
        metric: Metric::BitsPerCharacter,
        target,
        leave_out: left_out
            .map(|model| LeaveOut {
                model: model.name.clone(),
                reason: format!("as in {}", row.source),
                why: Why::Study,
            })
            .collect(),
        population: Population::Fit,
    };
    let answer = answer(data, &question, false);
    let (pearson, fit) = match (&answer.pearson, &answer.fit) {
        (Ok(pearson), Ok(fit)) => (pearson, fit),
        (Err(undefined), _) | (_, Err(undefined)) => {
            return Comparison::Unavailable {
                reason: undefined.to_string(),
            };
        }
    };
    let x: Vec<f64> = answer.models.iter().map(|part| part.x).collect();
    let y: Vec<f64> = answer.models.iter().map(|part| part.y).collect();
    let rho_difference = pearson.value - row.rho;
    let rmse_difference = fit.rmse - row.rmse;
    Comparison::Computed {
        n: answer.n,
        rho: pearson.value,
        rho_difference,
        interval: bootstrap(Statistic::Pearson, &x, &y).ok(),
        rmse: fit.rmse,
        rmse_difference,
        reproduced: rho_difference.abs() <= RHO_TOLERANCE
            && rmse_difference.abs() <= RMSE_TOLERANCE,
    }
}
