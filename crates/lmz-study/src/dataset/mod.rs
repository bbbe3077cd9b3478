//! A study's figures: models, what they compress corpora to, what they score in benchmarks.

mod target;
mod types;

pub use target::{Question, Target};
pub use types::{
    Area, Benchmark, Corpus, Dataset, Fact, LeaveOut, Measure, Metric, Model, ModelKind, Score,
};
