//! What is printed and written.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use lmz_study::StudyError;
use lmz_study::config::{CONFIG_FILE, ExecutorKind, TEMPLATE};
use lmz_study::executor::{Slurm, SlurmState};
use lmz_study::published::{compare, to_text};
use lmz_study::report::published_report;
use lmz_study::status::{State, plan_to_text, to_text as status_to_text};
use lmz_study::tasks::Plan;
use serde::Serialize;

use super::words::in_words;
use crate::exit::Exit;
use crate::terminal::message::{Failure, complain, say};
use crate::terminal::{signal, visible};

/// How often `--watch` looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// Prints a text.
pub fn print(text: &str) -> Result<Exit, Failure> {
    visible::print(text).map_err(Failure::stdout)?;
    Ok(Exit::Success)
}

fn print_json(value: &impl Serialize) -> Result<Exit, Failure> {
    visible::print_json(value).map_err(Failure::stdout)?;
    Ok(Exit::Success)
}

/// Names the files that were written.
pub fn written(paths: &[PathBuf]) -> Result<Exit, Failure> {
    let lines = paths.iter().map(|path| format!("{}\n", path.display()));
    print(&lines.collect::<String>())
}

/// `lmz study published`
pub fn published(json: bool, html: Option<&Path>) -> Result<Exit, Failure> {
    let published = compare();
    if let Some(path) = html {
        let paths = published_report().write(path).map_err(in_words)?;
        say(&format!("lmz: wrote {}", lmz::figures::show(&paths[0])));
    }
    if json {
        print_json(&published)?
    } else {
        print(&to_text(&published))?
    };
    Ok(Exit::of(published.differing == 0))
}

/// `lmz study init`
pub fn init(directory: &Path) -> Result<Exit, Failure> {
    let path = directory.join(CONFIG_FILE);
    let io = |error| {
        in_words(StudyError::Io {
            path: path.clone(),
            error,
        })
    };
    std::fs::create_dir_all(directory).map_err(io)?;
    let mut file = match std::fs::File::create_new(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = anyhow!("{} is there already", lmz::figures::show(&path));
            return Err(Failure::Fatal(message));
        }
        other => other.map_err(io)?,
    };
    file.write_all(TEMPLATE.as_bytes()).map_err(io)?;
    print(&format!("{}\n", path.display()))
}

/// `lmz study plan`
pub fn plan(directory: &Path, json: bool) -> Result<Exit, Failure> {
    let plan = lmz_study::tasks::plan(directory).map_err(in_words)?;
    match json {
        true => print_json(&plan.tasks),
        false => print(&plan_to_text(&plan)),
    }
}

/// `lmz study status`
pub fn status(directory: &Path, watch: bool, all: bool, json: bool) -> Result<Exit, Failure> {
    let plan = lmz_study::tasks::plan(directory).map_err(in_words)?;
    let looks_at_terminal = io::stdout().is_terminal();
    let mut told = false;
    loop {
        let states = states(&plan, &mut told);
        let tasks = lmz_study::status::status(&plan, &states);
        if json {
            return print_json(&tasks);
        }
        let text = status_to_text(&tasks, all);
        if watch && looks_at_terminal {
            // From the top of an empty screen.
            let cleared = io::stdout().write_all(b"\x1b[2J\x1b[H");
            cleared.map_err(Failure::stdout)?;
        }
        print(&text)?;
        let busy = |state| matches!(state, State::Running | State::Queued | State::Open);
        let left = tasks.iter().any(|one| busy(one.state));
        if !watch || !left || signal::interrupted() {
            return Ok(Exit::Success);
        }
        std::thread::sleep(INTERVAL);
    }
}

/// What a scheduler says of the tasks, where one has them; a scheduler that does not answer is
/// named once.
fn states(plan: &Plan, told: &mut bool) -> BTreeMap<String, SlurmState> {
    let slurm = Slurm::new(plan, Path::new("lmz"));
    let is_used = plan.config.executor.kind == ExecutorKind::Slurm || slurm.submitted().is_some();
    if !is_used {
        return BTreeMap::new();
    }
    slurm.states().unwrap_or_else(|error| {
        if !std::mem::replace(told, true) {
            complain("the queue", &error.into());
        }
        BTreeMap::new()
    })
}
