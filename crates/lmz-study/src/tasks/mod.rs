//! Tasks, each one process that gives one result.
//!
//! A task's name is a hash of everything that its result depends on: the contents of model and
//! corpus, the protocol, the shard, and what the benchmark is told. Its result is a file of that name, written whole
//! or not at all. So a task whose result is there is done, whatever machine did it, and to do it twice writes the
//! same file again.

mod command;
mod fingerprint;
mod pace;
mod plan;
mod run;
mod store;
mod task;

pub use pace::Pace;
pub use plan::{Plan, plan};
pub use run::{Done, run_task};
pub use store::{Failure, Store, StoredResult};
pub use task::{Task, TaskKind};
