//! Tasks, prompts, comparisons, and what a model has seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use lmz::eval::compare::compare;
use lmz::eval::contamination::{MinK, plot};
use lmz::eval::data::DataDirectory;
use lmz::eval::prompt::{Item, Selection, Work, items};
use lmz::eval::task::{Output, Task, all, choose};
use lmz::eval::{ContaminationOptions, contamination};
use lmz::float::{Device, Dtype, use_threads};
use lmz::{ModelStore, ScoredModel};
use serde_json::json;

use super::args::{EvalCommand, FileArgs};
use super::progress::Watcher;
use super::say::{fatal, out, pretty};
use super::table;
use crate::args::ModelArg;
use crate::exit::Exit;
use crate::settings::Talk;
use crate::terminal::message::Failure;

/// Lists tasks and groups.
pub fn tasks(files: &FileArgs, json: bool) -> Result<Exit, Failure> {
    let tasks = all(files.task_files.as_deref()).map_err(fatal)?;
    let data = DataDirectory::new(files.data.as_deref());
    let mut rows = Vec::new();
    for task in &tasks {
        let found = items(task, &data, Selection::default());
        let (count, missing) = match found {
            Ok(prompted) => (Some(prompted.items.len()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        rows.push((task, count, missing));
    }
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in &tasks {
        for group in &task.groups {
            groups.entry(group).or_default().push(&task.name);
        }
    }
    if json {
        let rows = rows.iter().map(|(task, count, missing)| {
            json!({
                "name": task.name, "title": task.title, "version": task.version, "groups": task.groups,
                "output": task.output, "shots": task.fewshot.count, "headline": task.headline,
                "questions": count, "missing": missing, "public": task.public,
            })
        });
        out(&format!("{}\n", pretty(&rows.collect::<Vec<_>>())))?;
        return Ok(Exit::Success);
    }
    let mut text = format!(
        "{:<16} {:>9} {:>5}  {:<14} {}\n",
        "task", "questions", "shots", "metric", "title"
    );
    for (task, count, _) in &rows {
        let count = count.map_or("-".into(), |count| count.to_string());
        let _ = writeln!(
            text,
            "{:<16} {count:>9} {:>5}  {:<14} {}",
            task.name, task.fewshot.count, task.headline, task.title
        );
    }
    text.push('\n');
    for (group, members) in groups {
        let _ = writeln!(text, "{group}: {}", members.join(", "));
    }
    for (_, _, missing) in &rows {
        if let Some(missing) = missing {
            let _ = writeln!(text, "{missing}");
        }
    }
    out(&text)?;
    Ok(Exit::Success)
}

/// Shows a question as the model sees it.
pub fn prompt(
    name: &str,
    sample: usize,
    selection: Selection,
    files: &FileArgs,
    model: &ModelArg,
) -> Result<Exit, Failure> {
    let tasks = all(files.task_files.as_deref()).map_err(fatal)?;
    let Some(task) = tasks.iter().find(|task| task.name == name) else {
        let error = choose(&tasks, &[name.to_owned()]).err();
        let group = || anyhow!("{name} is a group; name a task of it");
        return Err(Failure::Fatal(error.map_or_else(group, Into::into)));
    };
    let prompted =
        items(task, &DataDirectory::new(files.data.as_deref()), selection).map_err(fatal)?;
    let Some(item) = prompted.items.get(sample) else {
        let count = prompted.items.len();
        return Err(Failure::Fatal(anyhow!(
            "{name} has questions 0 to {}",
            count - 1
        )));
    };
    let scored = ScoredModel::open(&ModelStore::from_env(), model.model.as_deref());
    let scored = scored.map_err(|error| Failure::Fatal(error.into()))?;
    let count = |text: &str| match scored.tokenizer.encode(text) {
        Ok(encoded) => Ok(encoded.ids.len()),
        Err(error) => Err(Failure::Fatal(error.into())),
    };
    let text = item.question.text(0);
    let mut shown = format!(
        "{name} {}, question {sample} of {}, {} examples\n",
        task.version,
        prompted.items.len(),
        item.question.shots.len()
    );
    let _ = writeln!(
        shown,
        "prompt: {} tokens of {}\n{}",
        count(&text)?,
        scored.name,
        rule()
    );
    let _ = writeln!(shown, "{text}\n{}", rule());
    shown.push_str(&asked(task, item, &text, &count)?);
    out(&shown)?;
    Ok(Exit::Success)
}

fn rule() -> String {
    "-".repeat(72)
}

/// What is asked about a question.
fn asked(
    task: &Task,
    item: &Item,
    prompt: &str,
    count: &dyn Fn(&str) -> Result<usize, Failure>,
) -> Result<String, Failure> {
    let mut text = String::new();
    match &item.work {
        Work::Choices {
            continuations,
            gold,
            ..
        } => {
            for (number, continuation) in continuations.iter().enumerate() {
                let tokens =
                    count(&format!("{prompt}{continuation}"))?.saturating_sub(count(prompt)?);
                let mark = if number == *gold { '*' } else { ' ' };
                let _ = writeln!(text, "{mark} {number}: {continuation:?}, {tokens} tokens");
            }
        }
        Work::Continuation(one) | Work::Rolling(one) => {
            let tokens = count(&format!("{prompt}{one}"))?.saturating_sub(count(prompt)?);
            let _ = writeln!(text, "scored: {one:?}, {tokens} tokens");
        }
        Work::Generate { targets, .. } => {
            let _ = writeln!(text, "right: {targets:?}");
            if let (Output::Generate, Some(generate)) = (task.output, &task.generate) {
                let _ = writeln!(
                    text,
                    "at most {} tokens, up to one of {:?}",
                    generate.max_tokens, generate.stop
                );
            }
        }
    }
    Ok(text)
}

/// Compares two results.
pub fn compared(a: &Path, b: &Path, json: bool) -> Result<Exit, Failure> {
    let differences = compare(a, b).map_err(fatal)?;
    match json {
        true => out(&format!("{}\n", pretty(&differences)))?,
        false => out(&table::differences(&differences))?,
    }
    Ok(Exit::Success)
}

/// Looks for benchmarks that a model has seen.
pub fn contaminated(command: EvalCommand) -> Result<Exit, Failure> {
    let EvalCommand::Contamination {
        tasks,
        k,
        limit,
        out: directory,
        json,
        files,
        model,
        device,
        memory,
        talk,
    } = command
    else {
        return Ok(Exit::Error);
    };
    let known = all(files.task_files.as_deref()).map_err(fatal)?;
    let options = ContaminationOptions {
        model: model.model,
        tasks: choose(&known, &tasks).map_err(fatal)?,
        data: files.data,
        min_k: MinK {
            k,
            limit: limit.map(|limit| limit as usize),
        },
        device: device.device.unwrap_or(Device::Auto),
        dtype: Dtype::F32,
        memory: memory.memory,
    };
    use_threads(usize::from(device.threads.unwrap_or(0))).map_err(anyhow::Error::from)?;
    let watcher = Watcher::new(Talk::resolve(talk));
    let found = contamination(&options, &watcher);
    drop(watcher);
    let found = found.map_err(|error| Failure::Fatal(error.into()))?;
    if let Some(directory) = directory {
        found
            .write(&directory.join("contamination.json"))
            .map_err(fatal)?;
        plot(&directory.join("contamination.svg"), &found).map_err(fatal)?;
    }
    match json {
        true => out(&format!("{}\n", pretty(&found)))?,
        false => out(&table::contamination(&found))?,
    }
    Ok(Exit::Success)
}
