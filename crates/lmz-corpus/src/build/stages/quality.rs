//! Quality by a model: documents that cost it few bits for a byte are like what it was trained on.
//!
//! CCNet scores with an n-gram model of Wikipedia and takes the best 30 of 100 documents for its head, the next 30 for its
//! middle. Here the model is the caller's. Documents are scored in the order of the sample, and only until it is full.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::mem;
use std::path::PathBuf;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::super::document::Item;
use super::super::parallel::ordered;
use super::super::store::Unpack;
use super::context::Build;
use crate::error::{CorpusError, Result};

/// Gives bits for each byte of a text. Called on many threads.
pub type Score<'a> = dyn Fn(&str) -> Result<f64> + Sync + 'a;

/// Which documents are good enough.
pub struct Quality<'a> {
    /// The best of a hundred documents that are kept.
    pub percent: u8,
    /// How much of a document is scored, in bytes from its beginning.
    pub bytes: usize,
    /// What scores: part of the manifest.
    pub model: String,
    /// Scores a text.
    pub score: &'a Score<'a>,
}

/// Bits per byte below which documents belong to the head and to the middle, and below which they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Cutoffs {
    head: f64,
    middle: f64,
    pub kept: f64,
}

impl Cutoffs {
    /// By the scores of a sample.
    pub fn of(mut scores: Vec<f64>, percent: u8) -> Self {
        scores.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let place = (scores.len() * percent)
                .div_ceil(100)
                .clamp(1, scores.len().max(1))
                - 1;
            scores.get(place).copied().unwrap_or(0.0)
        };
        Self {
            head: at(30),
            middle: at(60),
            kept: at(usize::from(percent)),
        }
    }

    /// What CCNet would call a document with that score.
    pub fn bucket(self, score: f64) -> &'static str {
        if score <= self.head {
            "head"
        } else if score <= self.middle {
            "middle"
        } else {
            "tail"
        }
    }
}

/// Scores by position, and the journal of them: a run that was killed does not score twice.
pub(super) struct Scores {
    known: HashMap<u64, f64>,
    path: PathBuf,
}

impl Scores {
    /// Those of the journal.
    pub fn open(build: &Build<'_>, quality: &Quality<'_>) -> Result<Self> {
        let what = format!("{} {}", quality.model, quality.bytes);
        let path = build
            .work
            .file(&format!("scores-{:016x}", xxh3_64(what.as_bytes())));
        let bytes = match path.exists() {
            true => fs::read(&path).map_err(CorpusError::io(&path))?,
            false => Vec::new(),
        };
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let records = bytes.chunks_exact(16);
        let whole = (bytes.len() - records.remainder().len()) as u64;
        let known =
            records.map(|record| (number(&record[..8]), f64::from_bits(number(&record[8..]))));
        let known = known.collect();
        if whole < bytes.len() as u64 {
            let file = OpenOptions::new()
                .write(true)
                .open(&path)
                .map_err(CorpusError::io(&path))?;
            file.set_len(whole).map_err(CorpusError::io(&path))?;
        }
        Ok(Self { known, path })
    }

    /// The score of a document.
    pub fn get(&self, position: u64) -> Option<f64> {
        self.known.get(&position).copied()
    }

    /// Scores the documents at `positions` (sorted) that have no score yet.
    pub fn score(
        &mut self,
        build: &Build<'_>,
        quality: &Quality<'_>,
        positions: &[u64],
    ) -> Result<()> {
        let wanted: Vec<u64> = positions
            .iter()
            .copied()
            .filter(|position| !self.known.contains_key(position))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        build
            .watch
            .stage("scoring", Some(wanted.len() as u64 * quality.bytes as u64));
        let io = CorpusError::io(&self.path);
        let mut journal = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(&io)?;
        ordered(
            build.threads,
            |send| {
                let mut batch = Vec::new();
                visit(build, &wanted, &mut |position, item| {
                    let end = item.content.floor_char_boundary(quality.bytes);
                    item.content.truncate(end);
                    batch.push((position, mem::take(&mut item.content)));
                    if batch.len() < 8 {
                        return Ok(());
                    }
                    build.check()?;
                    send(mem::take(&mut batch))
                })?;
                send(batch)
            },
            |batch: Vec<(u64, String)>| {
                let scored = batch
                    .iter()
                    .map(|(position, text)| Ok((*position, (quality.score)(text)?)));
                scored.collect::<Result<Vec<(u64, f64)>>>()
            },
            |batch| {
                let batch = batch?;
                build
                    .watch
                    .advance(batch.len() as u64 * quality.bytes as u64);
                for (position, score) in batch {
                    let record = [position.to_le_bytes(), score.to_bits().to_le_bytes()].concat();
                    journal.write_all(&record).map_err(&io)?;
                    self.known.insert(position, score);
                }
                Ok(())
            },
        )
    }
}

/// Calls `each` for the kept documents at `positions`, which are sorted.
pub(super) fn visit(
    build: &Build<'_>,
    positions: &[u64],
    each: &mut dyn FnMut(u64, &mut Item) -> Result<()>,
) -> Result<()> {
    let mut rest = positions;
    while let Some(first) = rest.first() {
        let input = first >> 32;
        let (mine, others) =
            rest.split_at(rest.partition_point(|position| position >> 32 == input));
        rest = others;
        let path = build.work.of(input as usize, "kept");
        let mut frames = Unpack::open(&path)?;
        let mut place = 0;
        for position in mine {
            while let Some(mut item) = Item::read(&mut frames).map_err(CorpusError::io(&path))? {
                place += 1;
                if place > position & 0xffff_ffff {
                    each(*position, &mut item)?;
                    break;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutoffs_are_percentiles() {
        let scores: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let cutoffs = Cutoffs::of(scores, 45);
        assert_eq!(
            cutoffs,
            Cutoffs {
                head: 30.0,
                middle: 60.0,
                kept: 45.0
            }
        );
        assert_eq!(
            [10.0, 30.5, 61.0].map(|score| cutoffs.bucket(score)),
            ["head", "middle", "tail"]
        );
        assert_eq!(Cutoffs::of(vec![2.0], 1).kept, 2.0);
        Cutoffs::of(Vec::new(), 30);
    }
}
