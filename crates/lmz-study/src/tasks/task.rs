//! What a task is.

use serde::{Deserialize, Serialize};

use crate::config::Resources;

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TaskKind {
    /// Scores a corpus, or a shard of it.
    Score {
        /// Name of the corpus.
        corpus: String,
        /// Which shard, from 1.
        shard: u32,
        /// Of how many.
        shards: u32,
    },
    /// Makes a whole of the shards of a corpus.
    Merge {
        /// Name of the corpus.
        corpus: String,
    },
    /// Makes a `.lmz` file of a corpus's file, and counts its bytes.
    Compress {
        /// Name of the corpus.
        corpus: String,
    },
    /// Runs a benchmark.
    Evaluate {
        /// Name of the benchmark.
        benchmark: String,
    },
}

/// A task of a study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// Its name: 32 hexadecimal digits of a hash of what its result depends on.
    pub id: String,
    /// Name of the model.
    pub model: String,
    /// What it does.
    #[serde(flatten)]
    pub kind: TaskKind,
    /// Tasks that must be done before.
    pub needs: Vec<String>,
    /// What it needs of a cluster.
    pub resources: Resources,
    /// Multiply-adds that it takes, roughly: none where the size of the model or the amount of
    /// text is not known.
    pub cost: Option<f64>,
}

impl Task {
    /// What people are shown.
    pub fn title(&self) -> String {
        let model = &self.model;
        match &self.kind {
            TaskKind::Score {
                corpus, shards: 1, ..
            } => format!("{model} on {corpus}"),
            TaskKind::Score {
                corpus,
                shard,
                shards,
            } => format!("{model} on {corpus}, part {shard} of {shards}"),
            TaskKind::Merge { corpus } => format!("{model} on {corpus}, parts put together"),
            TaskKind::Compress { corpus } => format!("{corpus} compressed by {model}"),
            TaskKind::Evaluate { benchmark } => format!("{model} in {benchmark}"),
        }
    }
}
