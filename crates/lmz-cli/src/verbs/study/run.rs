//! A plan to whoever runs it.

use std::sync::atomic::{AtomicUsize, Ordering};

use lmz_study::config::ExecutorKind;
use lmz_study::executor::{HyperQueue, LocalWatch, Slurm, run_local};
use lmz_study::tasks::{Done, Plan, Task};
use lmz_study::{Result as StudyResult, gather};

use super::show;
use super::words::in_words;
use crate::exit::Exit;
use crate::terminal::message::{Failure, complain, say};
use crate::terminal::signal;

/// Runs or submits a plan, and on this machine writes the report at the end.
pub fn run(mut plan: Plan, dry_run: bool, quiet: bool) -> Result<Exit, Failure> {
    with_this_program(&mut plan);
    let program = plan.program();
    match plan.config.executor.kind {
        ExecutorKind::Local => local(&plan, dry_run, quiet),
        ExecutorKind::Slurm => {
            let slurm = Slurm::new(&plan, &program);
            if dry_run {
                let most = slurm.max_array().map_err(in_words)?;
                let scripts = slurm.submissions(most);
                let text = scripts
                    .iter()
                    .map(|one| format!("# {}\n{}\n", one.name, one.script));
                return show::print(&text.collect::<String>());
            }
            let submitted = slurm.submit().map_err(in_words)?;
            let jobs: Vec<&str> = submitted.jobs.iter().map(|job| job.job.as_str()).collect();
            show::print(&match jobs.as_slice() {
                [] => "nothing is left to do\n".to_owned(),
                jobs => format!("submitted: {} (the last is the report)\n", jobs.join(", ")),
            })
        }
        ExecutorKind::HyperQueue => {
            let queue = HyperQueue::new(&plan, &program);
            let nothing = || "nothing is left to do\n".to_owned();
            if dry_run {
                let path = queue.write().map_err(in_words)?;
                return show::print(
                    &path.map_or_else(nothing, |path| format!("{}\n", path.display())),
                );
            }
            show::print(&queue.submit().map_err(in_words)?.unwrap_or_else(nothing))
        }
    }
}

/// Where study.toml names no program, tasks are done by this one.
pub fn with_this_program(plan: &mut Plan) {
    if plan.config.lmz.is_none() {
        plan.config.lmz = std::env::current_exe().ok();
    }
}

/// A line for each task.
struct Lines {
    quiet: bool,
    ended: AtomicUsize,
    all: usize,
}

impl LocalWatch for Lines {
    fn ended(&self, task: &Task, result: &StudyResult<Done>) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        match result {
            Ok(Done::Now) if !self.quiet => {
                say(&format!("[{ended}/{}] {}", self.all, task.title()))
            }
            Ok(_) => {}
            // The error names the task by its number only.
            Err(error) => complain(&task.title(), &anyhow::anyhow!("{error}")),
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

fn local(plan: &Plan, dry_run: bool, quiet: bool) -> Result<Exit, Failure> {
    if dry_run {
        return show::print(&lmz_study::status::plan_to_text(plan));
    }
    let executor = &plan.config.executor;
    let lines = Lines {
        quiet,
        ended: AtomicUsize::new(0),
        all: plan.tasks.len(),
    };
    let outcome = run_local(plan, executor.jobs, &executor.devices, &lines);
    signal::end_if_interrupted();
    let report = gather(plan).map_err(in_words)?;
    let path = plan.directory.join("report.html");
    report.write(&path).map_err(in_words)?;
    if !quiet {
        say(&format!(
            "{} done, {} done before, {} failed: {}",
            outcome.done,
            outcome.before,
            outcome.failed,
            path.display()
        ));
    }
    Ok(Exit::of(outcome.failed == 0))
}
