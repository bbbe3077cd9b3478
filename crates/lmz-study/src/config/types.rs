//! The tables of `study.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::dataset::{LeaveOut, ModelKind};

/// `study.toml` as a whole.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyConfig {
    /// What the study is called.
    pub title: String,
    /// The program that does the tasks; `lmz` of the `PATH` if nobody says.
    pub lmz: Option<PathBuf>,
    /// A directory with files of benchmarks: what `lmz eval --data` takes.
    pub data: Option<PathBuf>,
    /// From which context tokens are predicted.
    #[serde(default)]
    pub protocol: ProtocolConfig,
    /// `[[model]]` tables, in their order in the file.
    #[serde(rename = "model", default)]
    pub models: Vec<ModelConfig>,
    /// `[[corpus]]` tables, in their order in the file.
    #[serde(rename = "corpus", default)]
    pub corpora: Vec<CorpusConfig>,
    /// `[[benchmark]]` tables, in their order in the file.
    #[serde(rename = "benchmark", default)]
    pub benchmarks: Vec<BenchmarkConfig>,
    /// `[[area]]` tables: which benchmarks and corpus belong together.
    #[serde(rename = "area", default)]
    pub areas: Vec<AreaConfig>,
    /// `[compress]`: how `.lmz` files are made of corpora that want one.
    #[serde(default)]
    pub compress: CompressConfig,
    /// `[executor]`: what runs the tasks; this machine if nobody says.
    #[serde(default)]
    pub executor: ExecutorConfig,
}

/// `[protocol]`: what `lmz bpc` is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtocolConfig {
    /// `paper`, `document` or `stream`.
    pub name: String,
    /// Tokens that a window predicts; what `lmz bpc` chooses if nobody says.
    pub window: Option<u32>,
    /// Tokens by which a window moves on; what `lmz bpc` chooses if nobody says.
    pub stride: Option<u32>,
    /// Type of weights and activations.
    pub dtype: String,
}

impl Default for ProtocolConfig {
    fn default() -> Self {
        Self {
            name: "paper".into(),
            window: None,
            stride: None,
            dtype: "f32".into(),
        }
    }
}

/// `[compress]`: what `lmz` is told when it makes a file of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressConfig {
    /// `none`: what the model alone makes of the text, as its bits per character. `auto`: with what
    /// `lmz` learns while it codes.
    pub mix: String,
    /// Whether each file is decoded again before its bytes count. Takes longer than making it.
    pub verify: bool,
}

impl Default for CompressConfig {
    fn default() -> Self {
        Self {
            mix: "none".into(),
            verify: true,
        }
    }
}

/// `[[model]]`: a model of the study.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name in the study.
    pub name: String,
    /// What people are shown; the name if nobody says.
    pub title: Option<String>,
    /// What `lmz bpc --model` takes.
    pub path: String,
    /// Its family; its own name if nobody says.
    pub family: Option<String>,
    /// How many parameters it has; counted in its files if nobody says.
    pub parameters: Option<f64>,
    /// What it was made for.
    #[serde(default)]
    pub kind: ModelKind,
    /// What its tasks need; those of the executor if nobody says.
    pub resources: Option<Resources>,
}

/// `[[corpus]]`: a corpus that models are to compress.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusConfig {
    /// Its name in the study.
    pub name: String,
    /// What people are shown; the name if nobody says.
    pub title: Option<String>,
    /// What `lmz bpc --corpus` takes.
    pub path: PathBuf,
    /// The field of a JSON line that holds the text.
    pub field: Option<String>,
    /// The first documents only.
    pub limit: Option<u64>,
    /// Tasks that share the corpus, for each model.
    #[serde(default = "one")]
    pub shards: u32,
    /// Whether to make a `.lmz` file of the corpus's texts with each model.
    #[serde(default)]
    pub compress: bool,
}

fn one() -> u32 {
    1
}

/// `[[benchmark]]`: a task that models are to be scored in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkConfig {
    /// Its name in the study.
    pub name: String,
    /// What people are shown; the name if nobody says.
    pub title: Option<String>,
    /// What `lmz eval --task` takes.
    pub task: String,
    /// Which of the task's metrics is the score.
    pub metric: String,
    /// Examples in the prompt.
    pub shots: Option<u32>,
    /// The first items only.
    pub limit: Option<u64>,
    /// Percent of the tokens that MIN-K% looks at, 20 in the paper; not scored if nobody says.
    pub min_k: Option<f64>,
    /// What guessing scores, from 0 to 1.
    pub chance: Option<f64>,
}

/// `[[area]]`: a corpus and the benchmarks that it stands for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaConfig {
    /// Its name in the study.
    pub name: String,
    /// What people are shown; the name if nobody says.
    pub title: Option<String>,
    /// Name of its corpus.
    pub corpus: String,
    /// Names of its benchmarks.
    pub benchmarks: Vec<String>,
    /// Models that are drawn, but not part of its fits.
    #[serde(default)]
    pub leave_out: Vec<LeaveOut>,
}

/// What runs the tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutorKind {
    /// Processes on this machine.
    #[default]
    Local,
    /// Array jobs of a Slurm cluster.
    Slurm,
    /// One job of a HyperQueue server.
    HyperQueue,
}

/// `[executor]`: what runs the tasks, and with what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExecutorConfig {
    /// Where tasks run; on this machine if nobody says.
    pub kind: ExecutorKind,
    /// Tasks at a time on this machine.
    pub jobs: usize,
    /// What `--device` is told, in turn.
    pub devices: Vec<String>,
    /// What a task needs.
    pub resources: Resources,
    /// `[executor.slurm]`: what a Slurm cluster is told.
    pub slurm: SlurmConfig,
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self {
            kind: ExecutorKind::Local,
            jobs: 1,
            devices: vec!["auto".into()],
            resources: Resources::default(),
            slurm: SlurmConfig::default(),
        }
    }
}

/// What a task needs of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Processor cores of a task; 1 if nobody says.
    pub cpus: u32,
    /// Memory, as `sbatch --mem` takes it.
    pub memory: Option<String>,
    /// GPUs of a task; 0 if nobody says.
    pub gpus: u32,
    /// Longest time, as `sbatch --time` takes it: minutes, `hours:minutes:seconds` or
    /// `days-hours:minutes:seconds`.
    pub time: Option<String>,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            cpus: 1,
            memory: None,
            gpus: 0,
            time: None,
        }
    }
}

/// `[executor.slurm]`: what a Slurm cluster is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlurmConfig {
    /// `--partition` of `sbatch`; the cluster's default if nobody says.
    pub partition: Option<String>,
    /// `--account` of `sbatch`; the cluster's default if nobody says.
    pub account: Option<String>,
    /// Tasks of an array at a time.
    pub max_running: Option<u32>,
    /// The cluster's `MaxArraySize`; asked of `scontrol` if nobody says.
    pub max_array_size: Option<u32>,
    /// Further options of `sbatch`.
    pub extra: Vec<String>,
}
