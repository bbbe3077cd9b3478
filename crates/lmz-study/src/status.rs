//! How far a study is.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::executor::SlurmState;
use crate::tasks::{Pace, Plan, Store, Task};

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskStatus {
    /// The task itself.
    #[serde(flatten)]
    pub task: Task,
    /// How far it is.
    pub state: State,
    /// Where it runs or ran, or why it waits or failed.
    pub detail: String,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its result is there.
    Done,
    /// A process is at it.
    Running,
    /// A scheduler has it.
    Queued,
    /// It failed when it was last tried.
    Failed,
    /// No result, no failure, and nobody is at it.
    Open,
}

impl State {
    /// What people are shown.
    pub fn title(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

/// How far each task is; `states` is what a scheduler says, by the tasks' names.
pub fn status(plan: &Plan, states: &BTreeMap<String, SlurmState>) -> Vec<TaskStatus> {
    let store = Store::new(&plan.directory);
    let one = |task: &Task| {
        let queued = states.get(&task.id);
        let (state, detail) = if store.is_done(&task.id) {
            (State::Done, String::new())
        } else if let Some(queued) =
            queued.filter(|q| q.state == "RUNNING" || q.state == "COMPLETING")
        {
            (State::Running, queued.where_or_why.clone())
        } else if let Some(queued) = queued.filter(|q| {
            ["PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED"].contains(&q.state.as_str())
        }) {
            (State::Queued, queued.where_or_why.clone())
        } else if let Some(failure) = store.failure(&task.id) {
            let reason = failure.reason.trim();
            let line = reason.lines().last().unwrap_or(reason);
            (State::Failed, format!("{}: {line}", failure.host))
        } else if is_taken(&store, &task.id) {
            (State::Running, String::new())
        } else if let Some(queued) = queued {
            // It left the queue, and no result came.
            (State::Failed, queued.state.to_lowercase())
        } else {
            (State::Open, String::new())
        };
        TaskStatus {
            task: task.clone(),
            state,
            detail,
        }
    };
    plan.tasks.iter().map(one).collect()
}

/// Whether a process of this machine holds the task's lock. To look is to take it for a moment.
fn is_taken(store: &Store, id: &str) -> bool {
    store.work(id).is_dir() && matches!(store.take(id), Ok(None))
}

/// A table for people: counts, then whatever is not done, or everything.
pub fn to_text(all: &[TaskStatus], everything: bool) -> String {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one.state).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.title()))
        .collect();
    // Writing to a string does not fail.
    let mut text = String::new();
    let tasks = if all.len() == 1 { "task" } else { "tasks" };
    let _ = writeln!(text, "{} {tasks}: {}", all.len(), counts.join(", "));
    let shown = |one: &&TaskStatus| everything || one.state != State::Done;
    for one in all.iter().filter(shown) {
        let _ = writeln!(
            text,
            "{}  {:<8} {:<44} {}",
            &one.task.id[..12],
            one.state.title(),
            one.task.title(),
            one.detail
        );
    }
    text
}

/// The plan for people: each task, its rough cost, what it took or will take, whether it is done.
pub fn plan_to_text(plan: &Plan) -> String {
    let store = Store::new(&plan.directory);
    let pace = Pace::of(plan);
    let mut text = String::new();
    let (mut left, mut known, mut open) = (0.0, true, 0);
    let (mut seconds, mut guessed) = (0.0, 0);
    for task in &plan.tasks {
        let done = store.is_done(&task.id);
        let cost = task.cost.map_or("?".into(), |cost| match cost {
            0.0 => "-".into(),
            cost => format!("{cost:.1e}"),
        });
        let mut time = pace.spent(task).map_or(String::new(), clock);
        if !done {
            open += 1;
            known &= task.cost.is_some();
            left += task.cost.unwrap_or_default();
            if task.cost == Some(0.0) {
                guessed += 1;
            } else if let Some(guess) = pace.guess(plan, task) {
                (seconds, guessed) = (seconds + guess, guessed + 1);
                time = format!("~{}", clock(guess));
            }
        }
        let _ = writeln!(
            text,
            "{}  {:<5} {cost:>9} {time:>9}  {}",
            &task.id[..12],
            if done { "done" } else { "open" },
            task.title()
        );
    }
    let more = if known {
        ""
    } else {
        ", and those whose cost is not known (?)"
    };
    let _ = writeln!(
        text,
        "{} tasks, {open} open: about {left:.1e} multiply-adds{more}",
        plan.tasks.len()
    );
    if seconds > 0.0 {
        let others = match open - guessed {
            0 => String::new(),
            others => format!(", without {others} of which nothing is known"),
        };
        let _ = writeln!(
            text,
            "at the pace of what is done, one task after the other: about {}{others}",
            clock(seconds)
        );
    }
    text
}

/// `12 s`, `3 min`, `2.5 h`.
fn clock(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
