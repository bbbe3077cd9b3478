//! Two runs side by side: is one better, or is it chance?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lmz_metric::SplitMix64;
use serde::Serialize;
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::{EvalError, Result};
use crate::report::Report;

/// Draws of the bootstrap over pairs.
const DRAWS: usize = 1000;
const SEED: u64 = 20_240_409;

/// A metric of a task in two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The task.
    pub task: String,
    /// The metric.
    pub metric: String,
    /// Its value in both runs.
    pub values: [f64; 2],
    /// Number of items in both.
    pub n: [u64; 2],
    /// The second less the first.
    pub difference: f64,
    /// Standard error of the difference: of the pairs of items where both runs have samples of the same items, else of
    /// two independent means.
    pub stderr: Option<f64>,
    /// 95 % of the difference by bootstrap over pairs; with samples only.
    pub interval: Option<[f64; 2]>,
    /// Probability of so large a difference if there is none: of McNemar's exact test where items are right or wrong in
    /// pairs, else of the normal distribution.
    pub p: Option<f64>,
    /// Whether items were compared in pairs.
    pub paired: bool,
    /// Why it may not be the same thing: another version, other prompts.
    pub warnings: Vec<String>,
}

/// Compares all tasks that two results have in common, each a result file or a directory of them.
///
/// # Errors
/// They cannot be read, or have no task in common.
pub fn compare(a: &Path, b: &Path) -> Result<Vec<Difference>> {
    let (a, b) = (results(a)?, results(b)?);
    let mut differences = Vec::new();
    for (task, (first, first_samples)) in &a {
        let Some((second, second_samples)) = b.get(task) else {
            continue;
        };
        let samples = [values(first_samples)?, values(second_samples)?];
        differences.extend(of_task(first, second, &samples));
    }
    match differences.is_empty() {
        true => Err(EvalError::InvalidArgument(
            "the two runs have no task in common".into(),
        )),
        false => Ok(differences),
    }
}

type Results = BTreeMap<String, (Report, PathBuf)>;

/// The results at a path, by task, and where samples of each would be.
fn results(path: &Path) -> Result<Results> {
    let mut found = Results::new();
    let mut add = |path: PathBuf| -> Result<()> {
        let report = Report::read(&path)?;
        found.insert(
            report.task.name.clone(),
            (report, path.with_extension("samples.jsonl")),
        );
        Ok(())
    };
    if path.is_dir() {
        let io = EvalError::io(path);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(&io)? {
            let file = entry.map_err(&io)?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(file);
            }
        }
        files.sort();
        for file in files {
            // Figures of contamination lie beside results.
            if file
                .file_name()
                .is_some_and(|name| name != "contamination.json")
            {
                add(file)?;
            }
        }
    } else {
        add(path.to_owned())?;
    }
    match found.is_empty() {
        true => Err(EvalError::InvalidArgument(format!(
            "{}: there is no result",
            path.display()
        ))),
        false => Ok(found),
    }
}

/// Values of each metric by item's number, of a file of samples; nothing if there is none.
type Samples = BTreeMap<String, BTreeMap<u64, f64>>;

fn values(path: &Path) -> Result<Samples> {
    let mut samples = Samples::new();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(samples),
        Err(error) => return Err(EvalError::io(path)(error)),
    };
    for (number, line) in text.lines().enumerate() {
        let json: Value = serde_json::from_str(line).map_err(|error| EvalError::Data {
            file: path.display().to_string(),
            record: number as u64 + 1,
            reason: error.to_string(),
        })?;
        let index = json["index"].as_u64().unwrap_or(number as u64);
        for (metric, value) in json["values"].as_object().into_iter().flatten() {
            if let Some(value) = value.as_f64() {
                samples
                    .entry(metric.clone())
                    .or_default()
                    .insert(index, value);
            }
        }
    }
    Ok(samples)
}

fn of_task(a: &Report, b: &Report, samples: &[Samples; 2]) -> Vec<Difference> {
    let mut warnings = Vec::new();
    if a.task.version != b.task.version {
        warnings.push(format!(
            "versions {} and {} of the task",
            a.task.version, b.task.version
        ));
    }
    if a.task.shots != b.task.shots {
        warnings.push(format!("{} and {} examples", a.task.shots, b.task.shots));
    } else if a.task.prompts != b.task.prompts {
        warnings.push("other prompts".into());
    }
    let same_items = a.task.data.first() == b.task.data.first();
    let each = a.metrics.iter().filter_map(|first| {
        let second = b.metrics.iter().find(|second| second.name == first.name)?;
        let pairs = match same_items {
            true => pairs(&first.name, samples),
            false => Vec::new(),
        };
        let paired = pairs.len() > 1;
        let stderr = match paired {
            true => Some(paired_error(&pairs)),
            false => first.stderr.zip(second.stderr).map(|(a, b)| a.hypot(b)),
        };
        let difference = match paired {
            true => pairs.iter().map(|(a, b)| b - a).sum::<f64>() / pairs.len() as f64,
            false => second.value - first.value,
        };
        Some(Difference {
            task: a.task.name.clone(),
            metric: first.name.clone(),
            values: [first.value, second.value],
            n: [first.n, second.n],
            difference,
            stderr,
            interval: paired.then(|| bootstrap(&pairs)),
            p: match paired
                && pairs
                    .iter()
                    .all(|&(a, b)| [a, b].iter().all(|x| [0.0, 1.0].contains(x)))
            {
                true => Some(mcnemar(&pairs)),
                false => stderr.map(|stderr| normal(difference, stderr)),
            },
            paired,
            warnings: warnings.clone(),
        })
    });
    each.collect()
}

fn pairs(metric: &str, samples: &[Samples; 2]) -> Vec<(f64, f64)> {
    let [Some(a), Some(b)] = [samples[0].get(metric), samples[1].get(metric)] else {
        return Vec::new();
    };
    let items: BTreeSet<&u64> = a.keys().filter(|index| b.contains_key(index)).collect();
    items
        .into_iter()
        .map(|index| (a[index], b[index]))
        .collect()
}

fn paired_error(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = pairs.iter().map(|(a, b)| b - a).sum::<f64>() / n;
    let squares = pairs
        .iter()
        .map(|(a, b)| (b - a - mean).powi(2))
        .sum::<f64>();
    (squares / (n - 1.0) / n).sqrt()
}

fn bootstrap(pairs: &[(f64, f64)]) -> [f64; 2] {
    let mut chance = SplitMix64::new(SEED);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn = (0..pairs.len()).map(|_| {
                let (a, b) = pairs[chance.below(pairs.len())];
                b - a
            });
            drawn.sum::<f64>() / pairs.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    [means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40]]
}

/// McNemar's exact test, two-sided: of the items that only one run has right, how unevenly they fall.
fn mcnemar(pairs: &[(f64, f64)]) -> f64 {
    let first = pairs.iter().filter(|(a, b)| a > b).count();
    let second = pairs.iter().filter(|(a, b)| b > a).count();
    let (n, fewer) = (first + second, first.min(second));
    if n == 0 {
        return 1.0;
    }
    // ln C(n, k), added up.
    let mut log = 0.0;
    let mut sum = 0.0;
    for k in 0..=fewer {
        if k > 0 {
            log += ((n - k + 1) as f64 / k as f64).ln();
        }
        sum += (log - n as f64 * std::f64::consts::LN_2).exp();
    }
    (2.0 * sum).min(1.0)
}

fn normal(difference: f64, stderr: f64) -> f64 {
    if stderr <= 0.0 {
        return if difference == 0.0 { 1.0 } else { 0.0 };
    }
    match Normal::new(0.0, 1.0) {
        Ok(normal) => 2.0 * normal.sf((difference / stderr).abs()),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcnemar_s_test_is_the_binomial_one() {
        // scipy.stats.binomtest(2, 10).pvalue and (0, 5), (4, 8)
        let of = |first: usize, second: usize| {
            let mut pairs = vec![(1.0, 0.0); first];
            pairs.extend(vec![(0.0, 1.0); second]);
            pairs.extend(vec![(1.0, 1.0); 7]);
            mcnemar(&pairs)
        };
        assert!((of(2, 8) - 0.109375).abs() < 1e-12);
        assert!((of(5, 0) - 0.0625).abs() < 1e-12);
        assert_eq!(of(4, 4), 1.0);
        assert_eq!(of(0, 0), 1.0);
        assert!(of(600, 400) < 1e-9 && of(600, 400) > 0.0);
    }

    #[test]
    fn pairs_have_a_smaller_error_than_means() {
        let pairs = [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 1.0)];
        assert!((paired_error(&pairs) - 0.25).abs() < 1e-12);
        let [low, high] = bootstrap(&pairs);
        assert!(low <= 0.25 && high >= 0.25 && low >= 0.0);
        // Two means that differ by 1.96 standard errors.
        assert!((normal(1.96, 1.0) - 0.05).abs() < 1e-4);
    }
}
