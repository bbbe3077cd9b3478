//! From answers to figures.

use std::collections::BTreeMap;

use lmz_metric::{Interval, interval};
use serde::{Deserialize, Serialize};

use crate::answer::{Outcome, judge};
use crate::prompt::{Item, Work};
use crate::record::{Answer, Answered};
use crate::task::{Output, Task};

/// What one item is worth in each metric: a numerator and a denominator, whose sums are divided. A mean's denominator
/// is 1. None where it could not be found out.
pub type Values = BTreeMap<String, Option<(f64, f64)>>;

/// An item's answer, and what it is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// What it is worth.
    pub values: Values,
    /// The answer as each metric found it in the text, or the choice by each metric.
    pub answers: BTreeMap<String, String>,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The metric.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Standard error of a mean: the items' standard deviation over the root of their number.
    pub stderr: Option<f64>,
    /// Number of items.
    pub n: u64,
    /// 95 % by bootstrap over items.
    #[serde(default)]
    pub interval: Option<Interval>,
}

/// Whether a metric lies between 0 and 1.
pub(crate) fn is_share(metric: &str) -> bool {
    !metric.contains("perplexity") && metric != "bits_per_byte"
}

/// What an item's answer is worth.
pub fn judged(task: &Task, item: &Item, answered: &Answered, outcome: Option<&Outcome>) -> Judged {
    let mut judged = Judged {
        values: Values::new(),
        answers: BTreeMap::new(),
    };
    match (&item.work, &answered.answer) {
        (Work::Choices { choices, gold, .. }, Answer::Likelihoods(found)) => {
            let logs: Vec<f64> = found.iter().map(|one| one.log).collect();
            for metric in &task.metrics {
                let length = |choice: &String| match metric.as_str() {
                    "acc_norm" => choice.chars().count() as f64,
                    "acc_bytes" => choice.len() as f64,
                    _ => 1.0,
                };
                let scores = logs
                    .iter()
                    .zip(choices)
                    .map(|(log, choice)| log / length(choice));
                let chosen = first_of_the_largest(scores);
                judged.put(metric, f64::from(u8::from(chosen == *gold)), 1.0);
                judged.answers.insert(metric.clone(), chosen.to_string());
            }
        }
        (Work::Continuation(text) | Work::Rolling(text), Answer::Likelihoods(found)) => {
            let (log, greedy) = found
                .first()
                .map_or((0.0, false), |one| (one.log, one.greedy));
            for metric in &task.metrics {
                match metric.as_str() {
                    "acc" if task.output == Output::Loglikelihood => {
                        judged.put(metric, f64::from(u8::from(greedy)), 1.0);
                    }
                    "perplexity" => judged.put(metric, -log, 1.0),
                    "word_perplexity" => judged.put(metric, -log, words(text)),
                    "byte_perplexity" | "bits_per_byte" => {
                        judged.put(metric, -log, text.len() as f64)
                    }
                    _ => {
                        judged.values.insert(metric.clone(), None);
                    }
                }
            }
        }
        (Work::Generate { targets, .. }, Answer::Text(written)) => {
            for score in &task.score {
                let (answer, value) = judge(score, &written.text, targets, outcome);
                judged
                    .values
                    .insert(score.metric.clone(), value.map(|value| (value, 1.0)));
                judged.answers.insert(score.metric.clone(), answer);
            }
        }
        _ => {}
    }
    judged
}

impl Judged {
    fn put(&mut self, metric: &str, numerator: f64, denominator: f64) {
        self.values
            .insert(metric.to_owned(), Some((numerator, denominator)));
    }
}

/// As `numpy.argmax`.
fn first_of_the_largest(scores: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (at, score) in scores.enumerate() {
        if score > best.1 {
            best = (at, score);
        }
    }
    best.0
}

/// As many as `re.split(r"\s+", text)` gives.
fn words(text: &str) -> f64 {
    let inside = text.split_whitespace().count();
    let ends = usize::from(text.starts_with(char::is_whitespace))
        + usize::from(text.ends_with(char::is_whitespace));
    (inside + ends).max(1) as f64
}

/// The figures of some items, in the task's order.
pub fn figures<'a>(task: &Task, items: impl Iterator<Item = &'a Judged> + Clone) -> Vec<Figure> {
    let own = task
        .metrics
        .iter()
        .chain(task.score.iter().map(|score| &score.metric));
    own.filter_map(|metric| figure(metric, items.clone()))
        .collect()
}

fn figure<'a>(metric: &str, items: impl Iterator<Item = &'a Judged>) -> Option<Figure> {
    let units: Vec<(f64, f64)> = items.filter_map(|item| *item.values.get(metric)?).collect();
    let n = units.len();
    let (sum, weight) = units
        .iter()
        .fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    if n == 0 || weight <= 0.0 {
        return None;
    }
    let mean = sum / weight;
    let variance = units
        .iter()
        .map(|(x, y)| (x - mean * y).powi(2))
        .sum::<f64>()
        / (n as f64 - 1.0);
    let stderr = (n > 1).then(|| (variance / n as f64).sqrt() * n as f64 / weight);
    let spread = interval(&units);
    // What the mean of nats becomes, and by how much it moves with it.
    let (value, slope): (fn(f64) -> f64, f64) = match metric {
        "bits_per_byte" => (|x| x / std::f64::consts::LN_2, 1.0 / std::f64::consts::LN_2),
        _ if !is_share(metric) => (f64::exp, mean.exp()),
        _ => (|x| x, 1.0),
    };
    Some(Figure {
        name: metric.to_owned(),
        value: value(mean),
        stderr: stderr.map(|error| error * slope),
        n: n as u64,
        interval: spread.map(|spread| Interval {
            low: value(spread.low),
            high: value(spread.high),
            ..spread
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(values: &[(f64, f64)], metric: &str) -> Vec<Judged> {
        let each = values.iter().map(|&value| Judged {
            values: Values::from([(metric.to_owned(), Some(value))]),
            answers: BTreeMap::new(),
        });
        each.collect()
    }

    #[test]
    fn a_mean_has_its_standard_error() {
        let items = units(&[(1.0, 1.0), (0.0, 1.0), (1.0, 1.0), (1.0, 1.0)], "acc");
        let found = figure("acc", items.iter()).unwrap();
        assert_eq!((found.value, found.n), (0.75, 4));
        // sqrt(3/4 * 1/4 * 4/3 / 4)
        assert!((found.stderr.unwrap() - 0.25).abs() < 1e-12);
        let spread = found.interval.unwrap();
        assert!(spread.low < 0.75 && spread.high > 0.75);
    }

    #[test]
    fn perplexities_are_of_sums() {
        let items = units(&[(2.0, 1.0), (4.0, 1.0)], "perplexity");
        let found = figure("perplexity", items.iter()).unwrap();
        assert!((found.value - 3f64.exp()).abs() < 1e-9);
        // The standard error of 2 and 4 is 1.
        assert!((found.stderr.unwrap() - 3f64.exp()).abs() < 1e-9);
        let items = units(&[(8.0, 2.0), (2.0, 3.0)], "byte_perplexity");
        let found = figure("byte_perplexity", items.iter()).unwrap();
        assert!((found.value - 2f64.exp()).abs() < 1e-9);
        let items = units(&[(8.0, 2.0), (2.0, 3.0)], "bits_per_byte");
        let found = figure("bits_per_byte", items.iter()).unwrap();
        assert!((found.value - 2.0 / std::f64::consts::LN_2).abs() < 1e-9);
    }

    #[test]
    fn what_could_not_be_found_out_does_not_count() {
        let mut items = units(&[(1.0, 1.0), (0.0, 1.0)], "pass@1");
        items[1].values.insert("pass@1".into(), None);
        assert_eq!(figure("pass@1", items.iter()).unwrap().value, 1.0);
        items[0].values.insert("pass@1".into(), None);
        assert_eq!(figure("pass@1", items.iter()), None);
    }

    #[test]
    fn of_equal_choices_the_first_is_taken() {
        assert_eq!(first_of_the_largest([-2.0, -1.0, -1.0].into_iter()), 1);
        assert_eq!(words(" a b\n"), 4.0);
        assert_eq!(words("a b"), 2.0);
    }
}
