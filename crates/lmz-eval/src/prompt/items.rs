//! The items of a task: each question, with what comes before it and what is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use lmz_metric::SplitMix64;
use serde_json::Value;

use crate::data::{DataDirectory, Split};
use crate::error::{EvalError, Result};
use crate::task::{Output, Sampler, Task, templates};
use crate::template::{Document, Templates};

/// What a model is shown: a description, examples, a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What comes first.
    pub description: String,
    /// Examples, each with what stands behind it.
    pub shots: Arc<Vec<String>>,
    /// The question itself.
    pub question: String,
}

impl Question {
    /// All of it, but for the first `dropped` examples.
    pub fn text(&self, dropped: usize) -> String {
        let shots = self.shots.iter().skip(dropped).map(String::as_str);
        let start = std::iter::once(self.description.as_str());
        start.chain(shots).chain([self.question.as_str()]).collect()
    }
}

/// What is asked about a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// How likely each of these is.
    Choices {
        /// The choices, as the task has them.
        choices: Vec<String>,
        /// What is scored: the choices behind the delimiter.
        continuations: Vec<String>,
        /// Which one is right.
        gold: usize,
    },
    /// How likely this is, and whether the model would say it.
    Continuation(String),
    /// How likely this whole text is.
    Rolling(String),
    /// A text.
    Generate {
        /// Right answers.
        targets: Vec<String>,
        /// What a model would write that knows the answer.
        reference: String,
    },
}

/// A question of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its number in its split, from 0.
    pub index: usize,
    /// The document.
    pub document: Document,
    /// What it belongs to, where figures are broken down.
    pub group: Option<String>,
    /// What a model is shown.
    pub question: Question,
    /// What is asked.
    pub work: Work,
}

/// The items of a task, and where they are from.
#[derive(Clone, Debug)]
pub struct Prompted {
    /// The items.
    pub items: Vec<Item>,
    /// How many examples stand before each.
    pub shots: usize,
    /// BLAKE3 of the files' contents: of those that are scored, then of those that examples are from.
    pub data: Vec<String>,
    /// Where the data are from.
    pub origins: Vec<String>,
    /// BLAKE3 of every prompt and what is asked about it.
    pub hash: String,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// Which items, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection {
    /// Examples before each question, if not as many as the task says.
    pub shots: Option<usize>,
    /// At most so many items of each group, the first ones.
    pub limit: Option<usize>,
    /// What examples are drawn by.
    pub seed: u64,
}

/// Makes the items of a task.
///
/// # Errors
/// Files are missing, or hold something else than the task says.
pub fn items(task: &Task, data: &DataDirectory, selection: Selection) -> Result<Prompted> {
    let templates = templates(task).map_err(|reason| EvalError::Task {
        file: task.name.clone(),
        reason,
    })?;
    let Some(split) = data.split(task, &templates, "test")? else {
        return Err(EvalError::Task {
            file: task.name.clone(),
            reason: "it has no split \"test\"".into(),
        });
    };
    let maker = Maker {
        task,
        templates: &templates,
        origin: &split.origin,
    };
    let wanted = selection.shots.unwrap_or(task.fewshot.count);
    let mut notes: Vec<String> = task.notes.clone();
    if let Some(part) = &split.part {
        notes.push(format!("scored on {part}"));
    }
    let pool = maker.pool(data, &split, wanted, &mut notes)?;
    let mut prompted = Prompted {
        items: Vec::new(),
        shots: wanted,
        data: vec![split.hash.clone()],
        origins: vec![split.origin.clone()],
        hash: String::new(),
        notes,
    };
    prompted.data.extend(pool.hash.clone());
    prompted.origins.extend(pool.origin.clone());
    let mut hash = blake3::Hasher::new();
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    let mut drawn: BTreeMap<Option<String>, Vec<Example>> = BTreeMap::new();
    for (index, document) in split.documents.iter().enumerate() {
        let group = task
            .breakdown
            .as_deref()
            .map(|field| plain(document.get(field)));
        let count = counts.entry(group.clone()).or_default();
        if selection.limit.is_some_and(|limit| *count >= limit) {
            continue;
        }
        *count += 1;
        let by = task
            .fewshot
            .by
            .as_deref()
            .map(|field| plain(document.get(field)));
        if !drawn.contains_key(&by) {
            let examples = maker.examples(&pool, by.as_deref(), wanted, selection.seed)?;
            drawn.insert(by.clone(), examples);
        }
        let examples = &drawn[&by];
        let item = maker.item(index, document, group, examples, wanted)?;
        absorb(&mut hash, &item);
        prompted.items.push(item);
    }
    if prompted.items.is_empty() {
        return Err(EvalError::File {
            file: split.origin,
            reason: "it holds no item".into(),
        });
    }
    prompted.hash = hash.finalize().to_hex().to_string();
    Ok(prompted)
}

/// A document's question and answer, as an example before another question shows them.
///
/// # Errors
/// A field is missing.
pub fn example(
    task: &Task,
    templates: &Templates,
    document: &Document,
) -> std::result::Result<String, String> {
    let maker = Maker {
        task,
        templates,
        origin: "",
    };
    maker.shown(document)
}

/// A value as a name.
fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn absorb(hash: &mut blake3::Hasher, item: &Item) {
    let mut text = |text: &str| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    text(&item.question.text(0));
    match &item.work {
        Work::Choices { continuations, .. } => continuations.iter().for_each(|one| text(one)),
        Work::Continuation(one) | Work::Rolling(one) => text(one),
        Work::Generate { targets, .. } => targets.iter().for_each(|one| text(one)),
    }
}

/// Documents that examples are taken from.
struct Pool {
    documents: Vec<Document>,
    /// Whether they are those that are scored.
    own: bool,
    origin: Option<String>,
    hash: Option<String>,
}

/// An example: its text, and its number in the split that is scored, if it is from there.
struct Example {
    text: String,
    own: Option<usize>,
}

struct Maker<'a> {
    task: &'a Task,
    templates: &'a Templates,
    origin: &'a str,
}

impl Maker<'_> {
    fn wrong(&self, index: usize) -> impl Fn(String) -> EvalError + '_ {
        move |reason| EvalError::Data {
            file: self.origin.to_owned(),
            record: index as u64 + 1,
            reason,
        }
    }

    fn pool(
        &self,
        data: &DataDirectory,
        test: &Split,
        wanted: usize,
        notes: &mut Vec<String>,
    ) -> Result<Pool> {
        let fewshot = &self.task.fewshot;
        let none = Pool {
            documents: Vec::new(),
            own: false,
            origin: None,
            hash: None,
        };
        if wanted == 0 {
            return Ok(none);
        }
        if !fewshot.example.is_empty() {
            let documents = fewshot.example.iter().map(|table| {
                let json = serde_json::to_value(table).unwrap_or_default();
                json.as_object().cloned().unwrap_or_default()
            });
            return Ok(Pool {
                documents: documents.collect(),
                ..none
            });
        }
        let mut missing = None;
        for name in &fewshot.split {
            if name == "test" {
                if missing.is_some() {
                    notes.push(
                        "its training file is not there: examples are from the split that is scored, never the question \
                         itself"
                            .into(),
                    );
                }
                return Ok(Pool {
                    documents: test.documents.clone(),
                    own: true,
                    ..none
                });
            }
            match data.split(self.task, self.templates, name) {
                Ok(Some(split)) => {
                    return Ok(Pool {
                        documents: split.documents,
                        own: false,
                        origin: Some(split.origin),
                        hash: Some(split.hash),
                    });
                }
                Ok(None) => {}
                Err(error @ EvalError::Missing { .. }) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(missing.unwrap_or_else(|| EvalError::Task {
            file: self.task.name.clone(),
            reason: "fewshot.split names no split that it has".into(),
        }))
    }

    /// The examples before each question of a group, and one more where a question may be among them.
    fn examples(
        &self,
        pool: &Pool,
        by: Option<&str>,
        wanted: usize,
        seed: u64,
    ) -> Result<Vec<Example>> {
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let fits = |document: &Document| match (by, &self.task.fewshot.by) {
            (Some(by), Some(field)) => plain(document.get(field)) == by,
            _ => true,
        };
        let all = pool.documents.iter().enumerate();
        let mut candidates: Vec<(usize, &Document)> =
            all.filter(|(_, document)| fits(document)).collect();
        if self.task.fewshot.sampler == Sampler::Random {
            // Fisher and Yates, from the front.
            let mut chance = SplitMix64::new(seed);
            for place in 0..candidates.len().min(wanted + 1) {
                let other = place + chance.below(candidates.len() - place);
                candidates.swap(place, other);
            }
        }
        candidates.truncate(wanted + usize::from(pool.own));
        if candidates.len() < wanted {
            return Err(EvalError::InvalidArgument(format!(
                "{}: {wanted} examples are wanted, and there are {}{}",
                self.task.name,
                candidates.len(),
                by.map_or(String::new(), |by| format!(" of {by}"))
            )));
        }
        let each = candidates.into_iter().map(|(index, document)| {
            let shown = self.shown(document).map_err(self.wrong(index))?;
            Ok(Example {
                text: format!("{shown}{}", self.task.fewshot.separator),
                own: pool.own.then_some(index),
            })
        });
        each.collect()
    }

    fn item(
        &self,
        index: usize,
        document: &Document,
        group: Option<String>,
        examples: &[Example],
        wanted: usize,
    ) -> Result<Item> {
        let wrong = self.wrong(index);
        let others = examples.iter().filter(|example| example.own != Some(index));
        let shots: Vec<String> = others
            .take(wanted)
            .map(|example| example.text.clone())
            .collect();
        let question = Question {
            description: self
                .templates
                .render("description", document)
                .map_err(&wrong)?,
            shots: Arc::new(shots),
            question: self.templates.render("context", document).map_err(&wrong)?,
        };
        Ok(Item {
            index,
            group,
            question,
            work: self.work(document).map_err(&wrong)?,
            document: document.clone(),
        })
    }

    fn work(&self, document: &Document) -> std::result::Result<Work, String> {
        let delimiter = &self.task.prompt.delimiter;
        Ok(match self.task.output {
            Output::MultipleChoice => {
                let choices = self.choices(document)?;
                let gold = self.gold(document, choices.len())?;
                let continuations = choices.iter().map(|choice| format!("{delimiter}{choice}"));
                Work::Choices {
                    continuations: continuations.collect(),
                    choices,
                    gold,
                }
            }
            Output::Loglikelihood => {
                let target = self.answer(document)?;
                Work::Continuation(format!("{delimiter}{target}"))
            }
            Output::Rolling => Work::Rolling(self.answer(document)?),
            Output::Generate => {
                let targets = self.targets(document)?;
                let reference = match &self.task.prompt.reference {
                    Some(_) => self.templates.render("reference", document)?,
                    None => format!("{delimiter}{}", targets[0]),
                };
                Work::Generate { targets, reference }
            }
        })
    }

    /// A document's question and answer, as an example shows them.
    fn shown(&self, document: &Document) -> std::result::Result<String, String> {
        let context = self.templates.render("context", document)?;
        let target = match &self.task.prompt.shot {
            Some(_) => self.templates.render("shot", document)?,
            None => self.answer(document)?,
        };
        Ok(format!("{context}{}{target}", self.task.prompt.delimiter))
    }

    /// The right answer, as an example shows it.
    fn answer(&self, document: &Document) -> std::result::Result<String, String> {
        if self.task.prompt.target.is_some() {
            let targets = self.targets(document)?;
            return Ok(targets.into_iter().next().unwrap_or_default());
        }
        let mut choices = self.choices(document)?;
        let gold = self.gold(document, choices.len())?;
        Ok(choices.swap_remove(gold))
    }

    fn targets(&self, document: &Document) -> std::result::Result<Vec<String>, String> {
        let expression = self.task.prompt.target.as_deref().unwrap_or_default();
        let targets = match self
            .templates
            .value("prompt.target", expression, document)?
        {
            Value::Array(all) => all.iter().map(|one| plain(Some(one))).collect(),
            one => vec![plain(Some(&one))],
        };
        match targets.is_empty() {
            true => Err("prompt.target: it has no answer".into()),
            false => Ok(targets),
        }
    }

    fn choices(&self, document: &Document) -> std::result::Result<Vec<String>, String> {
        let expression = self.task.prompt.choices.as_deref().unwrap_or_default();
        let Value::Array(all) = self
            .templates
            .value("prompt.choices", expression, document)?
        else {
            return Err("prompt.choices: no list".into());
        };
        let choices: Vec<String> = all.iter().map(|one| plain(Some(one))).collect();
        match choices.iter().any(String::is_empty) || choices.is_empty() {
            true => Err("prompt.choices: an empty list, or an empty choice".into()),
            false => Ok(choices),
        }
    }

    fn gold(&self, document: &Document, choices: usize) -> std::result::Result<usize, String> {
        let expression = self.task.prompt.gold.as_deref().unwrap_or_default();
        let value = self.templates.value("prompt.gold", expression, document)?;
        let number = match &value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(gold) if gold < choices => Ok(gold),
            _ => Err(format!(
                "prompt.gold is {value}, and there are {choices} choices"
            )),
        }
    }
}
