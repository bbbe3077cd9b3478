//! What `lmz eval --json` answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One model in one task. Unknown entries are allowed, and kept with the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Version of the program.
    pub lmz: String,
    /// The model.
    pub model: EvaluatedModel,
    /// The task.
    pub task: EvaluatedTask,
    /// What was measured.
    pub metrics: Vec<MetricValue>,
    /// MIN-K% scores of the task's texts, where they were asked for.
    #[serde(default)]
    pub min_k: Vec<MinKValue>,
    /// What a reader of the figures should know.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Which model it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedModel {
    /// `checkpoint` or `prepared`, as in the result of `lmz bpc`.
    pub kind: String,
    /// Hash of configuration and weights, as in the result of `lmz bpc`.
    pub hash: String,
}

/// Which task it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedTask {
    /// Its name.
    pub name: String,
    /// Its version: another prompt or another way of scoring is another version.
    pub version: String,
    /// Examples in the prompt.
    pub shots: u32,
}

/// A metric of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// `acc`, `acc_norm`, `exact_match`, `pass@1`.
    pub name: String,
    /// From 0 to 1.
    pub value: f64,
    /// Standard error of the value.
    pub stderr: Option<f64>,
    /// Items.
    pub n: u64,
}

/// A MIN-K% score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinKValue {
    /// `test`, `train`.
    pub split: String,
    /// Part of the tokens that is taken, in percent: 20 in the paper.
    pub k: f64,
    /// Mean negative log-likelihood of the least likely tokens, in nats.
    pub score: f64,
    /// Examples.
    pub n: u64,
}

impl Evaluation {
    /// Reads what the command printed.
    ///
    /// # Errors
    /// What is missing or out of range, in words.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let found: Self = serde_json::from_value(value.clone())
            .map_err(|error| format!("no result of `lmz eval`: {error}"))?;
        for metric in &found.metrics {
            if !(0.0..=1.0).contains(&metric.value) {
                return Err(format!(
                    "{} is {}, not from 0 to 1",
                    metric.name, metric.value
                ));
            }
        }
        Ok(found)
    }
}
