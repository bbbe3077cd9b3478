//! What a run's windows cost, on disk: shards are put together from it, and resamples of documents drawn.
//!
//! A [`WindowSums`] holds all that a report is made of, but for the tokens. Its pieces are added up in the order
//! of the windows, whoever scored them. So the shards of a run give the figure of the undivided run, bit for
//! bit, if their engines answer alike (the same device, type and batches).

use std::f64::consts::LN_2;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::batches::BatchSizes;
use crate::corpus::Census;
use crate::error::{MetricError, Result};
use crate::files::temporary;
use crate::plan::{DroppedTail, Plan, TokenCounts, Unit};
use crate::report::{CorpusFiles, Identity, Report, ReportFacts};
use crate::run::{Outcome, Part};
use crate::shard::Shard;
use crate::sums::Piece;
use crate::window::Span;

/// Name of the file in a run's directory.
pub const SUMS_FILE: &str = "sums.json";
/// Version of the file.
const VERSION: u32 = 1;

/// Costs of a run's windows, or of a shard of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSums {
    /// Version of the file: 1.
    pub sums: u32,
    /// What is scored, and how.
    pub identity: Identity,
    /// [`Plan::hash`] of the whole run; only shards of the same plan are put together.
    pub plan: String,
    /// The shapes of all batches of the run.
    pub batches: BatchSizes,
    /// Which of them these are.
    pub shard: Shard,
    /// What people call the model.
    pub model_name: String,
    /// Where the corpus was read from.
    pub corpus_path: String,
    /// What of the corpus was left out or repaired.
    pub corpus_files: CorpusFiles,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
    /// What becomes of the tokens of the whole run.
    pub tokens: TokenCounts,
    /// What is dropped at the end.
    pub tail: DroppedTail,
    /// Windows of the whole run: first token, length, scored tokens.
    pub windows: Vec<(usize, usize, usize)>,
    /// Units of the whole run: first token, bytes, characters, extra bits.
    pub units: Vec<(usize, u64, u64, f64)>,
    /// What this shard's windows cost.
    pub pieces: Vec<Piece>,
    /// Windows of its largest batch.
    pub largest_batch: u64,
    /// Number of this shard's batches.
    pub batch_count: u64,
    /// Batches that an earlier run had done.
    pub resumed_batches: u64,
    /// Seconds in the engine.
    pub scoring_seconds: f64,
    /// Seconds from start to end of the process's part.
    pub elapsed_seconds: f64,
}

/// What one document costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentFigures {
    /// Its Unicode code points.
    pub characters: u64,
    /// Bytes of its text, in UTF-8.
    pub bytes: u64,
    /// Bits of its scored tokens, and of escaped bytes.
    pub bits: f64,
}

impl WindowSums {
    /// The costs of a part of a plan.
    pub fn new(
        plan: &Plan,
        part: &Part,
        shard: Shard,
        batches: BatchSizes,
        facts: &ReportFacts,
    ) -> Self {
        let span = |span: &Span| (span.start, span.len, span.scored);
        let unit = |unit: &Unit| (unit.first, unit.bytes, unit.characters, unit.extra_bits);
        Self {
            sums: VERSION,
            identity: facts.identity.clone(),
            plan: plan.hash(),
            batches,
            shard,
            model_name: facts.model_name.clone(),
            corpus_path: facts.corpus_path.clone(),
            corpus_files: CorpusFiles {
                files: facts.census.files,
                skipped: facts.census.skipped.clone(),
            },
            notes: facts.notes.clone(),
            tokens: plan.counts.clone(),
            tail: plan.tail,
            windows: plan.spans.iter().map(span).collect(),
            units: plan.units.iter().map(unit).collect(),
            pieces: part.pieces.clone(),
            largest_batch: part.largest_batch as u64,
            batch_count: part.batches as u64,
            resumed_batches: part.resumed as u64,
            scoring_seconds: part.seconds,
            elapsed_seconds: facts.elapsed_seconds,
        }
    }

    /// Puts the shards of a run together, in any order. One that is there twice counts once.
    ///
    /// # Errors
    /// None are given; they are of different runs; a shard is missing.
    pub fn merge(mut shards: Vec<Self>) -> Result<Self> {
        shards.sort_by_key(|one| one.shard);
        shards.dedup_by_key(|one| one.shard);
        let mut rest = shards.into_iter();
        let Some(mut whole) = rest.next() else {
            return Err(MetricError::NothingToScore("no shards".into()));
        };
        let count = whole.shard.count();
        let mut there = vec![whole.shard.index()];
        for shard in rest {
            let mut differences = whole.identity.differences(&shard.identity);
            if whole.plan != shard.plan || whole.batches != shard.batches {
                differences.push("its windows or their batches are others".into());
            }
            if shard.shard.count() != count {
                differences.push(format!("shard {} is not one of {count}", shard.shard));
            }
            if !differences.is_empty() {
                return Err(MetricError::InvalidArgument(format!(
                    "shards of different runs: {}",
                    differences.join("; ")
                )));
            }
            there.push(shard.shard.index());
            whole.pieces.extend(shard.pieces);
            whole.largest_batch = whole.largest_batch.max(shard.largest_batch);
            whole.batch_count += shard.batch_count;
            whole.resumed_batches += shard.resumed_batches;
            whole.scoring_seconds += shard.scoring_seconds;
            whole.elapsed_seconds += shard.elapsed_seconds;
        }
        if let Some(missing) = (1..=count).find(|index| !there.contains(index)) {
            return Err(MetricError::InvalidArgument(format!(
                "shard {missing}/{count} is missing"
            )));
        }
        whole.shard = Shard::WHOLE;
        whole.pieces.sort_by_key(|piece| (piece.window, piece.unit));
        Ok(whole)
    }

    /// The report of a whole run.
    ///
    /// # Errors
    /// Windows are missing, or there twice.
    pub fn report(&self) -> Result<Report> {
        let (plan, outcome) = self.outcome()?;
        let corpus = &self.identity.corpus;
        let facts = ReportFacts {
            identity: self.identity.clone(),
            model_name: self.model_name.clone(),
            corpus_path: self.corpus_path.clone(),
            census: Census {
                files: self.corpus_files.files,
                documents: corpus.documents,
                bytes: corpus.bytes,
                characters: corpus.characters,
                hash: corpus.hash.clone(),
                skipped: self.corpus_files.skipped.clone(),
            },
            elapsed_seconds: self.elapsed_seconds,
            notes: self.notes.clone(),
        };
        Ok(Report::new(&plan, &outcome, facts))
    }

    /// What each document (segment of a stream) of a whole run costs.
    ///
    /// # Errors
    /// Windows are missing, or there twice.
    pub fn documents(&self) -> Result<Vec<DocumentFigures>> {
        let (plan, outcome) = self.outcome()?;
        let units = plan.units.iter().zip(&outcome.sums.units);
        let figures = units.map(|(unit, nats)| DocumentFigures {
            characters: unit.characters,
            bytes: unit.bytes,
            bits: nats / LN_2,
        });
        Ok(figures.collect())
    }

    fn outcome(&self) -> Result<(Plan, Outcome)> {
        let span = |&(start, len, scored): &(usize, usize, usize)| Span { start, len, scored };
        let unit = |&(first, bytes, characters, extra_bits): &(usize, u64, u64, f64)| Unit {
            first,
            bytes,
            characters,
            extra_bits,
        };
        let plan = Plan {
            spans: self.windows.iter().map(span).collect(),
            units: self.units.iter().map(unit).collect(),
            counts: self.tokens.clone(),
            tail: self.tail,
            ..Plan::default()
        };
        let part = Part {
            pieces: self.pieces.clone(),
            seconds: self.scoring_seconds,
            batches: self.batch_count as usize,
            resumed: self.resumed_batches as usize,
            largest_batch: self.largest_batch as usize,
        };
        let outcome = Outcome::of(&plan, part)?;
        Ok((plan, outcome))
    }

    /// Writes the file into a run's directory: whole, or not at all.
    ///
    /// # Errors
    /// [`MetricError::Io`].
    pub fn write(&self, directory: &Path) -> Result<()> {
        let path = directory.join(SUMS_FILE);
        let io = MetricError::io(&path);
        let json = serde_json::to_vec(self).map_err(|error| io(error.into()))?;
        let mut file = temporary(".sums.", directory).map_err(&io)?;
        let written = file.write_all(&json);
        written
            .and_then(|()| file.as_file().sync_all())
            .map_err(&io)?;
        file.persist(&path).map_err(|failed| io(failed.error))?;
        Ok(())
    }

    /// Reads the file of a run's directory.
    ///
    /// # Errors
    /// It is not there, or not what this version writes.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(SUMS_FILE);
        let bytes = std::fs::read(&path).map_err(MetricError::io(&path))?;
        let damaged = |reason: String| MetricError::Journal {
            path: path.clone(),
            reason,
        };
        let sums: Self = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        if sums.sums != VERSION {
            return Err(damaged(format!(
                "version {}, this build reads {VERSION}",
                sums.sums
            )));
        }
        Ok(sums)
    }
}
