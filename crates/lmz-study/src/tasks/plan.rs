//! All tasks of a study.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lmz_corpus::{CorpusError, CorpusOptions, read_corpus};
use lmz_hub::{HubCache, HubName};
use serde_json::{Value, json};

use super::fingerprint::fingerprint;
use super::task::{Task, TaskKind};
use crate::config::{CorpusConfig, ModelConfig, StudyConfig};
use crate::error::{Result, StudyError};

/// Version of what a task's name is made of.
const VERSION: u32 = 1;
/// Characters of a token, roughly, for costs.
const CHARACTERS: f64 = 4.0;

/// The tasks of a study, those that others need first.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The study's directory, where `study.toml` and results are.
    pub directory: PathBuf,
    /// The `study.toml` that it was made from.
    pub config: StudyConfig,
    /// The tasks, in the order of models, then corpora and benchmarks.
    pub tasks: Vec<Task>,
}

/// Plans the study of a directory.
///
/// # Errors
/// `study.toml` is wrong; a corpus is not there; a model or corpus cannot be read.
pub fn plan(directory: &Path) -> Result<Plan> {
    let config = StudyConfig::read(directory)?;
    let mut corpora = HashMap::new();
    for corpus in &config.corpora {
        let path = directory.join(&corpus.path);
        let Some(hash) = fingerprint(&path)? else {
            return Err(StudyError::Config {
                path: directory.join(crate::config::CONFIG_FILE),
                reason: format!("corpus {}: there is no {}", corpus.name, path.display()),
            });
        };
        corpora.insert(corpus.name.as_str(), (hash, bytes_of(corpus, &path)));
    }
    let data = match &config.data {
        Some(path) => Some(data_hash(directory, path)?),
        None => None,
    };
    let mut tasks = Vec::new();
    for model in &config.models {
        let path = directory.join(&model.path);
        let found = match fetched(&model.path).filter(|_| !path.exists()) {
            Some(path) => fingerprint(&path)?,
            None => fingerprint(&path)?,
        };
        // Without a path of that name `lmz` looks it up: the name stands for it.
        let identity = found.unwrap_or_else(|| format!("named {}", model.path));
        let make = Make {
            config: &config,
            model,
            identity,
        };
        for corpus in &config.corpora {
            let (hash, bytes) = &corpora[corpus.name.as_str()];
            make.score(corpus, hash, *bytes, &mut tasks);
            if corpus.compress {
                let key = json!({
                    "corpus": hash, "field": corpus.field, "limit": corpus.limit,
                    "mix": config.compress.mix,
                });
                let kind = TaskKind::Compress {
                    corpus: corpus.name.clone(),
                };
                tasks.push(make.task(kind, &key, Vec::new(), make.cost(*bytes)));
            }
        }
        for benchmark in &config.benchmarks {
            let mut key = json!({
                "task": benchmark.task, "shots": benchmark.shots, "limit": benchmark.limit,
                "dtype": config.protocol.dtype,
            });
            // Tasks without these have the names that they had before there were any.
            if let Some(hash) = &data {
                key["data"] = json!(hash);
            }
            if let Some(k) = benchmark.min_k {
                key["min_k"] = json!(k);
            }
            let kind = TaskKind::Evaluate {
                benchmark: benchmark.name.clone(),
            };
            tasks.push(make.task(kind, &key, Vec::new(), None));
        }
    }
    Ok(Plan {
        directory: directory.to_owned(),
        config,
        tasks,
    })
}

/// Where a model of the hub lies, if it was fetched.
fn fetched(model: &str) -> Option<PathBuf> {
    let name = HubName::parse(model)?;
    HubCache::from_env()?.find(&name).ok()
}

fn data_hash(directory: &Path, path: &Path) -> Result<String> {
    let path = directory.join(path);
    fingerprint(&path)?.ok_or_else(|| StudyError::Config {
        path: directory.join(crate::config::CONFIG_FILE),
        reason: format!("data: there is no {}", path.display()),
    })
}

/// Bytes of text that are scored, as far as that is known without reading all of it.
fn bytes_of(corpus: &CorpusConfig, path: &Path) -> u64 {
    let options = CorpusOptions {
        field: corpus.field.clone(),
        limit: corpus.limit,
    };
    let census = match corpus.limit {
        Some(_) => read_corpus::<CorpusError>(path, &options, &mut |_| Ok(())).ok(),
        None => None,
    };
    census.map_or_else(|| bytes(path), |census| census.bytes)
}

/// Bytes of a file, or of those in a directory.
fn bytes(path: &Path) -> u64 {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        return entries.map(|entry| bytes(&entry.path())).sum();
    }
    path.metadata().map_or(0, |metadata| metadata.len())
}

struct Make<'a> {
    config: &'a StudyConfig,
    model: &'a ModelConfig,
    identity: String,
}

impl Make<'_> {
    fn score(&self, corpus: &CorpusConfig, hash: &str, bytes: u64, tasks: &mut Vec<Task>) {
        let key = json!({
            "corpus": hash, "field": corpus.field, "limit": corpus.limit,
            "protocol": self.config.protocol,
        });
        let shards = corpus.shards;
        let part = |shard: u32| {
            let kind = TaskKind::Score {
                corpus: corpus.name.clone(),
                shard,
                shards,
            };
            let key = json!({ "of": key, "shard": shard, "shards": shards });
            let cost = self.window_cost(bytes).map(|cost| cost / f64::from(shards));
            self.task(kind, &key, Vec::new(), cost)
        };
        let parts: Vec<Task> = (1..=shards).map(part).collect();
        let needs: Vec<String> = parts.iter().map(|task| task.id.clone()).collect();
        tasks.extend(parts);
        if shards > 1 {
            let kind = TaskKind::Merge {
                corpus: corpus.name.clone(),
            };
            let key = json!({ "of": key, "merged": shards });
            tasks.push(self.task(kind, &key, needs, Some(0.0)));
        }
    }

    /// A multiply-add for each parameter and token.
    fn cost(&self, bytes: u64) -> Option<f64> {
        Some(self.model.parameters? * bytes as f64 / CHARACTERS)
    }

    /// A token passes through the model once for each window that it is in.
    fn window_cost(&self, bytes: u64) -> Option<f64> {
        let protocol = &self.config.protocol;
        let window = f64::from(protocol.window.unwrap_or(1900));
        let stride = f64::from(protocol.stride.unwrap_or(512)).min(window);
        let repeated = match protocol.name.as_str() {
            "stream" => 1.0,
            _ => window / stride.max(1.0),
        };
        Some(self.cost(bytes)? * repeated)
    }

    fn task(&self, kind: TaskKind, key: &Value, needs: Vec<String>, cost: Option<f64>) -> Task {
        let what = match &kind {
            TaskKind::Score { .. } => "score",
            TaskKind::Merge { .. } => "merge",
            TaskKind::Compress { .. } => "compress",
            TaskKind::Evaluate { .. } => "evaluate",
        };
        // Objects of serde_json are sorted by key: one text for one thing.
        let identity = json!({
            "lmz study task": VERSION, "what": what, "model": self.identity, "key": key,
        });
        let hash = blake3::hash(identity.to_string().as_bytes());
        let executor = &self.config.executor;
        Task {
            id: hash.to_hex()[..32].to_owned(),
            model: self.model.name.clone(),
            kind,
            needs,
            resources: self
                .model
                .resources
                .clone()
                .unwrap_or_else(|| executor.resources.clone()),
            cost,
        }
    }
}

impl Plan {
    /// What does the tasks: `lmz` of the `PATH`, or what `study.toml` names (relative to the study,
    /// unless it is a bare name, which is looked up in the `PATH`, too).
    pub fn program(&self) -> PathBuf {
        match &self.config.lmz {
            None => "lmz".into(),
            Some(path) if path.components().count() == 1 => path.clone(),
            Some(path) => {
                let path = self.directory.join(path);
                std::path::absolute(&path).unwrap_or(path)
            }
        }
    }

    /// A task by its name, or by the unambiguous start of it.
    ///
    /// # Errors
    /// There is none, or several.
    pub fn task(&self, id: &str) -> Result<&Task> {
        let mut found = self.tasks.iter().filter(|task| task.id.starts_with(id));
        match (found.next(), found.next()) {
            (Some(task), None) => Ok(task),
            // Two models of the same contents have their tasks in common.
            (Some(task), Some(other)) if task.id == other.id => Ok(task),
            _ => Err(StudyError::NoTask(id.into())),
        }
    }
}
