//! `lmz study`: benchmark scores against compression, published and one's own.

mod args;
mod run;
mod show;
mod words;

pub use args::StudyArgs;

use args::StudyCommand;
use lmz_study::gather;
use lmz_study::tasks::{Done, plan, run_task};
use words::in_words;

use crate::exit::Exit;
use crate::terminal::message::{Failure, say};
use crate::verb::{Entry, Verb};

impl Verb for StudyArgs {
    const NAME: &'static str = "study";

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        match self.command {
            StudyCommand::Published { json, html } => show::published(json, html.as_deref()),
            StudyCommand::Init { directory } => show::init(&directory),
            StudyCommand::Plan { directory, json } => show::plan(&directory, json),
            StudyCommand::Run {
                directory,
                executor,
                jobs,
                devices,
                dry_run,
                quiet,
            } => {
                let mut plan = plan(&directory).map_err(in_words)?;
                let settings = &mut plan.config.executor;
                if let Some(executor) = executor {
                    settings.kind = executor.into();
                }
                if let Some(jobs) = jobs {
                    settings.jobs = jobs as usize;
                }
                if !devices.is_empty() {
                    settings.devices = devices;
                }
                run::run(plan, dry_run, quiet)
            }
            StudyCommand::Status {
                directory,
                watch,
                all,
                json,
            } => show::status(&directory, watch, all, json),
            StudyCommand::Report { directory, out } => {
                let report = gather(&plan(&directory).map_err(in_words)?).map_err(in_words)?;
                let path = out.unwrap_or_else(|| directory.join("report.html"));
                show::written(&report.write(&path).map_err(in_words)?)
            }
            StudyCommand::Task {
                directory,
                id,
                device,
            } => {
                let mut plan = plan(&directory).map_err(in_words)?;
                run::with_this_program(&mut plan);
                let task = plan.task(&id).map_err(in_words)?;
                match run_task(&plan, task, &device).map_err(in_words)? {
                    Done::Now => say(&format!("{}: done", task.title())),
                    Done::Before => say(&format!("{}: was done", task.title())),
                    Done::Elsewhere => say(&format!("{}: another process is at it", task.title())),
                }
                Ok(Exit::Success)
            }
        }
    }
}
