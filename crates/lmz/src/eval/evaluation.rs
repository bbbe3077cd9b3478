//! Tasks one by one, from the options to the results.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lmz_eval::contamination::{MinK, all_scores};
use lmz_eval::data::DataDirectory;
use lmz_eval::metric::judged;
use lmz_eval::programs::outcomes;
use lmz_eval::prompt::{Prompted, Selection, items};
use lmz_eval::report::{Engine, Facts, MinKFigure, ModelFacts, Report, write_samples};
use lmz_eval::run::{Journal, RunIdentity, answer};
use lmz_eval::sandbox::Sandbox;
use lmz_eval::task::{Chosen, Task};
use lmz_eval::{Answered, EvalError, Progress, ReferenceAnswers};
use lmz_float::kernels::Products;
use lmz_float::{Device, Dtype, ScoringOptions};
use lmz_metric::MetricError;

use super::model::FloatLanguageModel;
use crate::scoring::{ScoredModel, ScoringError};
use crate::store::ModelStore;

/// Who answers.
#[derive(Clone, Debug)]
pub enum Answerer {
    /// A model: what [`ScoredModel::open`] takes.
    Model(Option<OsString>),
    /// The key.
    Reference(ReferenceAnswers),
}

/// What is asked of whom, and how.
#[derive(Clone, Debug)]
pub struct EvalOptions {
    /// Who answers.
    pub answerer: Answerer,
    /// The tasks.
    pub tasks: Vec<Chosen>,
    /// A directory with files of benchmarks.
    pub data: Option<PathBuf>,
    /// Which items, and how many examples before them.
    pub selection: Selection,
    /// Where the model runs.
    pub device: Device,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Bytes of memory that may be taken there.
    pub memory: Option<u64>,
    /// Rows that are scored together; chosen from the memory if nobody says.
    pub batch: Option<usize>,
    /// A directory for journals, results and samples.
    pub out: Option<PathBuf>,
    /// Go on with the run in that directory.
    pub resume: bool,
    /// Write every item's prompt and answers there.
    pub log_samples: bool,
    /// Whether programs that a model has written may be run, in a sandbox.
    pub allow_code_execution: bool,
    /// The Python that runs them, if not `python3` of the PATH.
    pub python: Option<PathBuf>,
    /// Score the task's splits by MIN-K%, too, with so many percent of the tokens.
    pub min_k: Option<f64>,
}

/// Follows the tasks.
pub trait EvalWatch: Progress {
    /// A task begins.
    fn begin(&self, task: &Task, items: usize);

    /// Something that a person should know.
    fn note(&self, text: &str);
}

/// Hears nothing and never stops.
impl EvalWatch for () {
    fn begin(&self, _: &Task, _: usize) {}

    fn note(&self, _: &str) {}
}

/// What came of the tasks.
#[derive(Debug, Default)]
pub struct Evaluated {
    /// Results, in the order of the tasks.
    pub reports: Vec<Report>,
    /// Tasks that were asked for by name and failed, and why.
    pub failed: Vec<(String, EvalError)>,
    /// Tasks of a group that cannot be run here, and why.
    pub skipped: Vec<(String, EvalError)>,
}

/// Runs tasks. One that fails does not stop the others.
///
/// # Errors
/// The model cannot be opened; `watch` stopped it.
pub fn evaluate(options: &EvalOptions, watch: &dyn EvalWatch) -> Result<Evaluated, ScoringError> {
    let mut runner = Runner::open(options, watch)?;
    let mut found = Evaluated::default();
    for chosen in &options.tasks {
        let name = chosen.task.name.clone();
        match runner.task(&chosen.task) {
            Ok(report) => found.reports.push(report),
            Err(EvalError::Cancelled) => return Err(EvalError::Cancelled.into()),
            Err(error @ (EvalError::Missing { .. } | EvalError::Sandbox(_))) if !chosen.by_name => {
                found.skipped.push((name, error));
            }
            Err(error) => found.failed.push((name, error)),
        }
    }
    Ok(found)
}

struct Runner<'a> {
    options: &'a EvalOptions,
    watch: &'a dyn EvalWatch,
    data: DataDirectory,
    model: Option<FloatLanguageModel>,
    facts: ModelFacts,
    engine: Option<Engine>,
    sandbox: Option<Result<Sandbox, String>>,
    notes: Vec<String>,
}

impl<'a> Runner<'a> {
    fn open(options: &'a EvalOptions, watch: &'a dyn EvalWatch) -> Result<Self, ScoringError> {
        let data = DataDirectory::new(options.data.as_deref());
        let mut runner = Self {
            options,
            watch,
            data,
            model: None,
            facts: reference_facts(),
            engine: None,
            sandbox: None,
            notes: Vec::new(),
        };
        if let Answerer::Model(asked) = &options.answerer {
            let model = ScoredModel::open(&ModelStore::from_env(), asked.as_deref())?;
            runner.facts = ModelFacts {
                name: model.name.clone(),
                kind: model.identity.kind.clone(),
                hash: model.identity.hash.clone(),
                tokenizer_hash: model.identity.tokenizer_hash.clone(),
            };
            runner.notes = model.tokenizer.notices();
            let opened = FloatLanguageModel::open(model, scoring(options))?;
            runner.notes.extend(opened.notice().map(str::to_owned));
            let dtype = options.dtype;
            runner.engine = Some(Engine {
                device: opened.description().replacen(&format!(", {dtype}"), "", 1),
                dtype: dtype.to_string(),
            });
            runner.model = Some(opened);
        }
        for note in &runner.notes {
            watch.note(note);
        }
        Ok(runner)
    }

    fn task(&mut self, task: &Task) -> Result<Report, EvalError> {
        let start = Instant::now();
        let prompted = items(task, &self.data, self.options.selection)?;
        // Before any answer is paid for.
        if task.program.is_some() {
            self.open_sandbox(task)?;
        }
        self.watch.begin(task, prompted.items.len());
        let files = self
            .options
            .out
            .as_deref()
            .map(|out| Files::new(out, &task.name));
        if let Some(files) = &files {
            if let Some(report) = self.done(task, &prompted, files)? {
                return Ok(report);
            }
            std::fs::create_dir_all(&files.directory).map_err(|error| EvalError::Io {
                path: files.directory.clone(),
                error,
            })?;
        }
        let answers = self.answers(task, &prompted, files.as_ref())?;
        let sandbox = self
            .sandbox
            .as_ref()
            .and_then(|sandbox| sandbox.as_ref().ok());
        let ran = outcomes(task, &prompted.items, &answers, sandbox, self.watch)?;
        let each = prompted.items.iter().zip(&answers).enumerate();
        let judged: Vec<_> = each
            .map(|(i, (item, answered))| {
                let outcome = ran.as_ref().and_then(|ran| ran.get(i));
                judged(task, item, answered, outcome)
            })
            .collect();
        let (min_k, missing) = self.min_k(task)?;
        let mut notes = self.notes.clone();
        notes.extend(missing);
        let report = Report::new(Facts {
            task,
            prompted: &prompted,
            answers: &answers,
            judged: &judged,
            model: self.facts.clone(),
            min_k,
            engine: self.engine.clone(),
            limit: self.options.selection.limit.map(|limit| limit as u64),
            seed: self.options.selection.seed,
            seconds: start.elapsed().as_secs_f64(),
            notes,
        });
        if let Some(files) = &files {
            if self.options.log_samples {
                write_samples(&files.samples, &prompted.items, &answers, &judged)?;
            }
            report.write(&files.result)?;
            // All that it holds is in the result.
            let removed = std::fs::remove_file(&files.journal);
            if let Err(error) = removed
                && error.kind() != std::io::ErrorKind::NotFound
            {
                self.watch
                    .note(&format!("{}: {error}", files.journal.display()));
            }
        }
        Ok(report)
    }

    fn answers(
        &mut self,
        task: &Task,
        prompted: &Prompted,
        files: Option<&Files>,
    ) -> Result<Vec<Answered>, EvalError> {
        let model = match (&self.options.answerer, &mut self.model) {
            (Answerer::Reference(reference), _) => return Ok(reference.answer(&prompted.items)),
            (_, Some(model)) => model,
            (_, None) => return Err(EvalError::InvalidArgument("there is no model".into())),
        };
        let mut journal = match files {
            None => None,
            Some(files) => {
                let engine = self
                    .engine
                    .as_ref()
                    .map(|engine| format!("{}, {}", engine.device, engine.dtype));
                let identity = RunIdentity {
                    lmz: env!("CARGO_PKG_VERSION").into(),
                    model: self.facts.hash.clone(),
                    tokenizer: self.facts.tokenizer_hash.clone(),
                    engine: engine.unwrap_or_default(),
                    task: format!("{} {}", task.name, task.version),
                    prompts: prompted.hash.clone(),
                };
                Some(Journal::open(
                    &files.journal,
                    identity,
                    self.options.resume,
                )?)
            }
        };
        answer(model, task, &prompted.items, journal.as_mut(), self.watch)
    }

    /// The MIN-K% scores of a task's splits, and what is not there of them.
    fn min_k(&mut self, task: &Task) -> Result<(Vec<MinKFigure>, Vec<String>), EvalError> {
        let (Some(k), Some(model)) = (self.options.min_k, &mut self.model) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let settings = MinK {
            k,
            limit: self.options.selection.limit,
        };
        let (scores, missing) = all_scores(model, task, &self.data, settings, self.watch)?;
        let missing = missing.into_iter().map(|text| format!("MIN-K%: {text}"));
        Ok((
            scores.iter().map(MinKFigure::from).collect(),
            missing.collect(),
        ))
    }

    /// The result that an earlier run has left, if it is of the same.
    fn done(
        &self,
        task: &Task,
        prompted: &Prompted,
        files: &Files,
    ) -> Result<Option<Report>, EvalError> {
        if !files.result.exists() {
            return Ok(None);
        }
        if !self.options.resume {
            let path = files.directory.clone();
            return Err(MetricError::Exists { path }.into());
        }
        let report = Report::read(&files.result)?;
        let mut differences = Vec::new();
        let mut compare = |name: &str, was: &str, is: &str| {
            if was != is {
                differences.push(format!("{name} was {was:?}, and is {is:?}"));
            }
        };
        compare("the model", &report.model.hash, &self.facts.hash);
        compare("the task's version", &report.task.version, &task.version);
        compare("the prompts' hash", &report.task.prompts, &prompted.hash);
        let engine = |engine: &Option<Engine>| {
            engine.as_ref().map_or(String::new(), |engine| {
                format!("{}, {}", engine.device, engine.dtype)
            })
        };
        let k = |k: Option<f64>| k.map_or("not asked for".to_owned(), |k| k.to_string());
        let had = report.min_k.first().map(|score| score.k);
        compare("MIN-K%", &k(had), &k(self.options.min_k));
        compare("the engine", &engine(&report.engine), &engine(&self.engine));
        match differences.is_empty() {
            true => Ok(Some(report)),
            false => Err(MetricError::Different {
                path: files.result.clone(),
                differences,
            }
            .into()),
        }
    }

    fn open_sandbox(&mut self, task: &Task) -> Result<(), EvalError> {
        if !self.options.allow_code_execution {
            return Err(EvalError::Sandbox(format!(
                "{}: it runs programs that the model has written; --allow-code-execution allows it, in a sandbox",
                task.name
            )));
        }
        let opened = self.sandbox.get_or_insert_with(|| {
            let python = self.options.python.as_deref();
            Sandbox::open(python).map_err(|error| error.to_string())
        });
        match opened {
            Ok(_) => Ok(()),
            Err(reason) => Err(EvalError::Sandbox(format!("{}: {reason}", task.name))),
        }
    }
}

fn scoring(options: &EvalOptions) -> ScoringOptions {
    ScoringOptions {
        device: options.device,
        dtype: options.dtype,
        memory_budget: options.memory,
        batch: options.batch,
        // An answer's log-likelihood is a sum over many tokens, and is compared with other programs'.
        products: Products::Double,
        ..ScoringOptions::default()
    }
}

fn reference_facts() -> ModelFacts {
    ModelFacts {
        name: "answers from the key".into(),
        kind: "reference".into(),
        hash: String::new(),
        tokenizer_hash: String::new(),
    }
}

/// Files of a task in the directory of a run.
struct Files {
    directory: PathBuf,
    result: PathBuf,
    samples: PathBuf,
    journal: PathBuf,
}

impl Files {
    fn new(directory: &Path, task: &str) -> Self {
        let file = |end: &str| directory.join(format!("{task}.{end}"));
        Self {
            directory: directory.to_owned(),
            result: file("json"),
            samples: file("samples.jsonl"),
            journal: file("journal.jsonl"),
        }
    }
}
