//! The settings that a run keeps to, also when it is resumed.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::options::Options;
use crate::corpus::Corpus;
use crate::error::{Result, TrainError};
use crate::files;
use crate::preset::Preset;
use crate::schedule::Budget;

/// The file's name in the run's directory.
pub(super) const FILE: &str = "settings.json";

/// What decides the curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub corpus: Vec<String>,
    pub corpus_bytes: u64,
    pub held_out: Vec<String>,
    pub held_out_bytes: u64,
    pub raw: bool,
    pub preset: Preset,
    pub tokenizer: Option<String>,
    pub weights: Vec<(String, f64)>,
    pub budget: Budget,
    pub dtype: Option<String>,
    pub seed: u64,
}

impl Settings {
    pub fn new(options: &Options, corpus: &Corpus, held_out: Option<&Corpus>) -> Result<Self> {
        let names = |corpus: &Corpus| -> Vec<String> {
            let paths = corpus
                .files
                .iter()
                .map(|file| file.source.path.display().to_string());
            paths.collect()
        };
        Ok(Self {
            corpus: names(corpus),
            corpus_bytes: corpus.bytes(),
            held_out: held_out.map(names).unwrap_or_default(),
            held_out_bytes: held_out.map_or(0, Corpus::bytes),
            raw: options.raw,
            preset: options.preset.clone(),
            tokenizer: options
                .tokenizer
                .as_ref()
                .map(|path| path.display().to_string()),
            weights: options.weights.clone(),
            budget: options.budget,
            dtype: options.dtype.map(|dtype| dtype.name().to_string()),
            seed: options.seed,
        })
    }

    pub fn write(&self, directory: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).unwrap_or_default();
        files::replace_bytes(&directory.join(FILE), &json)
    }

    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let json = fs::read(&path).map_err(TrainError::read(&path))?;
        serde_json::from_slice(&json).map_err(|error| TrainError::State {
            path,
            reason: error.to_string(),
        })
    }

    /// Refuses settings that are not those of `before`.
    pub fn same_as(&self, before: &Self) -> Result<()> {
        let value = |settings: &Self| serde_json::to_value(settings).unwrap_or_default();
        match difference("", &value(before), &value(self)) {
            None => Ok(()),
            Some((setting, before, now)) => Err(TrainError::Differs {
                setting,
                before,
                now,
            }),
        }
    }
}

/// The first field that differs, and both its values.
fn difference(name: &str, before: &Value, now: &Value) -> Option<(String, String, String)> {
    if let (Value::Object(a), Value::Object(b)) = (before, now)
        && a.keys().eq(b.keys())
    {
        return a.iter().find_map(|(key, value)| {
            let name = match name {
                "" => key.clone(),
                name => format!("{name}.{key}"),
            };
            difference(&name, value, &b[key])
        });
    }
    (before != now).then(|| (name.to_string(), before.to_string(), now.to_string()))
}
