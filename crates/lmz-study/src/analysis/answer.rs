//! One column against another, with everything that can be said about it.

use serde::Serialize;

use crate::dataset::{Dataset, Population, Question, Why};
use crate::stats::{
    BootstrapInterval, Correlation, Figure, Fit, LeftOut, Pairs, Partial, Permutation, Statistic,
    Undefined, bootstrap, correlation, figure, fisher_interval, fit, leave_groups_out, partial,
    permutation, residuals,
};

/// All that can be said about a question; a figure without meaning says why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The columns that were set against each other, and who was left out.
    pub question: Question,
    /// Models of the fit.
    pub n: usize,
    /// Names of models that lack a figure.
    pub missing: Vec<String>,
    /// Models that have both figures, but are not in the fit.
    pub drawn: Vec<Drawn>,
    /// Pearson's rho over the models of the fit.
    #[serde(serialize_with = "figure")]
    pub pearson: Figure<Correlation>,
    /// Its 95 % interval by Fisher's transformation.
    pub fisher: Option<(f64, f64)>,
    /// Spearman's rho over the models of the fit.
    #[serde(serialize_with = "figure")]
    pub spearman: Figure<Correlation>,
    /// Kendall's tau-b over the models of the fit.
    #[serde(serialize_with = "figure")]
    pub kendall: Figure<Correlation>,
    /// The line by least squares: score against compression.
    #[serde(serialize_with = "figure")]
    pub fit: Figure<Fit>,
    /// Pearson's rho with the logarithm of the parameter count held fixed, over models whose
    /// count is known.
    #[serde(serialize_with = "figure")]
    pub partial: Figure<Partial>,
    /// Each model's part in the line.
    pub models: Vec<ModelPart>,
    /// Without each family in turn.
    pub families: Vec<LeftOut>,
    /// Resampling, where it was asked for.
    pub resampled: Option<Resampled>,
}

/// 95 % intervals by resampling, and the permutation test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resampled {
    /// Pearson's rho over models drawn again.
    #[serde(serialize_with = "figure")]
    pub pearson: Figure<BootstrapInterval>,
    /// The same of Spearman's rho.
    #[serde(serialize_with = "figure")]
    pub spearman: Figure<BootstrapInterval>,
    /// The same of Kendall's tau-b.
    #[serde(serialize_with = "figure")]
    pub kendall: Figure<BootstrapInterval>,
    /// Pearson's rho of the scores in other orders.
    #[serde(serialize_with = "figure")]
    pub permutation: Figure<Permutation>,
}

/// A model that is drawn, but not in the fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawn {
    /// Name of the model in the study.
    pub model: String,
    /// Its compression, in the question's metric.
    pub x: f64,
    /// Its score, from 0 to 1.
    pub y: f64,
    /// Standard error of the score.
    pub stderr: Option<f64>,
    /// Why it is left out, in words.
    pub reason: String,
    /// Which of the paper's warnings that is.
    pub why: Why,
}

/// A model of a fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelPart {
    /// Name of the model in the study.
    pub model: String,
    /// Its compression, in the question's metric.
    pub x: f64,
    /// Its score, from 0 to 1.
    pub y: f64,
    /// Standard error of the score.
    pub stderr: Option<f64>,
    /// The score less what the line says; `None` without a line.
    pub residual: Option<f64>,
    /// The residual in its own standard errors.
    pub studentized: Option<f64>,
    /// Cook's distance: how far the line moves without the model.
    pub cook: Option<f64>,
    /// Pearson's rho without the model.
    pub pearson_without: Option<f64>,
}

/// Answers a question; with `resample` also by resampling, which takes thousands of times longer.
pub fn answer(data: &Dataset, question: &Question, resample: bool) -> Answer {
    let is_out = |model: usize| {
        let name = &data.models[model].name;
        let out = question.leave_out.iter().find(|out| out.model == *name);
        out.filter(|_| question.population == Population::Fit)
    };
    let (columns_x, columns_y) = (question.x(data), question.target.column(data));
    let known = Pairs::new(&columns_x, &columns_y);
    let drawn = (0..known.len()).filter_map(|i| {
        let out = is_out(known.rows[i])?;
        Some(Drawn {
            model: out.model.clone(),
            x: known.x[i],
            y: known.y[i],
            stderr: question.target.of(data, known.rows[i])?.stderr,
            reason: out.reason.clone(),
            why: out.why,
        })
    });
    let kept: Vec<Option<f64>> = columns_y
        .iter()
        .enumerate()
        .map(|(row, y)| y.filter(|_| is_out(row).is_none()))
        .collect();
    let pairs = Pairs::new(&columns_x, &kept);
    let (x, y) = (&pairs.x, &pairs.y);
    let pearson = correlation(Statistic::Pearson, x, y);
    let families: Vec<&str> = names(&pairs, |row| &data.models[row].family);
    Answer {
        question: question.clone(),
        n: pairs.len(),
        missing: known
            .missing
            .iter()
            .map(|&row| data.models[row].name.clone())
            .collect(),
        drawn: drawn.collect(),
        fisher: pearson
            .as_ref()
            .ok()
            .and_then(|found| fisher_interval(found.value, found.n)),
        spearman: correlation(Statistic::Spearman, x, y),
        kendall: correlation(Statistic::Kendall, x, y),
        fit: fit(x, y),
        partial: controlled(data, &pairs),
        models: parts(data, question, &pairs),
        families: leave_groups_out(x, y, &families),
        resampled: resample.then(|| Resampled {
            pearson: bootstrap(Statistic::Pearson, x, y),
            spearman: bootstrap(Statistic::Spearman, x, y),
            kendall: bootstrap(Statistic::Kendall, x, y),
            permutation: permutation(Statistic::Pearson, x, y),
        }),
        pearson,
    }
}

fn names<'a>(pairs: &Pairs, of: impl Fn(usize) -> &'a String) -> Vec<&'a str> {
    pairs.rows.iter().map(|&row| of(row).as_str()).collect()
}

/// Over the models whose parameter count is known.
fn controlled(data: &Dataset, pairs: &Pairs) -> Figure<Partial> {
    let (mut x, mut y, mut control) = (Vec::new(), Vec::new(), Vec::new());
    for (i, &row) in pairs.rows.iter().enumerate() {
        if let Some(parameters) = data.models[row].parameters.filter(|&p| p > 0.0) {
            x.push(pairs.x[i]);
            y.push(pairs.y[i]);
            control.push(parameters.ln());
        }
    }
    partial(&x, &y, &control).map_err(|undefined| match undefined {
        Undefined::Constant(column) if column == "the control" => {
            Undefined::Constant("the parameter count".into())
        }
        other => other,
    })
}

fn parts(data: &Dataset, question: &Question, pairs: &Pairs) -> Vec<ModelPart> {
    let models: Vec<&str> = names(pairs, |row| &data.models[row].name);
    let without = leave_groups_out(&pairs.x, &pairs.y, &models);
    let influence = residuals(&pairs.x, &pairs.y).ok();
    let part = |i: usize| {
        let of_line = influence.as_ref().map(|all| all[i]);
        ModelPart {
            model: models[i].to_owned(),
            x: pairs.x[i],
            y: pairs.y[i],
            stderr: question
                .target
                .of(data, pairs.rows[i])
                .and_then(|mark| mark.stderr),
            residual: of_line.map(|part| part.residual),
            studentized: of_line.map(|part| part.studentized),
            cook: of_line.map(|part| part.cook),
            pearson_without: without[i].pearson.as_ref().ok().copied(),
        }
    };
    (0..pairs.len()).map(part).collect()
}
