//! A model's answers to all items of a task.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use super::encode::{Asked, Encoded, Pair, encode};
use super::journal::{Journal, Record, Sizes};
use super::plan::{Batch, Shape, plan};
use super::texts::write_all;
use crate::error::{EvalError, Result};
use crate::model::{LanguageModel, Likelihood, Row};
use crate::prompt::Item;
use crate::record::{Answer, Answered, Progress};
use crate::task::{Output, Task};

/// Rows of a batch that is timed before a run.
const PROBED: usize = 4;

/// Asks a model about all items of a task. With a journal, what stands in it is not asked again.
///
/// # Errors
/// The model fails, or answers with something that cannot be; the journal cannot be written or does not fit;
/// `progress` stopped it.
pub fn answer(
    model: &mut dyn LanguageModel,
    task: &Task,
    items: &[Item],
    journal: Option<&mut Journal>,
    progress: &dyn Progress,
) -> Result<Vec<Answered>> {
    let room = match &task.generate {
        Some(generate) => model.context().saturating_sub(generate.max_tokens),
        None => model.context(),
    };
    if room == 0 {
        return Err(EvalError::InvalidArgument(format!(
            "{}: the model's context of {} tokens has no room for a prompt",
            task.name,
            model.context()
        )));
    }
    let mut encoded = Vec::with_capacity(items.len());
    for item in items {
        if progress.cancelled() {
            return Err(EvalError::Cancelled);
        }
        encoded.push(encode(model, item, room)?);
    }
    match task.output {
        Output::Generate => {
            let Some(generate) = &task.generate else {
                return Err(EvalError::InvalidArgument(format!(
                    "{}: nothing is generated",
                    task.name
                )));
            };
            write_all(model, generate, encoded, journal, progress)
        }
        _ => {
            let greedy = task.output == Output::Loglikelihood;
            let work = Likelihoods::new(model, items, encoded, journal.as_deref());
            let mut answers = work.run(model, greedy, journal, progress)?;
            if task.output == Output::Rolling {
                answers.iter_mut().for_each(joined);
            }
            Ok(answers)
        }
    }
}

/// How many tokens the model reads.
fn tokens(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| batch.tokens as u64).sum()
}

/// The windows of a text as one text.
fn joined(answered: &mut Answered) {
    if let Answer::Likelihoods(windows) = &mut answered.answer {
        *windows = vec![Likelihood {
            log: windows.iter().map(|window| window.log).sum(),
            greedy: false,
        }];
    }
}

/// Items whose likelihoods are asked for.
struct Likelihoods {
    pairs: Vec<Vec<Pair>>,
    facts: Vec<(usize, bool)>,
    batches: Vec<Batch>,
    sizes: Sizes,
}

impl Likelihoods {
    fn new(
        model: &dyn LanguageModel,
        items: &[Item],
        encoded: Vec<Encoded>,
        journal: Option<&Journal>,
    ) -> Self {
        let facts = encoded.iter().map(|one| (one.dropped, one.cut)).collect();
        let pairs: Vec<Vec<Pair>> = encoded
            .into_iter()
            .map(|one| match one.asked {
                Asked::Pairs(pairs) => pairs,
                Asked::Prompt(_) => Vec::new(),
            })
            .collect();
        let sizes = RefCell::new(
            journal
                .and_then(|journal| journal.sizes.clone())
                .unwrap_or_default(),
        );
        let rows = |tokens: usize| {
            let mut sizes = sizes.borrow_mut();
            *sizes
                .entry(tokens)
                .or_insert_with(|| model.batch(tokens).max(1))
        };
        // What items have in common is found among those with the same examples.
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<(&str, &[String]), usize> = HashMap::new();
        for (number, item) in items.iter().enumerate() {
            let key = (item.question.description.as_str(), &item.question.shots[..]);
            let group = *known.entry(key).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(number);
        }
        let mut batches = Vec::new();
        for group in groups {
            let some: Vec<Vec<Pair>> = group.iter().map(|&number| pairs[number].clone()).collect();
            let shape = Shape {
                shares: model.shares(),
                packs: model.packs(),
                rows: &rows,
            };
            for mut batch in plan(&some, shape) {
                for place in &mut batch.rows {
                    place.item = group[place.item];
                }
                batches.push(batch);
            }
        }
        Self {
            pairs,
            facts,
            batches,
            sizes: sizes.into_inner(),
        }
    }

    fn score(
        &self,
        model: &mut dyn LanguageModel,
        batch: &Batch,
        greedy: bool,
    ) -> Result<Vec<Likelihood>> {
        let Some(first) = batch.rows.first() else {
            return Ok(Vec::new());
        };
        let pair = |place: &super::plan::Place| &self.pairs[place.item][place.pair];
        let context = &pair(first).tokens[..batch.context];
        let rows: Vec<Row<'_>> = batch
            .rows
            .iter()
            .map(|place| Row {
                tokens: &pair(place).tokens[batch.context..],
                scored: pair(place).scored,
            })
            .collect();
        let found = model
            .score(context, batch.base, &rows, greedy)
            .map_err(EvalError::Model)?;
        let fits = found.len() == rows.len()
            && found
                .iter()
                .zip(&rows)
                .all(|(found, row)| found.len() == row.scored);
        if !fits {
            return Err(EvalError::Answer(
                "another number of tokens than was asked about".into(),
            ));
        }
        let each = found.iter().map(|tokens| {
            let log = -tokens.iter().map(|&(nats, _)| f64::from(nats)).sum::<f64>();
            match log.is_finite() {
                true => Ok(Likelihood {
                    log,
                    greedy: greedy && tokens.iter().all(|&(_, first)| first),
                }),
                false => Err(EvalError::Answer(format!(
                    "a logarithm of a probability that is {log}"
                ))),
            }
        });
        each.collect()
    }

    fn run(
        self,
        model: &mut dyn LanguageModel,
        greedy: bool,
        mut journal: Option<&mut Journal>,
        progress: &dyn Progress,
    ) -> Result<Vec<Answered>> {
        let all: u64 = tokens(&self.batches);
        let done = journal.as_ref().map_or(0, |journal| journal.records.len());
        if done > self.batches.len() {
            let journal = journal.as_ref();
            return Err(journal.map_or(EvalError::Cancelled, |j| {
                j.damaged("it has more batches than the run")
            }));
        }
        progress.planned(all, self.estimate(model, greedy, done, all)?);
        if let Some(journal) = journal.as_deref_mut() {
            journal.begin(self.sizes.clone())?;
        }
        let mut found: Vec<Vec<Option<Likelihood>>> = self
            .pairs
            .iter()
            .map(|pairs| vec![None; pairs.len()])
            .collect();
        for (number, batch) in self.batches.iter().enumerate() {
            if progress.cancelled() {
                return Err(EvalError::Cancelled);
            }
            if let Some(journal) = journal.as_deref()
                && let Some(record) = journal.records.get(number)
            {
                let places = record
                    .likelihoods
                    .iter()
                    .map(|&(item, pair, _)| (item, pair));
                if !places.eq(batch.rows.iter().map(|place| (place.item, place.pair))) {
                    return Err(journal.damaged("a batch holds other rows"));
                }
                for &(item, pair, likelihood) in &record.likelihoods {
                    found[item][pair] = Some(likelihood);
                }
                progress.advance(batch.tokens as u64, true);
                continue;
            }
            let start = Instant::now();
            let likelihoods = self.score(model, batch, greedy)?;
            for (place, &likelihood) in batch.rows.iter().zip(&likelihoods) {
                found[place.item][place.pair] = Some(likelihood);
            }
            if let Some(journal) = journal.as_deref_mut() {
                let rows = batch.rows.iter().zip(&likelihoods);
                journal.push(&Record {
                    batch: number,
                    likelihoods: rows
                        .map(|(place, &one)| (place.item, place.pair, one))
                        .collect(),
                    written: Vec::new(),
                    seconds: start.elapsed().as_secs_f64(),
                })?;
            }
            progress.advance(batch.tokens as u64, false);
        }
        let answers = found
            .into_iter()
            .zip(self.facts)
            .map(|(found, (dropped, cut))| {
                let likelihoods: Option<Vec<Likelihood>> = found.into_iter().collect();
                let likelihoods =
                    likelihoods.ok_or_else(|| EvalError::Answer("a row is missing".into()))?;
                Ok(Answered {
                    answer: Answer::Likelihoods(likelihoods),
                    dropped,
                    cut,
                })
            });
        answers.collect()
    }

    /// Seconds that the batches behind the first `done` will take, by one from the middle.
    fn estimate(
        &self,
        model: &mut dyn LanguageModel,
        greedy: bool,
        done: usize,
        all: u64,
    ) -> Result<Option<f64>> {
        let left = &self.batches[done..];
        if left.len() < 2 * PROBED {
            return Ok(None);
        }
        let Some(batch) = left.get(left.len() / 2) else {
            return Ok(None);
        };
        // Once for the caches and clocks.
        self.score(model, batch, greedy)?;
        let start = Instant::now();
        self.score(model, batch, greedy)?;
        let before: u64 = tokens(&self.batches[..done]);
        let each = start.elapsed().as_secs_f64() / batch.tokens.max(1) as f64;
        Ok(Some(each * (all - before) as f64))
    }
}
