//! The result of a model in a task, and the answers that it is made of.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{EvalError, Result};
use crate::metric::{Figure, Judged, figures, is_share};
use crate::prompt::{Item, Prompted, Work};
use crate::record::{Answer, Answered};
use crate::task::Task;

/// Version of the result's form.
const VERSION: u32 = 1;

/// One model in one task. What `lmz study` reads of it is what [docs/study.md] says.
///
/// [docs/study.md]: https://github.com/lmz-project/lmz/blob/main/docs/study.md
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the program.
    pub lmz: String,
    /// Version of this form.
    pub eval: u32,
    /// Which model it is.
    pub model: ModelFacts,
    /// Which task it is.
    pub task: TaskFacts,
    /// Metrics between 0 and 1.
    pub metrics: Vec<Figure>,
    /// Metrics that are not.
    #[serde(default)]
    pub measures: Vec<Figure>,
    /// The metrics of each subject or paradigm.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<Figure>>,
    /// MIN-K% scores of the task's splits, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_k: Vec<MinKFigure>,
    /// What had to be left out.
    pub counts: Counts,
    /// What was run on.
    #[serde(default)]
    pub engine: Option<Engine>,
    /// Seconds that it took, those of an earlier run that was continued left out.
    pub seconds: f64,
    /// What a reader of the figures should know.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Which model it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// What people call it.
    pub name: String,
    /// `checkpoint`, `prepared`, or `reference` for answers from the key.
    pub kind: String,
    /// Hash of configuration and weights, as in the result of `lmz bpc`.
    pub hash: String,
    /// Hash of the tokenizer.
    #[serde(default)]
    pub tokenizer_hash: String,
}

/// Which task it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Examples before each question.
    pub shots: u32,
    /// The metric that a table shows.
    pub headline: String,
    /// Hashes of the files: of those that are scored, then of those that examples are from.
    pub data: Vec<String>,
    /// Where they are.
    pub origins: Vec<String>,
    /// Hash of all prompts and what is asked about them.
    pub prompts: String,
    /// At most so many items of each group were taken.
    #[serde(default)]
    pub limit: Option<u64>,
    /// What examples were drawn by.
    pub seed: u64,
}

/// The MIN-K% score of one split: [`contamination`](crate::contamination) has the whole distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinKFigure {
    /// Which split.
    pub split: String,
    /// Percent of the tokens that are taken.
    pub k: f64,
    /// Mean over examples, in nats.
    pub score: f64,
    /// Standard error of the mean.
    pub stderr: Option<f64>,
    /// Number of examples.
    pub n: u64,
}

/// Items, and what was not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Items that were asked.
    pub items: u64,
    /// Items before which examples were left out, for want of context.
    pub fewer_examples: u64,
    /// Items whose question was cut.
    pub cut: u64,
    /// Items whose program could not be run: they do not count.
    pub not_run: u64,
}

/// What was run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// The device.
    pub device: String,
    /// The number type.
    pub dtype: String,
}

/// What a report is made of.
pub struct Facts<'a> {
    /// The task.
    pub task: &'a Task,
    /// Its items.
    pub prompted: &'a Prompted,
    /// The answers.
    pub answers: &'a [Answered],
    /// What they are worth.
    pub judged: &'a [Judged],
    /// The model.
    pub model: ModelFacts,
    /// MIN-K% scores.
    pub min_k: Vec<MinKFigure>,
    /// The engine.
    pub engine: Option<Engine>,
    /// At most so many items of each group.
    pub limit: Option<u64>,
    /// What examples were drawn by.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Report {
    /// Adds all up.
    pub fn new(facts: Facts<'_>) -> Self {
        let Facts {
            task,
            prompted,
            answers,
            judged,
            ..
        } = facts;
        let counts = counts(answers, judged);
        let mut notes = prompted.notes.clone();
        notes.extend(facts.notes);
        if counts.fewer_examples > 0 {
            notes.push(format!(
                "{} prompts were longer than the model's context: their first examples are left out",
                counts.fewer_examples
            ));
        }
        if counts.cut > 0 {
            notes.push(format!(
                "{} questions are longer than the model's context: their beginning is cut",
                counts.cut
            ));
        }
        if counts.not_run > 0 {
            notes.push(format!(
                "{} programs could not be run, and do not count",
                counts.not_run
            ));
        }
        let all = figures(task, judged.iter());
        let (metrics, measures) = all.into_iter().partition(|figure| is_share(&figure.name));
        let mut members: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
        for (item, judged) in prompted.items.iter().zip(judged) {
            if let Some(group) = &item.group {
                members.entry(group).or_default().push(judged);
            }
        }
        let groups = members.into_iter().map(|(group, judged)| {
            let figures = figures(task, judged.into_iter());
            (group.to_owned(), figures)
        });
        Self {
            lmz: env!("CARGO_PKG_VERSION").into(),
            eval: VERSION,
            model: facts.model,
            task: TaskFacts {
                name: task.name.clone(),
                version: task.version.clone(),
                shots: prompted.shots as u32,
                headline: task.headline.clone(),
                data: prompted.data.clone(),
                origins: prompted.origins.clone(),
                prompts: prompted.hash.clone(),
                limit: facts.limit,
                seed: facts.seed,
            },
            metrics,
            measures,
            groups: groups.collect(),
            min_k: facts.min_k,
            counts,
            engine: facts.engine,
            seconds: facts.seconds,
            notes,
        }
    }

    /// Reads a result.
    ///
    /// # Errors
    /// There is none, or one of another version.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(EvalError::io(path))?;
        let wrong = |reason: String| EvalError::File {
            file: path.display().to_string(),
            reason,
        };
        let json: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match json["eval"].as_u64() {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(wrong(format!(
                    "a result of version {version}; this build reads {VERSION}"
                )));
            }
            None => return Err(wrong("no result of lmz eval".into())),
        }
        serde_json::from_value(json).map_err(|error| wrong(error.to_string()))
    }

    /// Writes it under its final name, whole or not at all.
    ///
    /// # Errors
    /// The file system.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        write_whole(path, format!("{text}\n").as_bytes())
    }

    /// The metric that a table shows.
    pub fn headline(&self) -> Option<&Figure> {
        let mut all = self.metrics.iter().chain(&self.measures);
        all.find(|figure| figure.name == self.task.headline)
    }
}

fn counts(answers: &[Answered], judged: &[Judged]) -> Counts {
    let count =
        |yes: &dyn Fn(&Answered) -> bool| answers.iter().filter(|one| yes(one)).count() as u64;
    let not_run = judged
        .iter()
        .filter(|one| one.values.values().any(Option::is_none));
    Counts {
        items: answers.len() as u64,
        fewer_examples: count(&|one| one.dropped > 0),
        cut: count(&|one| one.cut),
        not_run: not_run.count() as u64,
    }
}

/// Writes a file that has its name once it is whole.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let io = EvalError::io(path);
    std::fs::create_dir_all(directory).map_err(&io)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".eval.").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's mask takes its part of these away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory).map_err(&io)?;
    file.write_all(bytes).map_err(&io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Writes every item's prompt, answers and worth, a JSON object a line.
///
/// # Errors
/// The file system.
pub fn write_samples(
    path: &Path,
    items: &[Item],
    answers: &[Answered],
    judged: &[Judged],
) -> Result<()> {
    let mut text = String::new();
    for ((item, answered), judged) in items.iter().zip(answers).zip(judged) {
        text.push_str(&sample(item, answered, judged).to_string());
        text.push('\n');
    }
    write_whole(path, text.as_bytes())
}

/// An item as a line of samples has it.
pub fn sample(item: &Item, answered: &Answered, judged: &Judged) -> Value {
    let mut line = json!({
        "index": item.index,
        "prompt": item.question.text(answered.dropped),
        "values": judged.values.iter().map(|(name, value)| {
            (name.clone(), value.map_or(Value::Null, |(x, y)| json!(x / y)))
        }).collect::<serde_json::Map<_, _>>(),
        "answers": judged.answers,
    });
    let mut put = |name: &str, value: Value| {
        line[name] = value;
    };
    if let Some(group) = &item.group {
        put("group", json!(group));
    }
    if answered.dropped > 0 {
        put("examples_left_out", json!(answered.dropped));
    }
    if answered.cut {
        put("cut", json!(true));
    }
    match &item.work {
        Work::Choices {
            continuations,
            gold,
            ..
        } => {
            put("continuations", json!(continuations));
            put("gold", json!(gold));
        }
        Work::Continuation(one) | Work::Rolling(one) => put("continuations", json!([one])),
        Work::Generate { targets, .. } => put("targets", json!(targets)),
    }
    match &answered.answer {
        Answer::Likelihoods(all) => {
            put(
                "logs",
                json!(all.iter().map(|one| one.log).collect::<Vec<f64>>()),
            );
            if all.iter().any(|one| one.greedy) {
                put(
                    "greedy",
                    json!(all.iter().map(|one| one.greedy).collect::<Vec<bool>>()),
                );
            }
        }
        Answer::Text(written) => {
            put("text", json!(written.text));
            put("tokens", json!(written.ids));
        }
    }
    line
}
