//! A study's figures: models, what they compress corpora to, what they score in benchmarks.

mod mark;
mod target;
mod types;

pub use mark::{CHANCE_RULE, Mark};
pub use target::{Population, Question, Target};
pub use types::{
    Area, Benchmark, Corpus, Dataset, Fact, LeaveOut, Measure, Metric, Model, ModelKind, Score, Why,
};
