//! Sending a plan's windows through an engine.

use std::time::Instant;

use crate::batches::Batches;
use crate::error::{MetricError, Result};
use crate::journal::{BatchRecord, Journal};
use crate::plan::Plan;
use crate::scorer::{Scorer, Window};
use crate::sums::{Piece, Sums, add_up, pieces};

/// Who watches a run.
pub trait Watch {
    /// So many tokens have passed through the model since the last call; `again` if an earlier
    /// run had done it. The sum over a run is [`Plan::work`].
    fn advance(&self, tokens: u64, again: bool) {
        let _ = (tokens, again);
    }

    /// Whether to stop with [`MetricError::Cancelled`] before the next batch.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Nobody watches.
impl Watch for () {}

/// What a run has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The nats of all text and of each unit.
    pub sums: Sums,
    /// Time in the engine, that of an earlier run that was continued included.
    pub seconds: f64,
    /// How many batches there were.
    pub batches: usize,
    /// How many of them an earlier run had done.
    pub resumed: usize,
    /// Windows of the largest batch.
    pub largest_batch: usize,
}

/// Costs of some of a plan's batches.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What their windows cost, in the order of the work.
    pub pieces: Vec<Piece>,
    /// Time in the engine, that of an earlier run that was continued included.
    pub seconds: f64,
    /// How many batches there were.
    pub batches: usize,
    /// How many of them an earlier run had done.
    pub resumed: usize,
    /// Windows of the largest batch.
    pub largest_batch: usize,
}

/// Scores a plan. With a journal, batches that stand in it are not computed again, and each new
/// one is added.
///
/// # Errors
/// There is nothing to score; the engine fails or gives nonsense; the journal cannot be written
/// or does not fit the plan; `watch` asked to stop.
pub fn run(
    plan: &Plan,
    batches: &Batches,
    scorer: &mut dyn Scorer,
    journal: Option<&mut Journal>,
    watch: &dyn Watch,
) -> Result<Outcome> {
    Outcome::of(plan, run_part(plan, batches, scorer, journal, watch)?)
}

impl Outcome {
    /// What parts that together are the whole plan come to: one of all batches, or all shards.
    ///
    /// # Errors
    /// [`MetricError::Answer`]: windows are missing, or there more than once.
    pub fn of(plan: &Plan, part: Part) -> Result<Self> {
        Ok(Self {
            sums: add_up(plan, part.pieces)?,
            seconds: part.seconds,
            batches: part.batches,
            resumed: part.resumed,
            largest_batch: part.largest_batch,
        })
    }
}

/// Scores some of a plan's batches ([`Batches::shard`]), as [`run`] does all of them.
///
/// # Errors
/// As [`run`].
pub fn run_part(
    plan: &Plan,
    batches: &Batches,
    scorer: &mut dyn Scorer,
    mut journal: Option<&mut Journal>,
    watch: &dyn Watch,
) -> Result<Part> {
    if plan.spans.is_empty() {
        let found = match plan.counts.total {
            1 => "one token".into(),
            tokens => format!("{tokens} tokens"),
        };
        return Err(MetricError::NothingToScore(format!(
            "the corpus has {found}"
        )));
    }
    let mut all: Vec<Piece> = Vec::new();
    let (mut seconds, mut resumed, mut largest_batch) = (0.0, 0, 0);
    if let Some(journal) = journal.as_deref()
        && journal.records().len() > batches.len()
    {
        return Err(journal.damaged("it has more batches than the plan"));
    }
    for (number, batch) in batches.iter().enumerate() {
        if watch.cancelled() {
            return Err(MetricError::Cancelled);
        }
        largest_batch = largest_batch.max(batch.len());
        let work = batch.iter().map(|&span| plan.spans[span].len as u64 - 1);
        let work: u64 = work.sum();
        if let Some(journal) = journal.as_deref()
            && let Some(record) = journal.records().get(number)
        {
            if !belongs(plan, batch, record) {
                return Err(journal.damaged(format!("batch {number} holds other windows")));
            }
            all.extend(&record.pieces);
            seconds += record.seconds;
            resumed += 1;
            watch.advance(work, true);
            continue;
        }
        let start = Instant::now();
        let found = score(plan, batch, scorer)?;
        let took = start.elapsed().as_secs_f64();
        all.extend(&found);
        seconds += took;
        if let Some(journal) = journal.as_deref_mut() {
            journal.push(BatchRecord {
                batch: number as u64,
                seconds: took,
                pieces: found,
            })?;
        }
        watch.advance(work, false);
    }
    Ok(Part {
        pieces: all,
        seconds,
        batches: batches.len(),
        resumed,
        largest_batch,
    })
}

fn score(plan: &Plan, batch: &[usize], scorer: &mut dyn Scorer) -> Result<Vec<Piece>> {
    let windows: Vec<Window<'_>> = batch.iter().map(|&span| plan.window(span)).collect();
    let answers = scorer.surprisals(&windows).map_err(MetricError::Scorer)?;
    if answers.len() != batch.len() {
        return Err(MetricError::Answer(format!(
            "{} answers for {} windows",
            answers.len(),
            batch.len()
        )));
    }
    let mut found = Vec::new();
    for (&span, answer) in batch.iter().zip(&answers) {
        found.extend(pieces(plan, span, answer)?);
    }
    Ok(found)
}

/// Whether a record is about these windows, unit by unit.
fn belongs(plan: &Plan, batch: &[usize], record: &BatchRecord) -> bool {
    let expected = batch.iter().flat_map(|&span| {
        plan.shares(span).map(move |share| {
            let counted = (share.start..share.end).filter(|&token| plan.counts(token));
            (span, share.unit, counted.count() as u64)
        })
    });
    let found = record.pieces.iter();
    found
        .map(|piece| (piece.window, piece.unit, piece.tokens))
        .eq(expected)
        && record.pieces.iter().all(|piece| piece.nats.is_finite())
        && record.seconds.is_finite()
}
