//! Benchmarks of language models: tasks as data, prompts, answers, metrics.
//!
//! A score comes about in steps, each of which can be looked at by itself:
//!
//! 1. a [`Task`](task::Task) is read: a TOML file that says where documents are, what a model is shown, and when an
//!    answer is right;
//! 2. [`prompt::items`] reads the documents and makes an [`Item`](prompt::Item) of each;
//! 3. [`run::answer`] turns items into tokens, batches them so that what they begin with alike is computed once, and
//!    asks a [`LanguageModel`]; with a [`Journal`](run::Journal) it can be killed and goes on where it was.
//!    [`ReferenceAnswers`] answers from the key instead;
//! 4. [`programs::outcomes`] runs the programs of answers in a [`Sandbox`](sandbox::Sandbox);
//! 5. [`metric`] says what an answer is worth, and [`report`] makes a result of all of them.
//!
//! [`contamination`] asks another question of the same documents: whether a model has seen them.
//!
//! The words are those of [docs/eval.md](https://github.com/lmz-project/lmz/blob/main/docs/eval.md).
#![forbid(unsafe_code)]

pub mod answer;
mod boxed;
pub mod compare;
pub mod contamination;
pub mod data;
mod error;
pub mod metric;
mod model;
mod oracle;
pub mod programs;
pub mod prompt;
mod record;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod task;
pub mod template;

pub use error::{ErrorKind, EvalError, ModelFailure, Result};
pub use model::{LanguageModel, Likelihood, Row, Written};
pub use oracle::ReferenceAnswers;
pub use record::{Answer, Answered, Progress};
