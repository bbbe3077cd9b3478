//! Has a model seen a benchmark? MIN-K% PROB (Shi et al. 2023), as arXiv 2404.09937, section 3.3, uses it.
//!
//! An example's score is the mean negative log-likelihood of its k percent least likely tokens; a benchmark's is the
//! mean over its examples. A model that has seen the texts finds even their least likely tokens likely: an abnormally
//! low score, or one that is much lower on a split that may have been trained on than on the other, raises a flag.

use std::collections::BTreeSet;
use std::path::Path;

use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::DataDirectory;
use crate::error::{EvalError, Result};
use crate::model::{LanguageModel, Row};
use crate::record::Progress;
use crate::report::{MinKFigure, ModelFacts, write_whole};
use crate::task::{Task, templates};

/// Fewest examples of each split for the rule about two splits.
const FEWEST: usize = 30;
/// How many standard errors the splits must differ by.
const ERRORS: f64 = 3.0;
/// The smallest difference that counts, as a part of the other split's score.
const PART: f64 = 0.05;
/// Bars of a plot.
const BARS: usize = 40;

/// The scores of one split of a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitScores {
    /// The benchmark.
    pub task: String,
    /// Which part of it.
    pub split: String,
    /// Percent of the tokens that are taken.
    pub k: f64,
    /// Mean over examples, in nats.
    pub score: f64,
    /// Standard error of the mean.
    pub stderr: Option<f64>,
    /// Number of examples.
    pub n: u64,
    /// 5th, 25th, 50th, 75th and 95th percentile.
    pub percentiles: [f64; 5],
    /// The score of each example, in order.
    pub scores: Vec<f64>,
}

impl From<&SplitScores> for MinKFigure {
    fn from(scores: &SplitScores) -> Self {
        Self {
            split: scores.split.clone(),
            k: scores.k,
            score: scores.score,
            stderr: scores.stderr,
            n: scores.n,
        }
    }
}

/// Something that should be looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// The benchmark.
    pub task: String,
    /// Which part of it.
    pub split: String,
    /// The rule, in words, with its numbers.
    pub rule: String,
}

/// What was found about a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contamination {
    /// Version of the program.
    pub lmz: String,
    /// The model.
    pub model: ModelFacts,
    /// Scores of every split.
    pub splits: Vec<SplitScores>,
    /// What should be looked at.
    pub flags: Vec<Flag>,
    /// Splits that are not there, and other things to know.
    pub notes: Vec<String>,
}

impl Contamination {
    /// Writes it under its final name, whole or not at all.
    ///
    /// # Errors
    /// The file system.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        write_whole(path, format!("{text}\n").as_bytes())
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinK {
    /// Percent of the tokens of an example: 20 in the paper.
    pub k: f64,
    /// At most so many examples of a split, the first ones.
    pub limit: Option<usize>,
}

/// The mean of the `k` percent largest values, at least one of them.
///
/// As the paper's section 3.3: of 10 tokens and k = 20, two.
pub fn min_k(nats: &[f32], k: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = nats.iter().map(|&nats| f64::from(nats)).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let count = ((sorted.len() as f64 * k / 100.0) as usize).clamp(1, sorted.len().max(1));
    let taken = sorted.get(..count)?;
    Some(taken.iter().sum::<f64>() / count as f64)
}

/// Scores every split of a task. Those whose files are not there are left out, and said.
///
/// # Errors
/// As [`split_scores`].
pub fn all_scores(
    model: &mut dyn LanguageModel,
    task: &Task,
    data: &DataDirectory,
    settings: MinK,
    progress: &dyn Progress,
) -> Result<(Vec<SplitScores>, Vec<String>)> {
    let splits: BTreeSet<&str> = task.source.iter().map(|one| one.split.as_str()).collect();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for split in splits {
        match split_scores(model, task, data, split, settings, progress) {
            Ok(scores) => found.extend(scores),
            Err(error @ EvalError::Missing { .. }) => missing.push(format!("{split}: {error}")),
            Err(error) => return Err(error),
        }
    }
    Ok((found, missing))
}

/// Scores the examples of a split: question and answer as an example before another question would show them.
///
/// # Errors
/// The files cannot be read; the model fails; `progress` stopped it. None if the task has no such split.
pub fn split_scores(
    model: &mut dyn LanguageModel,
    task: &Task,
    data: &DataDirectory,
    split: &str,
    settings: MinK,
    progress: &dyn Progress,
) -> Result<Option<SplitScores>> {
    if !(settings.k > 0.0 && settings.k <= 100.0) {
        return Err(EvalError::InvalidArgument(format!(
            "k is {}, not from 0 to 100",
            settings.k
        )));
    }
    let templates = templates(task).map_err(|reason| EvalError::Task {
        file: task.name.clone(),
        reason,
    })?;
    let Some(documents) = data.split(task, &templates, split)? else {
        return Ok(None);
    };
    let mut texts = Vec::new();
    let most = settings.limit.unwrap_or(usize::MAX);
    for (number, document) in documents.documents.iter().take(most).enumerate() {
        let text = crate::prompt::example(task, &templates, document);
        texts.push(text.map_err(|reason| EvalError::Data {
            file: documents.origin.clone(),
            record: number as u64 + 1,
            reason,
        })?);
    }
    let scores = scores(model, &texts, settings.k, progress)?;
    let mut sorted = scores.clone();
    sorted.sort_by(f64::total_cmp);
    let percentile = |part: f64| {
        let place = part * sorted.len().saturating_sub(1) as f64;
        sorted
            .get(place.round() as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let variance = scores
        .iter()
        .map(|score| (score - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    if scores.is_empty() {
        return Err(EvalError::File {
            file: documents.origin,
            reason: "it holds no example that can be scored".into(),
        });
    }
    Ok(Some(SplitScores {
        task: task.name.clone(),
        split: split.to_owned(),
        k: settings.k,
        score: mean,
        stderr: (scores.len() > 1).then(|| (variance / n).sqrt()),
        n: scores.len() as u64,
        percentiles: [0.05, 0.25, 0.5, 0.75, 0.95].map(percentile),
        scores,
    }))
}

fn scores(
    model: &mut dyn LanguageModel,
    texts: &[String],
    k: f64,
    progress: &dyn Progress,
) -> Result<Vec<f64>> {
    let start = model.start_token();
    let room = model.context();
    let mut rows: Vec<(usize, Vec<u32>)> = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let mut tokens = model.encode(text, true).map_err(EvalError::Model)?;
        if tokens.first() != Some(&start) {
            tokens.insert(0, start);
        }
        // What is beyond the context is not scored.
        tokens.truncate(room + 1);
        if tokens.len() > 1 {
            rows.push((number, tokens));
        }
    }
    rows.sort_by_key(|(_, tokens)| std::cmp::Reverse(tokens.len()));
    progress.planned(
        rows.iter().map(|(_, tokens)| tokens.len() as u64).sum(),
        None,
    );
    let mut found = vec![None; texts.len()];
    let mut rest = &rows[..];
    while let Some((_, longest)) = rest.first() {
        if progress.cancelled() {
            return Err(EvalError::Cancelled);
        }
        let together = model
            .batch(longest.len())
            .clamp(1, (4096 / longest.len()).max(1))
            .min(rest.len());
        let (now, later) = rest.split_at(together);
        let asked = now.iter().map(|(_, tokens)| Row {
            tokens,
            scored: tokens.len() - 1,
        });
        let asked: Vec<Row<'_>> = asked.collect();
        let answers = model
            .score(&[], 0, &asked, false)
            .map_err(EvalError::Model)?;
        for ((number, tokens), answer) in now.iter().zip(answers) {
            let nats: Vec<f32> = answer.iter().map(|&(nats, _)| nats).collect();
            found[*number] = min_k(&nats, k);
            progress.advance(tokens.len() as u64, false);
        }
        rest = later;
    }
    Ok(found.into_iter().flatten().collect())
}

/// What is abnormal about the splits of one model.
///
/// With one model only its own splits can be compared: a training split on which the score is lower than on the test
/// split by more than three standard errors and 5 percent was seen, or the test split is harder. The paper's rule, a
/// score below what models of the same compression have, needs several models: `lmz study` applies it.
pub fn flags(splits: &[SplitScores]) -> Vec<Flag> {
    let mut flags = Vec::new();
    for test in splits.iter().filter(|split| split.split == "test") {
        for other in splits
            .iter()
            .filter(|other| other.task == test.task && other.split != "test")
        {
            flags.extend(between(other, test));
            flags.extend(between(test, other));
        }
    }
    flags
}

/// Whether `low` is abnormally lower than `high`.
fn between(low: &SplitScores, high: &SplitScores) -> Option<Flag> {
    let (a, b) = (low.stderr?, high.stderr?);
    let few = low.scores.len().min(high.scores.len()) < FEWEST;
    let difference = high.score - low.score;
    let error = a.hypot(b);
    if few || difference <= ERRORS * error || difference <= PART * high.score {
        return None;
    }
    Some(Flag {
        task: low.task.clone(),
        split: low.split.clone(),
        rule: format!(
            "MIN-{}% is {:.3} on {}, {:.3} on {}: lower by {:.1} standard errors (limit {ERRORS}) and {:.0} % (limit {:.0} %)",
            low.k,
            low.score,
            low.split,
            high.score,
            high.split,
            difference / error,
            100.0 * difference / high.score,
            100.0 * PART,
        ),
    })
}

/// Draws the distribution of scores, a panel for each benchmark and a line for each of its splits.
///
/// # Errors
/// The file system, or the plot cannot be drawn.
pub fn plot(path: &Path, found: &Contamination) -> Result<()> {
    let mut svg = String::new();
    draw(&mut svg, found).map_err(|error| {
        EvalError::InvalidArgument(format!("the plot cannot be drawn: {error}"))
    })?;
    write_whole(path, svg.as_bytes())
}

fn draw(svg: &mut String, found: &Contamination) -> std::result::Result<(), String> {
    let mut tasks: Vec<&str> = found
        .splits
        .iter()
        .map(|split| split.task.as_str())
        .collect();
    tasks.dedup();
    let columns = tasks.len().clamp(1, 3);
    let rows = tasks.len().div_ceil(columns).max(1);
    let size = (380 * columns as u32, 260 * rows as u32);
    let words = |error: DrawingAreaErrorKind<_>| error.to_string();
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.fill(&WHITE).map_err(words)?;
    let colours = [
        RGBColor(0, 114, 178),
        RGBColor(213, 94, 0),
        RGBColor(0, 158, 115),
    ];
    for (task, panel) in tasks.iter().zip(root.split_evenly((rows, columns))) {
        let splits: Vec<&SplitScores> = found
            .splits
            .iter()
            .filter(|split| split.task == *task)
            .collect();
        let all = || splits.iter().flat_map(|split| split.scores.iter().copied());
        let (low, high) = (
            all().fold(f64::INFINITY, f64::min),
            all().fold(0.0, f64::max),
        );
        let high = high.max(low + 1e-6);
        let width = (high - low) / BARS as f64;
        let lines: Vec<Vec<(f64, f64)>> = splits
            .iter()
            .map(|split| density(&split.scores, low, width))
            .collect();
        let top = lines
            .iter()
            .flatten()
            .map(|point| point.1)
            .fold(0.0, f64::max);
        let mut chart = ChartBuilder::on(&panel)
            .caption(task, ("sans-serif", 16))
            .margin(8)
            .x_label_area_size(30)
            .y_label_area_size(40)
            .build_cartesian_2d(low..high, 0.0..top.max(1e-6) * 1.05)
            .map_err(words)?;
        let mesh = chart
            .configure_mesh()
            .disable_mesh()
            .x_desc("nats")
            .y_desc("share")
            .draw();
        mesh.map_err(words)?;
        for ((split, line), colour) in splits.iter().zip(lines).zip(colours.iter().cycle()) {
            let colour = *colour;
            let label = format!("{}: {:.2}", split.split, split.score);
            let series = chart
                .draw_series([PathElement::new(line, colour.stroke_width(2))])
                .map_err(words)?;
            series.label(label).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2))
            });
        }
        let labels = chart
            .configure_series_labels()
            .border_style(BLACK.mix(0.3))
            .draw();
        labels.map_err(words)?;
    }
    root.present().map_err(words)
}

/// Shares of the scores in bars of a width.
fn density(scores: &[f64], low: f64, width: f64) -> Vec<(f64, f64)> {
    let mut counts = vec![0usize; BARS];
    for score in scores {
        counts[(((score - low) / width) as usize).min(BARS - 1)] += 1;
    }
    let each = counts.into_iter().enumerate();
    each.map(|(bar, count)| {
        (
            low + (bar as f64 + 0.5) * width,
            count as f64 / scores.len() as f64,
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str, scores: Vec<f64>) -> SplitScores {
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let variance = scores
            .iter()
            .map(|score| (score - mean).powi(2))
            .sum::<f64>()
            / (n - 1.0);
        SplitScores {
            task: "gsm8k".into(),
            split: name.into(),
            k: 20.0,
            score: mean,
            stderr: Some((variance / n).sqrt()),
            n: scores.len() as u64,
            percentiles: [mean; 5],
            scores,
        }
    }

    #[test]
    fn the_least_likely_fifth_counts() {
        let nats: Vec<f32> = (1..=10).map(|i| i as f32).collect();
        assert_eq!(min_k(&nats, 20.0), Some(9.5));
        assert_eq!(min_k(&nats, 1.0), Some(10.0));
        assert_eq!(min_k(&nats, 100.0), Some(5.5));
        assert_eq!(min_k(&[], 20.0), None);
    }

    #[test]
    fn a_split_that_was_seen_is_flagged() {
        let spread = |centre: f64| (0..50).map(|i| centre + f64::from(i % 5) * 0.1).collect();
        let (seen, fresh) = (split("train", spread(3.0)), split("test", spread(6.0)));
        let found = flags(&[fresh.clone(), seen.clone()]);
        assert_eq!((found.len(), found[0].split.as_str()), (1, "train"));
        assert!(
            found[0].rule.contains("3.200 on train, 6.200 on test"),
            "{}",
            found[0].rule
        );
        // Alike, or too few: nothing can be said.
        assert_eq!(flags(&[fresh.clone(), split("train", spread(6.0))]), []);
        assert_eq!(
            flags(&[fresh, split("train", spread(3.0)[..10].to_vec())]),
            []
        );
    }

    #[test]
    fn the_plot_shows_every_split() {
        let found = Contamination {
            lmz: String::new(),
            model: ModelFacts {
                name: String::new(),
                kind: String::new(),
                hash: String::new(),
                tokenizer_hash: String::new(),
            },
            splits: vec![
                split("test", vec![1.0, 2.0, 3.0]),
                split("train", vec![2.0, 2.0]),
            ],
            flags: Vec::new(),
            notes: Vec::new(),
        };
        let mut svg = String::new();
        draw(&mut svg, &found).unwrap();
        for word in ["gsm8k", "test: 2.00", "train: 2.00"] {
            assert!(svg.contains(word), "{word}");
        }
    }
}
