//! The search for sequences that both sides have.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::counts::Counts;
use super::super::parallel::ordered;
use super::super::stages::{ManifestOutput, Output};
use super::super::watch::Watch;
use super::grams::Grams;
use super::texts::{Entry, documents, text_files, texts};
use crate::error::{CorpusError, Result};
use crate::files::{Form, SourceFile};

/// Texts of a corpus that are looked at together, in bytes: their grams take about twice that.
const SLICE: usize = 128 << 20;
/// Bits by which most of what is not in a table is told quickly, as a power of two.
const BITS: u32 = 27;
/// What goes to a thread at once, in bytes.
const BATCH: usize = 1 << 20;
/// Documents that a report lists.
const LISTED: usize = 100;

/// What counts as common.
#[derive(Clone, Debug, Serialize)]
pub struct Options {
    /// Words of a sequence.
    pub n: usize,
    /// Documents with so many common sequences count as overlapping.
    pub least: u64,
    /// Threads that work.
    #[serde(skip)]
    pub threads: usize,
}

/// A document that has something in common with the other side.
#[derive(Clone, Debug, Serialize)]
pub struct Hit {
    /// The corpus's file, and the line of it.
    pub file: String,
    /// From 1; 0 if the file is the document.
    pub line: u64,
    /// Common sequences.
    pub shared: u64,
    /// Which part of its words stands in one.
    pub share: f64,
    /// Words of the longest stretch in which every sequence is common.
    pub longest: u64,
    /// The beginning of that stretch.
    pub text: String,
    /// A file that has it as well.
    pub source: String,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Words of a sequence.
    pub n: usize,
    /// Documents of the corpus.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Different sequences of the corpus, added up over its slices.
    pub sequences: u64,
    /// Those of them that the other side has.
    pub common: u64,
    /// Documents with at least one of them.
    pub touched: u64,
    /// Documents with so many that they count as overlapping.
    pub overlapping: u64,
    /// What those were bytes of.
    pub overlapping_bytes: u64,
    /// Texts that the corpus was compared with.
    pub compared: u64,
    /// The documents with the most in common.
    pub worst: Vec<Hit>,
    /// What could not be read.
    pub counts: Counts,
    /// The corpus without the overlapping documents, if it was written.
    pub output: Option<ManifestOutput>,
}

/// Compares the corpus at `corpus` with all that is at `others`. With `kept`, writes the corpus without the documents that
/// overlap.
///
/// # Errors
/// Something cannot be read or written; a corpus to be written is no file of JSON lines.
pub fn overlap(
    corpus: &Path,
    others: &[PathBuf],
    options: &Options,
    kept: Option<&Path>,
    watch: &dyn Watch,
) -> Result<Report> {
    let mine = text_files(corpus)?;
    let mut theirs = Vec::new();
    for path in others {
        theirs.extend(text_files(path)?);
    }
    if kept.is_some() && mine.iter().any(|file| file.form != Form::Lines) {
        return Err(CorpusError::not_a_corpus(
            corpus,
            "only what is JSON lines (.jsonl) can be written without some of them",
        ));
    }
    let mut search = Search {
        mine: &mine,
        theirs: &theirs,
        options,
        watch,
        report: Report {
            n: options.n,
            ..Report::default()
        },
        output: kept.map(Output::new).transpose()?,
    };
    let (mut slice, mut size) = (Vec::new(), 0);
    let mut counts = Counts::default();
    for (number, file) in mine.iter().enumerate() {
        documents(file, number, &mut counts, &mut |entry| {
            size += entry.text.len() + entry.line.len();
            slice.push(entry);
            if size >= SLICE {
                size = 0;
                search.slice(std::mem::take(&mut slice))?;
            }
            Ok(())
        })?;
    }
    search.slice(slice)?;
    let Search {
        mut report, output, ..
    } = search;
    report.counts.merge(&counts);
    report.worst.sort_by(|a, b| {
        b.shared
            .cmp(&a.shared)
            .then(a.file.cmp(&b.file))
            .then(a.line.cmp(&b.line))
    });
    report.worst.truncate(LISTED);
    report.output = output.map(Output::finish).transpose()?;
    Ok(report)
}

fn poisoned() -> CorpusError {
    CorpusError::Refused("a thread has failed".into())
}

struct Search<'a> {
    mine: &'a [SourceFile],
    theirs: &'a [SourceFile],
    options: &'a Options,
    watch: &'a dyn Watch,
    report: Report,
    output: Option<Output>,
}

/// Hashes, sorted, and for each the file of the other side that has it, plus 1.
struct Table {
    hashes: Vec<u64>,
    bits: Vec<u64>,
    found: Vec<u32>,
}

impl Table {
    fn new(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        let mut bits = vec![0u64; 1 << (BITS - 6)];
        for hash in &hashes {
            let bit = hash >> (64 - BITS);
            bits[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
        let found = vec![0; hashes.len()];
        Self {
            hashes,
            bits,
            found,
        }
    }

    fn place(&self, hash: u64) -> Option<usize> {
        let bit = hash >> (64 - BITS);
        if self.bits[(bit >> 6) as usize] >> (bit & 63) & 1 == 0 {
            return None;
        }
        self.hashes.binary_search(&hash).ok()
    }
}

impl Search<'_> {
    fn slice(&mut self, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let n = self.options.n;
        let mut hashes = Vec::new();
        ordered(
            self.options.threads,
            |send| entries.iter().try_for_each(send),
            |entry: &Entry| {
                Grams::of(&entry.text, n)
                    .grams
                    .iter()
                    .map(|gram| gram.hash)
                    .collect::<Vec<u64>>()
            },
            |some| {
                hashes.extend(some);
                Ok(())
            },
        )?;
        let mut table = Table::new(hashes);
        self.compare(&mut table)?;
        self.report.sequences += table.hashes.len() as u64;
        self.report.common += table.found.iter().filter(|found| **found > 0).count() as u64;
        for entry in entries {
            self.judge(entry, &table)?;
        }
        Ok(())
    }

    /// Lets the other side pass by.
    fn compare(&mut self, table: &mut Table) -> Result<()> {
        let (theirs, watch, n) = (self.theirs, self.watch, self.options.n);
        let bytes = theirs
            .iter()
            .filter_map(|file| Some(std::fs::metadata(&file.path).ok()?.len()))
            .sum();
        watch.stage("comparing", Some(bytes));
        let (mut counts, mut compared) = (Counts::default(), 0);
        // Read by many at once and written between batches.
        let shared = std::sync::RwLock::new(table);
        ordered(
            self.options.threads,
            |send| {
                for (number, file) in theirs.iter().enumerate() {
                    let (mut batch, mut size) = (Vec::new(), 0);
                    texts(file, &mut counts, &mut |text| {
                        size += text.len();
                        compared += 1;
                        batch.push(text);
                        if size < BATCH {
                            return Ok(());
                        }
                        if watch.cancelled() {
                            return Err(CorpusError::Cancelled);
                        }
                        size = 0;
                        send((number, std::mem::take(&mut batch)))
                    })?;
                    send((number, batch))?;
                    watch.advance(std::fs::metadata(&file.path).map_or(0, |found| found.len()));
                }
                Ok(())
            },
            |(number, batch): (usize, Vec<String>)| {
                let table = shared.read().map_err(|_| poisoned())?;
                let places = batch.iter().flat_map(|text| Grams::of(text, n).grams);
                let places: Vec<usize> = places.filter_map(|gram| table.place(gram.hash)).collect();
                Ok((number, places))
            },
            |batch: Result<(usize, Vec<usize>)>| {
                let (number, places) = batch?;
                let mut table = shared.write().map_err(|_| poisoned())?;
                for place in places {
                    let found = &mut table.found[place];
                    if *found == 0 {
                        *found = number as u32 + 1;
                    }
                }
                Ok(())
            },
        )?;
        self.report.compared = compared;
        self.report.counts.merge(&counts);
        Ok(())
    }

    fn judge(&mut self, entry: Entry, table: &Table) -> Result<()> {
        let grams = Grams::of(&entry.text, self.options.n);
        let report = &mut self.report;
        report.documents += 1;
        report.bytes += entry.text.len() as u64;
        let mut shared = 0;
        let (mut covered, mut end) = (0, 0);
        // The stretch at hand, and the longest: first word, end, file.
        let mut stretch: Option<(usize, usize, u32)> = None;
        let mut longest = (0, 0, 0u32);
        for gram in &grams.grams {
            let Some(found) = table
                .place(gram.hash)
                .map(|place| table.found[place])
                .filter(|found| *found > 0)
            else {
                continue;
            };
            shared += 1;
            let to = gram.word + self.options.n;
            covered += to - gram.word.max(end);
            stretch = match stretch {
                Some((from, until, file)) if gram.word <= until => Some((from, to, file)),
                _ => Some((gram.word, to, found)),
            };
            end = to;
            if let Some((from, until, file)) =
                stretch.filter(|(from, until, _)| until - from > longest.1 - longest.0)
            {
                longest = (from, until, file);
            }
        }
        report.touched += u64::from(shared > 0);
        let overlaps = shared >= self.options.least;
        if overlaps {
            report.overlapping += 1;
            report.overlapping_bytes += entry.text.len() as u64;
            let show = |file: &SourceFile| file.path.display().to_string();
            let words = &grams.words[longest.0..longest.1.min(longest.0 + 40)];
            let text = match (words.first(), words.last()) {
                (Some(first), Some(last)) => &entry.text[first.start as usize..last.end as usize],
                _ => "",
            };
            report.worst.push(Hit {
                file: show(&self.mine[entry.place.0]),
                line: entry.place.1,
                shared,
                share: covered as f64 / grams.words.len().max(1) as f64,
                longest: (longest.1 - longest.0) as u64,
                text: text.to_owned(),
                source: self
                    .theirs
                    .get((longest.2 as usize).wrapping_sub(1))
                    .map(show)
                    .unwrap_or_default(),
            });
            if report.worst.len() > 4 * LISTED {
                report
                    .worst
                    .sort_by_key(|hit| std::cmp::Reverse(hit.shared));
                report.worst.truncate(LISTED);
            }
            return Ok(());
        }
        match &mut self.output {
            Some(output) => output.kept(&entry.text, &entry.line),
            None => Ok(()),
        }
    }
}
