//! Doing a task.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use lmz_corpus::{Census, CorpusError, CorpusOptions, read_corpus};
use serde_json::{Value, json};

use super::command::{TEXT, command};
use super::plan::Plan;
use super::store::Store;
use super::task::{Task, TaskKind};
use crate::error::{Result, StudyError};

/// Bytes of what a command says that are kept.
const SAID: usize = 4_000;

/// What `lmz bpc` says of a journal that another engine or another version has begun.
const OTHER_SETTINGS: &str = "cannot be continued with other settings";

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done now.
    Now,
    /// Its result was there.
    Before,
    /// Another process is at it.
    Elsewhere,
}

/// Does a task, if nobody has. Killed, it leaves no result, and the next attempt goes on where
/// `lmz bpc`'s journal ends.
///
/// # Errors
/// The command cannot be run, fails, or answers with something that is no result (then this is
/// remembered in the store); a task that this one needs is not done; the file system.
pub fn run_task(plan: &Plan, task: &Task, device: &str) -> Result<Done> {
    let store = Store::new(&plan.directory);
    if store.is_done(&task.id) {
        return Ok(Done::Before);
    }
    let Some(lock) = store.take(&task.id)? else {
        return Ok(Done::Elsewhere);
    };
    // Between the first look and the lock another may have finished it.
    if store.is_done(&task.id) {
        return Ok(Done::Before);
    }
    let work = store.work(&task.id);
    std::fs::create_dir_all(&work).map_err(StudyError::io(&work))?;
    if let TaskKind::Merge { .. } = task.kind
        && let Some(part) = lay_out_parts(&store, task)?
    {
        return failed(&store, task, format!("part {part} is not done yet"));
    }
    let census = match &task.kind {
        TaskKind::Compress { corpus } => match lay_out_text(plan, corpus, &work.join(TEXT)) {
            Ok(census) => Some(census),
            Err(reason) => return failed(&store, task, reason),
        },
        _ => None,
    };
    let start = Instant::now();
    let line = command(plan, task, &work, device);
    let mut found = answer(task, &line, &store);
    if matches!(&found, Err(reason) if reason.contains(OTHER_SETTINGS)) {
        // A device with less memory, say, had begun it: what it scored is no part of this run.
        std::fs::remove_dir_all(&work).map_err(StudyError::io(&work))?;
        std::fs::create_dir_all(&work).map_err(StudyError::io(&work))?;
        found = answer(task, &line, &store);
    }
    let output = match found {
        Ok(Some(output)) => with_census(output, census, plan),
        Ok(None) => return Ok(Done::Elsewhere),
        Err(reason) => return failed(&store, task, reason),
    };
    store.write(task, line, start.elapsed().as_secs_f64(), output)?;
    drop(lock);
    Ok(Done::Now)
}

/// Remembers and tells why a task failed.
fn failed(store: &Store, task: &Task, reason: String) -> Result<Done> {
    store.fail(&task.id, &reason)?;
    Err(StudyError::Task {
        id: task.id.clone(),
        reason,
    })
}

/// The sums of the shards, each in a directory of its own, as `lmz bpc --merge` reads them. Gives
/// the first that is not done.
fn lay_out_parts<'a>(store: &Store, task: &'a Task) -> Result<Option<&'a str>> {
    for (number, id) in task.needs.iter().enumerate() {
        let Some(part) = store.read(id)? else {
            return Ok(Some(id));
        };
        let path = store.work(&task.id).join((number + 1).to_string());
        let sums = part.output["sums"].to_string();
        crate::files::write(&path.join("sums.json"), sums.as_bytes())?;
    }
    Ok(None)
}

/// The texts that `lmz bpc` scores of a corpus, one behind the other in a file.
fn lay_out_text(plan: &Plan, name: &str, to: &Path) -> std::result::Result<Census, String> {
    let corpora = &plan.config.corpora;
    let corpus = corpora.iter().find(|corpus| corpus.name == name);
    let corpus = corpus.ok_or_else(|| format!("there is no corpus {name}"))?;
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    let options = CorpusOptions {
        field: corpus.field.clone(),
        limit: corpus.limit,
    };
    let path = plan.directory.join(&corpus.path);
    let mut write = |text: &str| {
        let written = out.write_all(text.as_bytes());
        written.map_err(|error| CorpusError::Io {
            path: to.to_owned(),
            error,
        })
    };
    let census = read_corpus(&path, &options, &mut write).map_err(|error| error.to_string())?;
    out.flush().map_err(failed)?;
    Ok(census)
}

/// A file's size beside that of the text that it is made of.
fn with_census(mut output: Value, census: Option<Census>, plan: &Plan) -> Value {
    if let Some(census) = census {
        output["bytes"] = json!(census.bytes);
        output["documents"] = json!(census.documents);
        output["corpus"] = json!(census.hash);
        output["mix"] = json!(plan.config.compress.mix);
    }
    output
}

/// What the command answers, as a result's output; none if another process is at the same journal
/// (one that outlived whoever started it).
fn answer(
    task: &Task,
    line: &[String],
    store: &Store,
) -> std::result::Result<Option<Value>, String> {
    let ran = run(line, matches!(task.kind, TaskKind::Compress { .. }))?;
    if !ran.success {
        if ran.said.contains("is in use by another run") {
            return Ok(None);
        }
        return Err(match ran.said.trim() {
            "" => ran.status,
            said => format!("{}: {said}", ran.status),
        });
    }
    let sums = || -> std::result::Result<Value, String> {
        let path = store.work(&task.id).join("sums.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    };
    let printed = || -> std::result::Result<Value, String> {
        serde_json::from_slice(&ran.printed)
            .map_err(|error| format!("what {} printed is no JSON: {error}", line[0]))
    };
    Ok(Some(match &task.kind {
        TaskKind::Score { shards: 1, .. } | TaskKind::Merge { .. } => json!({
            "report": printed()?, "documents": documents(&sums()?)?,
        }),
        TaskKind::Score { .. } => json!({ "sums": sums()? }),
        TaskKind::Compress { .. } => {
            if ran.bytes == 0 {
                return Err("it wrote nothing".into());
            }
            json!({ "compressed_bytes": ran.bytes })
        }
        TaskKind::Evaluate { .. } => {
            let found = printed()?;
            crate::evaluation::Evaluation::parse(&found)?;
            found
        }
    }))
}

/// Characters and bits of each document, from the sums of a whole run.
fn documents(sums: &Value) -> std::result::Result<Value, String> {
    let bad = || "sums.json is not what `lmz bpc` writes".to_owned();
    let units = sums["units"].as_array().ok_or_else(bad)?;
    let mut figures: Vec<(u64, f64)> = units
        .iter()
        .map(|unit| Some((unit[2].as_u64()?, unit[3].as_f64()?)))
        .collect::<Option<_>>()
        .ok_or_else(bad)?;
    for piece in sums["pieces"].as_array().ok_or_else(bad)? {
        let unit = piece["u"]
            .as_u64()
            .and_then(|unit| usize::try_from(unit).ok());
        let nats = piece["nats"].as_f64().ok_or_else(bad)?;
        let figure = unit
            .and_then(|unit| figures.get_mut(unit))
            .ok_or_else(bad)?;
        figure.1 += nats / std::f64::consts::LN_2;
    }
    serde_json::to_value(figures).map_err(|error| error.to_string())
}

/// What a child process did.
struct Ran {
    success: bool,
    status: String,
    /// The end of its standard error.
    said: String,
    /// Its standard output, unless only its length was wanted.
    printed: Vec<u8>,
    bytes: u64,
}

fn run(line: &[String], count_only: bool) -> std::result::Result<Ran, String> {
    let mut child = Command::new(&line[0])
        .args(&line[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", line[0]))?;
    let error = child.stderr.take();
    let said = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut error) = error {
            // What was read before a failure is what there is.
            let _ = error.read_to_end(&mut bytes);
        }
        let end = bytes.len().saturating_sub(SAID);
        String::from_utf8_lossy(&bytes[end..]).into_owned()
    });
    let (mut printed, mut bytes) = (Vec::new(), 0);
    if let Some(mut out) = child.stdout.take() {
        let copied = match count_only {
            true => std::io::copy(&mut out, &mut std::io::sink()),
            false => std::io::copy(&mut out, &mut printed),
        };
        bytes = copied.map_err(|error| format!("{}: {error}", line[0]))?;
    }
    let status = child
        .wait()
        .map_err(|error| format!("{}: {error}", line[0]))?;
    Ok(Ran {
        success: status.success(),
        status: status.to_string(),
        said: said.join().unwrap_or_default(),
        printed,
        bytes,
    })
}
