//! Tasks: benchmarks as data.

mod builtin;
mod check;
mod format;

use std::path::Path;

pub use builtin::builtin;
pub use check::{parse, templates};
pub use format::{
    Compare, FewShot, Generate, Output, Program, Prompt, Sampler, Score, Source, Step, Task,
};

use crate::error::{EvalError, Result};

/// The tasks of this program and those of `directory`, which come first, by name.
///
/// # Errors
/// A file of the directory is no task.
pub fn all(directory: Option<&Path>) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    if let Some(directory) = directory {
        let io = EvalError::io(directory);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(&io)? {
            let path = entry.map_err(&io)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(EvalError::io(&path))?;
            tasks.push(parse(&path.display().to_string(), &text)?);
        }
    }
    for task in builtin()? {
        if tasks.iter().all(|other| other.name != task.name) {
            tasks.push(task);
        }
    }
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tasks)
}

/// What was asked for: names of tasks and of groups, in that order and each once. `all` is every task.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The task.
    pub task: Task,
    /// Whether it was asked for by its own name: that it cannot be run is then an error.
    pub by_name: bool,
}

/// Finds what was asked for.
///
/// # Errors
/// A name is that of no task and no group.
pub fn choose(tasks: &[Task], asked: &[String]) -> Result<Vec<Chosen>> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for name in asked {
        let by_name = tasks.iter().any(|task| task.name == *name);
        let found = tasks.iter().filter(|task| match by_name {
            true => task.name == *name,
            false => name == "all" || task.groups.contains(name),
        });
        let found: Vec<&Task> = found.collect();
        if found.is_empty() {
            return Err(EvalError::NoTask { name: name.clone() });
        }
        for task in found {
            match chosen.iter_mut().find(|other| other.task.name == task.name) {
                Some(other) => other.by_name |= by_name,
                None => chosen.push(Chosen {
                    task: task.clone(),
                    by_name,
                }),
            }
        }
    }
    Ok(chosen)
}
