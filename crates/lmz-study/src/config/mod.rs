//! `study.toml`: what a study is made of.

mod read;
mod types;

pub use read::{CONFIG_FILE, TEMPLATE};
pub use types::{
    AreaConfig, BenchmarkConfig, CompressConfig, CorpusConfig, ExecutorConfig, ExecutorKind,
    ModelConfig, ProtocolConfig, Resources, SlurmConfig, StudyConfig,
};
