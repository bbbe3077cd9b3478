//! From the arguments to printed results.

use anyhow::anyhow;
use clap::error::ErrorKind;
use lmz::ScoringError;
use lmz::eval::prompt::Selection;
use lmz::eval::task::{all, choose};
use lmz::eval::{Answerer, EvalError, EvalOptions, Evaluated, ReferenceAnswers, evaluate};
use lmz::float::{Device, use_threads};

use super::args::{EvalArgs, EvalCommand, RunEvalArgs, definition};
use super::progress::Watcher;
use super::say::{fatal, out, pretty};
use super::{show, table};
use crate::exit::Exit;
use crate::settings::{Nonsense, Talk, Volume, dtype};
use crate::terminal::message::{Failure, complain, say};
use crate::verb::{Entry, Verb, definition_of};

impl Verb for EvalArgs {
    const NAME: &'static str = "eval";

    fn definition() -> clap::Command {
        definition()
    }

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        match self.command {
            None => score(self.run),
            Some(EvalCommand::Tasks { files, json }) => show::tasks(&files, json),
            Some(EvalCommand::Show {
                task,
                sample,
                fewshot,
                seed,
                files,
                model,
            }) => {
                let selection = Selection {
                    shots: fewshot.map(|shots| shots as usize),
                    limit: None,
                    seed,
                };
                show::prompt(&task, sample, selection, &files, &model)
            }
            Some(EvalCommand::Compare { a, b, json }) => show::compared(&a, &b, json),
            Some(contamination) => show::contaminated(contamination),
        }
    }
}

/// Scores a model, and prints the results.
fn score(args: RunEvalArgs) -> Result<Exit, Failure> {
    let (json, talk) = (args.json, Talk::resolve(args.talk));
    let threads = usize::from(args.device.threads.unwrap_or(0));
    let tasks = all(args.files.task_files.as_deref()).map_err(fatal)?;
    let chosen = choose(&tasks, &args.tasks).map_err(fatal)?;
    let options = options(args, chosen);
    let options = options.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<EvalArgs>()));
    use_threads(threads).map_err(anyhow::Error::from)?;
    let watcher = Watcher::new(talk);
    let found = evaluate(&options, &watcher);
    drop(watcher);
    let found = found.map_err(|error| match error {
        ScoringError::Eval(EvalError::Cancelled) if options.out.is_some() => {
            Failure::Fatal(anyhow!("cancelled; the same command with --resume goes on"))
        }
        error => Failure::Fatal(error.into()),
    })?;
    print(&found, json)?;
    for (name, error) in &found.skipped {
        if talk.volume > Volume::Quiet {
            say(&format!("lmz: {name}: left out: {}", without(name, error)));
        }
    }
    let nothing = found.reports.is_empty();
    let failed = !found.failed.is_empty();
    for (name, error) in found.failed {
        let text = without(&name, &error);
        let error = anyhow::Error::from(error);
        match text == error.to_string() {
            true => complain(&name, &error),
            false => complain(&name, &anyhow!(text)),
        }
    }
    if nothing && !failed {
        return Err(Failure::Fatal(anyhow!("none of the tasks could be run")));
    }
    Ok(Exit::of(!failed))
}

/// An error's words without the task's name, which stands before them.
fn without(name: &str, error: &EvalError) -> String {
    let text = error.to_string();
    text.strip_prefix(&format!("{name}: "))
        .map_or(text.clone(), str::to_owned)
}

fn print(found: &Evaluated, json: bool) -> Result<(), Failure> {
    let text = match (json, &found.reports[..]) {
        (_, []) => return Ok(()),
        (true, [one]) => format!("{}\n", pretty(one)),
        (true, all) => format!("{}\n", pretty(&all)),
        (false, all) => table::results(all),
    };
    out(&text)
}

fn options(
    args: RunEvalArgs,
    tasks: Vec<lmz::eval::task::Chosen>,
) -> Result<EvalOptions, Nonsense> {
    let batch = match args.batch.as_str() {
        "auto" => None,
        number => match number.parse::<usize>() {
            Ok(number @ 1..=1_048_576) => Some(number),
            _ => {
                let message = format!("--batch {number}: auto, or a number from 1 to 1048576");
                return Err(Nonsense::new(ErrorKind::ValueValidation, message));
            }
        },
    };
    if let Some(k) = args.min_k.filter(|k| !(*k > 0.0 && *k <= 100.0)) {
        let message = format!("--min-k {k}: percent, above 0 and up to 100");
        return Err(Nonsense::new(ErrorKind::ValueValidation, message));
    }
    Ok(EvalOptions {
        answerer: match args.reference.as_deref() {
            Some("right") => Answerer::Reference(ReferenceAnswers::Right),
            Some(_) => Answerer::Reference(ReferenceAnswers::Wrong),
            None => Answerer::Model(args.model.model),
        },
        tasks,
        data: args.files.data,
        selection: Selection {
            shots: args.fewshot.map(|shots| shots as usize),
            limit: args.limit.map(|limit| limit as usize),
            seed: args.seed,
        },
        device: args.device.device.unwrap_or(Device::Auto),
        dtype: dtype(&args.dtype)?,
        memory: args.memory.memory,
        batch,
        out: args.out,
        resume: args.resume,
        log_samples: args.log_samples,
        allow_code_execution: args.allow_code_execution,
        min_k: args.min_k,
        python: args.python,
    })
}
