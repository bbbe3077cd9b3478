//! The second stage: the hashes of all inputs together tell what is there twice.
//!
//! For input N there are then `N.drop` (`[place, reason]`) and `N.twice` (`[hash, position of the owner, or 2^64 - 1]`), and
//! `merged.json` last.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::super::counts::Counts;
use super::super::dedup::{PERMUTATIONS, Signature, similarity};
use super::super::store::{Merged, RecordWriter, Sorter, merge_files};
use super::context::Build;
use super::settings::Paragraphs;
use crate::error::{CorpusError, Result};

/// Why a document is dropped: the same as an earlier one.
pub(super) const SAME: u64 = 1;
/// Why a document is dropped: nearly the same as an earlier one.
pub(super) const NEAR: u64 = 2;
/// Nobody's paragraph.
pub(super) const NOBODY: u64 = u64::MAX;

/// With how many of the first documents that meet in a band a later one is compared.
const COMPARED: usize = 8;
/// Files of signatures that are open at once.
const OPEN_FILES: usize = 256;

/// Finds what is there twice.
///
/// # Errors
/// An input was not extracted yet; the disk is full; somebody asked for a stop.
pub fn merge(build: &Build<'_>) -> Result<()> {
    let done = build.work.file("merged.json");
    if build.work.done::<Counts>(&done)?.is_some() {
        return Ok(());
    }
    build.watch.stage("merging", None);
    let inputs = build.source.inputs().len();
    for number in 0..inputs {
        if !build.work.of(number, "json").exists() {
            return Err(CorpusError::Refused(format!(
                "{}: input {number} ({}) is not extracted yet: run the stage extract of its shard",
                build.work.directory().display(),
                build.source.inputs()[number].name
            )));
        }
    }
    let directory = build.work.directory();
    let files = |purpose: &str| {
        (0..inputs)
            .map(|n| build.work.of(n, purpose))
            .collect::<Vec<PathBuf>>()
    };

    let mut drops = Sorter::<2>::new(directory);
    let mut dropped = Drops::default();
    if build.settings.exact {
        let mut last = None;
        for record in merge_files::<2>(directory, &files("documents"))? {
            let [hash, position] = record.map_err(CorpusError::io(directory))?;
            if last == Some(hash) {
                drops.push([position, SAME])?;
                dropped.0.insert(position, SAME);
            }
            last = Some(hash);
        }
        build.check()?;
    }
    if let Some(near) = build.settings.near {
        let meetings = merge_files::<2>(directory, &files("bands"))?;
        let edges = edges(build, meetings, &dropped)?;
        near_duplicates(build, edges, near.threshold, &mut dropped, &mut drops)?;
    }
    if build.settings.paragraphs != Paragraphs::Keep {
        let all = merge_files::<3>(directory, &files("paragraphs"))?;
        twice(build, all, &dropped)?;
    }
    let mut drops = drops.finish()?.peekable();
    for number in 0..inputs {
        let mut out = RecordWriter::<2>::new(&build.work.of(number, "drop"))?;
        while let Some(record) = drops.next_if(|record| match record {
            Ok([position, _]) => position >> 32 == number as u64,
            Err(_) => true,
        }) {
            let [position, reason] = record.map_err(CorpusError::io(directory))?;
            out.push(&[position & 0xffff_ffff, reason])?;
        }
        out.finish()?;
    }
    build.work.finish(&done, &Counts::default())
}

/// Documents that are dropped already; of near duplicates the position of the one that they are like.
#[derive(Default)]
struct Drops(HashMap<u64, u64>);

/// Pairs of documents that meet in a band: `[later, earlier]`.
fn edges(build: &Build<'_>, meetings: Merged<2>, dropped: &Drops) -> Result<Merged<2>> {
    let directory = build.work.directory();
    let mut edges = Sorter::<2>::new(directory);
    let mut group: Vec<u64> = Vec::new();
    let mut band = None;
    for record in meetings {
        let [hash, position] = record.map_err(CorpusError::io(directory))?;
        if band != Some(hash) {
            group.clear();
            band = Some(hash);
        }
        if dropped.0.contains_key(&position) {
            continue;
        }
        for earlier in &group {
            edges.push([position, *earlier])?;
        }
        if group.len() < COMPARED {
            group.push(position);
        }
    }
    edges.finish()
}

/// Drops each document that is like an earlier one that is kept.
fn near_duplicates(
    build: &Build<'_>,
    edges: Merged<2>,
    threshold: f64,
    dropped: &mut Drops,
    drops: &mut Sorter<2>,
) -> Result<()> {
    let directory = build.work.directory();
    let mut signatures = Signatures {
        build,
        files: HashMap::new(),
    };
    let (mut last, mut later) = (None, (NOBODY, None));
    for (number, record) in edges.enumerate() {
        let edge = record.map_err(CorpusError::io(directory))?;
        let [position, earlier] = edge;
        if number % 4096 == 0 {
            build.check()?;
        }
        if last == Some(edge) || dropped.0.contains_key(&position) {
            continue;
        }
        last = Some(edge);
        // Instead of one that was dropped, the one because of which.
        let kept = dropped
            .0
            .get(&earlier)
            .copied()
            .filter(|kept| *kept != SAME)
            .unwrap_or(earlier);
        if later.0 != position {
            later = (position, Some(signatures.of(position)?));
        }
        let Some(mine) = &later.1 else { continue };
        if similarity(mine, &signatures.of(kept)?) >= threshold {
            dropped.0.insert(position, kept);
            drops.push([position, NEAR])?;
        }
    }
    Ok(())
}

/// Signatures on disk.
struct Signatures<'a> {
    build: &'a Build<'a>,
    files: HashMap<u64, File>,
}

impl Signatures<'_> {
    fn of(&mut self, position: u64) -> Result<Signature> {
        let (input, place) = (position >> 32, position & 0xffff_ffff);
        let path = self.build.work.of(input as usize, "signatures");
        let io = CorpusError::io(&path);
        if !self.files.contains_key(&input) {
            if self.files.len() >= OPEN_FILES {
                self.files.clear();
            }
            self.files.insert(input, File::open(&path).map_err(&io)?);
        }
        let mut bytes = [0; 4 * PERMUTATIONS];
        if let Some(file) = self.files.get_mut(&input) {
            file.seek(SeekFrom::Start(place * bytes.len() as u64))
                .map_err(&io)?;
            file.read_exact(&mut bytes).map_err(&io)?;
        }
        let mut signature = [0; PERMUTATIONS];
        for (number, bytes) in signature.iter_mut().zip(bytes.chunks_exact(4)) {
            *number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Ok(signature)
    }
}

/// Writes for each input which of its paragraphs another document has as well. Documents with the same text are one.
fn twice(build: &Build<'_>, all: Merged<3>, dropped: &Drops) -> Result<()> {
    let directory = build.work.directory();
    let mut found = Sorter::<3>::new(directory);
    // The inputs in which a paragraph is, its first document, and whether there is another one.
    let mut now: Option<(u64, u64, u64, bool)> = None;
    let mut places: Vec<u64> = Vec::new();
    let first_keeps = build.settings.paragraphs == Paragraphs::First;
    let mut flush = |now: Option<(u64, u64, u64, bool)>, places: &mut Vec<u64>| -> Result<()> {
        if let Some((hash, _, first, true)) = now {
            for input in places.iter() {
                found.push([*input, hash, if first_keeps { first } else { NOBODY }])?;
            }
        }
        places.clear();
        Ok(())
    };
    for (number, record) in all.enumerate() {
        let [hash, document, position] = record.map_err(CorpusError::io(directory))?;
        if number % (1 << 16) == 0 {
            build.check()?;
        }
        if dropped.0.contains_key(&position) {
            continue;
        }
        match &mut now {
            Some((same, first_document, first, more)) if *same == hash => {
                *more |= *first_document != document;
                *first = (*first).min(position);
            }
            _ => {
                flush(now, &mut places)?;
                now = Some((hash, document, position, false));
            }
        }
        let input = position >> 32;
        if places.last() != Some(&input) && !places.contains(&input) {
            places.push(input);
        }
    }
    flush(now, &mut places)?;
    let mut found = found.finish()?.peekable();
    for number in 0..build.source.inputs().len() {
        let mut out = RecordWriter::<2>::new(&build.work.of(number, "twice"))?;
        while let Some(record) = found.next_if(|record| match record {
            Ok([input, _, _]) => *input == number as u64,
            Err(_) => true,
        }) {
            let [_, hash, owner] = record.map_err(CorpusError::io(directory))?;
            out.push(&[hash, owner])?;
        }
        out.finish()?;
    }
    Ok(())
}
