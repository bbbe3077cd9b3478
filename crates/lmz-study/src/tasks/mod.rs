//! Tasks: one process, one result.
//!
//! A task's name is a hash of everything that its result depends on: the contents of model and
//! corpus, the protocol, the shard, and what the benchmark is told. Its result is a file of that
//! name, written whole or not at all. So a task that is there is done, on whatever machine, and
//! whoever does it twice writes the same file again.

mod command;
mod fingerprint;
mod plan;
mod run;
mod store;
mod task;

pub use plan::{Plan, plan};
pub use run::{Done, run_task};
pub use store::{Failure, Store, StoredResult};
pub use task::{Task, TaskKind};
