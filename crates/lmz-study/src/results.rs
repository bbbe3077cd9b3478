//! A study's figures from the results of its tasks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::analysis::{DocumentCost, MinK, abnormal, corpus_sizes, resampling_spread, study};
use crate::config::StudyConfig;
use crate::dataset::{
    Area, Benchmark, Corpus, Dataset, Fact, LeaveOut, Measure, Metric, Model, Question, Score,
    Target, Why,
};
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::report::{BenchmarkExclusion, Report, SizeFigure, SpreadRow, report};
use crate::tasks::{Plan, Store, TaskKind};

/// Samples for each size of a corpus.
const SAMPLES: usize = 40;
/// Parts whose figures are compared.
const PARTS: usize = 3;

/// The report of what is done of a study. What is not done is a missing figure, and the report says so.
///
/// # Errors
/// A result cannot be read, or is not what its task gives.
pub fn gather(plan: &Plan) -> Result<Report> {
    let mut found = Found::new(&plan.config);
    let store = Store::new(&plan.directory);
    let mut missing = 0usize;
    for task in &plan.tasks {
        let Some(result) = store.read(&task.id)? else {
            missing += 1;
            let failure = store.failure(&task.id);
            let why = failure.map_or("not done".into(), |f| {
                format!("failed: {}", last_line(&f.reason))
            });
            found.data.notes.push(format!("{}: {why}", task.title()));
            continue;
        };
        // Models that are the same have one task.
        let Some(m) = found.data.model(&task.model) else {
            continue;
        };
        match &task.kind {
            TaskKind::Score {
                corpus, shards: 1, ..
            }
            | TaskKind::Merge { corpus } => {
                found.score(m, corpus, &result.output);
            }
            TaskKind::Score { .. } => {}
            TaskKind::Compress { corpus } => found.compressed(m, corpus, &result.output),
            TaskKind::Evaluate { benchmark } => {
                found.evaluated(m, benchmark, &result.output, &plan.config);
            }
        }
    }
    if missing > 0 {
        let all = plan.tasks.len();
        let note = format!("{missing} of {all} tasks are not done: their figures are missing");
        found.data.notes.insert(0, note);
    }
    Ok(found.report())
}

/// What is read so far.
struct Found {
    data: Dataset,
    /// Costs of documents by model and corpus.
    documents: Vec<Vec<Vec<DocumentCost>>>,
    /// MIN-K% scores by benchmark and split: model and score.
    min_k: BTreeMap<(String, String), Vec<(usize, f64)>>,
    /// Values of the methods section that may differ between results.
    seen: BTreeMap<&'static str, Vec<String>>,
    /// The hash of each model, as results have it.
    hashes: Vec<Vec<String>>,
    /// The hash of each corpus, as scores and files have it.
    texts: Vec<Vec<String>>,
}

impl Found {
    fn new(config: &StudyConfig) -> Self {
        let data = dataset(config);
        let (models, corpora) = (data.models.len(), data.corpora.len());
        Self {
            data,
            documents: vec![vec![Vec::new(); corpora]; models],
            min_k: BTreeMap::new(),
            seen: BTreeMap::new(),
            hashes: vec![Vec::new(); models],
            texts: vec![Vec::new(); corpora],
        }
    }

    fn score(&mut self, m: usize, corpus: &str, output: &Value) {
        let Some(c) = self.data.corpus(corpus) else {
            return;
        };
        let report = &output["report"];
        let figures = &report["figures"];
        let interval = &figures["interval"];
        let measure = self.data.compression[m][c].get_or_insert_default();
        measure.bits_per_character = figures["bits_per_character"].as_f64();
        measure.bits_per_byte = figures["bits_per_byte"].as_f64();
        measure.bits_per_token = figures["bits_per_token"].as_f64();
        measure.interval = interval["low"].as_f64().zip(interval["high"].as_f64());
        self.data.corpora[c].characters = report["corpus"]["characters"].as_u64();
        let documents = output["documents"].as_array().into_iter().flatten();
        self.documents[m][c] = documents
            .filter_map(|document| {
                Some(DocumentCost {
                    characters: document[0].as_u64()?,
                    bits: document[1].as_f64()?,
                })
            })
            .collect();
        self.see("Program", format!("lmz {}", text(&report["lmz"])));
        let engine = &report["engine"];
        self.see(
            "Devices",
            format!("{}, {}", text(&engine["device"]), text(&engine["dtype"])),
        );
        let protocol = &report["protocol"];
        self.see(
            "Protocol",
            format!(
                "{}, window {}, stride {}",
                text(&protocol["name"]),
                text(&protocol["window"]),
                text(&protocol["stride"])
            ),
        );
        let of = &report["corpus"];
        self.same_text(c, &of["hash"]);
        self.data.models[m].counted = report["provenance"]["weights"].as_u64();
        let short = |hash: &Value| text(hash).chars().take(16).collect::<String>();
        self.see(
            "Corpora",
            format!(
                "{}: {} characters, {} documents, {}",
                self.data.corpora[c].title,
                text(&of["characters"]),
                text(&of["documents"]),
                short(&of["hash"])
            ),
        );
        let hash = text(&report["model"]["hash"]);
        self.identity(m, hash);
        for note in report["notes"].as_array().into_iter().flatten() {
            let model = &self.data.models[m].title;
            self.data
                .notes
                .push(format!("{model} on {corpus}: {}", text(note)));
        }
    }

    fn compressed(&mut self, m: usize, corpus: &str, output: &Value) {
        if let Some(c) = self.data.corpus(corpus) {
            let measure = self.data.compression[m][c].get_or_insert_default();
            measure.compressed_bytes = output["compressed_bytes"].as_u64();
            measure.bytes = output["bytes"].as_u64();
            self.same_text(c, &output["corpus"]);
            let how = match output["mix"].as_str() {
                Some("none") => "by the model alone (`--mix none`), the whole file with its header",
                _ => "with what is learnt while coding, the whole file with its header",
            };
            self.see("Compressed bytes", how.into());
        }
    }

    /// A figure and a file of one corpus must be of the same text.
    fn same_text(&mut self, c: usize, hash: &Value) {
        let (hash, texts) = (text(hash), &mut self.texts[c]);
        if !hash.is_empty() && !texts.contains(&hash) {
            texts.push(hash);
            if texts.len() == 2 {
                let corpus = &self.data.corpora[c].title;
                let note = format!("{corpus}: results are of different texts");
                self.data.notes.push(note);
            }
        }
    }

    fn evaluated(&mut self, m: usize, name: &str, output: &Value, config: &StudyConfig) {
        let wanted = config.benchmarks.iter().find(|one| one.name == name);
        let (Some(b), Some(wanted)) = (self.data.benchmark(name), wanted) else {
            return;
        };
        // It was checked before it was stored.
        let Ok(found) = Evaluation::parse(output) else {
            return;
        };
        let task = &found.task;
        self.see(
            "Benchmarks",
            format!("{} {}, {} shots", task.name, task.version, task.shots),
        );
        match found
            .metrics
            .iter()
            .find(|metric| metric.name == wanted.metric)
        {
            Some(metric) => {
                self.data.scores[m][b] = Some(Score {
                    value: metric.value,
                    stderr: metric.stderr,
                    n: Some(metric.n),
                });
            }
            None => {
                let names: Vec<&str> = found.metrics.iter().map(|m| m.name.as_str()).collect();
                let model = &self.data.models[m].title;
                self.data.notes.push(format!(
                    "{model} in {name}: there is no metric {}, but {}",
                    wanted.metric,
                    names.join(", ")
                ));
            }
        }
        self.identity(m, found.model.hash.clone());
        for score in &found.min_k {
            let key = (name.to_owned(), score.split.clone());
            self.min_k.entry(key).or_default().push((m, score.score));
        }
        let model = &self.data.models[m].title;
        let notes = found.notes.iter();
        self.data
            .notes
            .extend(notes.map(|note| format!("{model} in {name}: {note}")));
    }

    fn see(&mut self, name: &'static str, value: String) {
        let values = self.seen.entry(name).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// Corpora and benchmarks must have been seen by the same model.
    fn identity(&mut self, m: usize, hash: String) {
        if !hash.is_empty() && !self.hashes[m].contains(&hash) {
            self.hashes[m].push(hash);
        }
        if self.hashes[m].len() == 2 {
            let model = &self.data.models[m].title;
            let note = format!("{model}: its results are of different weights");
            if !self.data.notes.contains(&note) {
                self.data.notes.push(note);
            }
        }
    }

    fn report(mut self) -> Report {
        let exclusions = self.exclusions();
        self.parameters();
        for (name, values) in &self.seen {
            self.data.methods.push(Fact {
                name: (*name).into(),
                value: values.join("; "),
            });
        }
        let models = self.data.models.iter().zip(&self.hashes);
        let hashes = models.filter_map(|(model, hashes)| {
            let hash: String = hashes.first()?.chars().take(16).collect();
            Some(format!("{} {hash}", model.title))
        });
        let hashes: Vec<String> = hashes.collect();
        if !hashes.is_empty() {
            self.data.methods.push(Fact {
                name: "Models".into(),
                value: hashes.join("; "),
            });
        }
        let (sizes, spread) = (self.sizes(), self.spread());
        Report {
            sizes,
            spread,
            exclusions,
            ..report(study(self.data))
        }
    }

    /// Takes counted weights where the study states no number, and says which is which.
    fn parameters(&mut self) {
        let (mut stated, mut counted) = (Vec::new(), Vec::new());
        for model in &mut self.data.models {
            let title = model.title.clone();
            match (model.parameters, model.counted) {
                (Some(_), None) => stated.push(title),
                (Some(parameters), Some(count)) if parameters == count as f64 => {
                    stated.push(format!("{title} (as many in the file)"));
                }
                (Some(_), Some(count)) => {
                    stated.push(format!("{title} ({count} in the file)"));
                }
                (None, Some(count)) => {
                    model.parameters = Some(count as f64);
                    counted.push(title);
                }
                (None, None) => {}
            }
        }
        let list = |how: &str, titles: &[String]| match titles {
            [] => None,
            titles => Some(format!("{how}: {}", titles.join(", "))),
        };
        let counted = list("counted in the tensors of the file", &counted);
        let parts = [list("stated in study.toml", &stated), counted];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            self.data.methods.push(Fact {
                name: "Parameters".into(),
                value: parts.join("; "),
            });
        }
    }

    /// Applies the MIN-K% rule, and leaves out of an area who has seen one of its benchmarks.
    fn exclusions(&mut self) -> Vec<BenchmarkExclusion> {
        let mut all = Vec::new();
        for ((benchmark, split), scores) in &self.min_k {
            let target = Target::Benchmark(benchmark.clone());
            let Some(area) = target.area(&self.data).map(|area| area.name.clone()) else {
                continue;
            };
            let Some(a) = self.data.area(&area) else {
                continue;
            };
            let Some(c) = self.data.corpus(&self.data.areas[a].corpus) else {
                continue;
            };
            let rows = scores.iter().filter_map(|&(m, score)| {
                let measure = self.data.compression[m][c].as_ref()?;
                Some(MinK {
                    model: self.data.models[m].name.clone(),
                    compression: Metric::BitsPerCharacter.of(measure)?,
                    score,
                })
            });
            let rows: Vec<MinK> = rows.collect();
            let family = |row: &MinK| {
                let m = self.data.model(&row.model);
                m.map_or("", |m| self.data.models[m].family.as_str())
            };
            let families: Vec<&str> = rows.iter().map(family).collect();
            match abnormal(&rows, &families) {
                Ok(found) => all.extend(found.into_iter().map(|one| BenchmarkExclusion {
                    model: one.model,
                    benchmark: benchmark.clone(),
                    split: split.clone(),
                    score: one.score,
                    limit: one.limit,
                    excluded: one.excluded,
                })),
                Err(why) => self.data.notes.push(format!(
                    "The MIN-K% rule cannot be applied to {benchmark} ({split}): {why}"
                )),
            }
        }
        for out in all.iter().filter(|one| one.excluded) {
            let areas = self.data.areas.iter_mut();
            for area in areas.filter(|area| area.benchmarks.contains(&out.benchmark)) {
                if area.leave_out.iter().all(|one| one.model != out.model) {
                    area.leave_out.push(LeaveOut {
                        model: out.model.clone(),
                        reason: format!("abnormal MIN-K% score on {}", out.benchmark),
                        why: Why::Seen,
                    });
                }
            }
        }
        all
    }

    /// Correlation of each area by the size of its corpus, over the models of its fit.
    fn sizes(&self) -> Vec<SizeFigure> {
        let figure = |area: &Area| {
            let c = self.data.corpus(&area.corpus)?;
            let target = Target::Area(area.name.clone());
            let question = Question::new(
                &self.data,
                &[&area.corpus],
                Metric::BitsPerCharacter,
                target.clone(),
            );
            let left_out = |m: usize| {
                let name = &self.data.models[m].name;
                question.leave_out.iter().any(|out| out.model == *name)
            };
            let column = target.column(&self.data);
            let (models, scores) = self.whole(c, |m| !left_out(m) && column[m].is_some());
            let scores: Vec<Option<f64>> = scores.into_iter().map(|m| column[m]).collect();
            let points = corpus_sizes(&models, &scores, SAMPLES);
            let points: Vec<_> = points
                .into_iter()
                .filter(|point| point.defined > 0)
                .collect();
            (!points.is_empty()).then(|| SizeFigure {
                corpus: area.corpus.clone(),
                target: target.title(&self.data),
                points,
            })
        };
        self.data.areas.iter().filter_map(figure).collect()
    }

    /// Models whose documents of a corpus are those of most, and their places.
    fn whole(
        &self,
        c: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> (Vec<Vec<DocumentCost>>, Vec<usize>) {
        let lengths = self.documents.iter().map(|corpora| corpora[c].len());
        let documents = lengths.max().unwrap_or(0);
        let all = (0..self.documents.len())
            .filter(|&m| documents > 0 && self.documents[m][c].len() == documents && wanted(m));
        all.map(|m| (self.documents[m][c].clone(), m)).unzip()
    }

    fn spread(&self) -> Vec<SpreadRow> {
        let mut rows = Vec::new();
        for (c, corpus) in self.data.corpora.iter().enumerate() {
            let (models, places) = self.whole(c, |_| true);
            let spread = resampling_spread(&models, PARTS).unwrap_or_default();
            rows.extend(spread.into_iter().zip(places).map(|(one, m)| SpreadRow {
                model: self.data.models[m].name.clone(),
                corpus: corpus.name.clone(),
                mean: one.mean,
                deviation: one.deviation,
            }));
        }
        rows
    }
}

/// The study's names, without figures.
fn dataset(config: &StudyConfig) -> Dataset {
    let title = |title: &Option<String>, name: &str| title.clone().unwrap_or_else(|| name.into());
    let models = config.models.iter().map(|model| Model {
        name: model.name.clone(),
        title: title(&model.title, &model.name),
        family: model.family.clone().unwrap_or_else(|| model.name.clone()),
        parameters: model.parameters,
        counted: None,
        kind: model.kind,
    });
    let corpora = config.corpora.iter().map(|corpus| Corpus {
        name: corpus.name.clone(),
        title: title(&corpus.title, &corpus.name),
        characters: None,
    });
    let benchmarks = config.benchmarks.iter().map(|benchmark| Benchmark {
        name: benchmark.name.clone(),
        title: title(&benchmark.title, &benchmark.name),
        metric: benchmark.metric.clone(),
        chance: benchmark.chance,
    });
    let areas = config.areas.iter().map(|area| Area {
        name: area.name.clone(),
        title: title(&area.title, &area.name),
        corpus: area.corpus.clone(),
        benchmarks: area.benchmarks.clone(),
        leave_out: area.leave_out.clone(),
    });
    Dataset {
        title: config.title.clone(),
        models: models.collect(),
        corpora: corpora.collect(),
        benchmarks: benchmarks.collect(),
        areas: areas.collect(),
        compression: vec![vec![None::<Measure>; config.corpora.len()]; config.models.len()],
        scores: vec![vec![None; config.benchmarks.len()]; config.models.len()],
        ..Dataset::default()
    }
}

/// A value as people write it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn last_line(text: &str) -> &str {
    text.trim().lines().last().unwrap_or(text)
}
