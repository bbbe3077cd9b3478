//! The last stage: a sample of what is left, in the order of the inputs.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::counts::Counts;
use super::super::store::{Atomic, RecordReader, merge_files};
use super::context::Build;
use super::extract::Extracted;
use super::filter::Kept;
use super::output::{Manifest, ManifestInput, Output, manifest_path};
use super::quality::{Cutoffs, Quality, Scores, visit};
use crate::error::{CorpusError, Result};

/// A sample is full when this part of its size is there: few documents fit into the rest.
const FULL: f64 = 0.99;
/// More documents than the best of a hundred need are scored at once.
const SPARE: f64 = 1.2;
/// Fewest documents that cutoffs are taken from, where there are so many.
const LEAST_SCORED: usize = 200;

/// What a rank's record says.
struct Candidate {
    position: u64,
    bytes: u64,
    host: u64,
}

/// Takes documents in the order of their ranks until the size is reached, writes them to `out` in the order of the inputs,
/// and a manifest beside it.
///
/// # Errors
/// [`super::filter`] was not run for every input; the output cannot be written; somebody asked for a stop.
pub fn collect(build: &Build<'_>, out: &Path, quality: Option<&Quality<'_>>) -> Result<Manifest> {
    let inputs = build.source.inputs();
    let mut counts = Counts::default();
    let mut listed = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let read: Option<Extracted> = build.work.done(&build.work.of(number, "json"))?;
        let kept: Option<Kept> = build.work.done(&build.work.of(number, "kept.json"))?;
        let (Some(read), Some(kept)) = (read, kept) else {
            let directory = build.work.directory().display();
            return Err(CorpusError::Refused(format!(
                "{directory}: input {number} ({}) is not filtered yet: run the stage filter of its shard",
                input.name
            )));
        };
        counts.merge(&read.counts);
        counts.merge(&kept.counts);
        counts.add("documents: extracted", read.documents);
        counts.add("documents: filtered", kept.documents);
        counts.add("bytes: extracted", read.bytes);
        counts.add("bytes: filtered", kept.bytes);
        listed.push(ManifestInput {
            name: input.name.clone(),
            bytes: input.bytes,
            hash: read.hash,
            documents: read.documents,
        });
    }
    let ranks: Vec<PathBuf> = (0..inputs.len())
        .map(|n| build.work.of(n, "ranks"))
        .collect();
    let (positions, scored) = match quality {
        None => (Selection::new(build).all(build, &ranks, &mut counts)?, None),
        Some(quality) => {
            let (positions, scores, cutoffs) = best(build, &ranks, quality, &mut counts)?;
            (positions, Some((scores, cutoffs)))
        }
    };
    build.watch.stage("writing", build.settings.size);
    let mut output = Output::within(build.work.directory(), out)?;
    visit(build, &positions, &mut |position, item| {
        let digest = blake3::hash(item.content.as_bytes());
        let digest: String = digest.to_hex().chars().take(32).collect();
        item.meta.insert("hash".into(), digest.into());
        if let Some((scores, cutoffs)) = &scored {
            let score = scores.get(position).unwrap_or_default();
            item.meta.insert(
                "bits_per_byte".into(),
                json!((score * 1000.0).round() / 1000.0),
            );
            item.meta
                .insert("bucket".into(), cutoffs.bucket(score).into());
        }
        build.check()?;
        build.watch.advance(item.content.len() as u64);
        output.push(item)
    })?;
    let output = output.finish()?;
    let mut settings = json!({
        "source": build.source.settings(),
        "choice": build.settings,
    });
    if let (Some(quality), Some((_, cutoffs))) = (quality, &scored) {
        settings["quality"] = json!({
            "percent": quality.percent,
            "bytes": quality.bytes,
            "model": quality.model,
            "cutoffs": cutoffs,
        });
    }
    let manifest = Manifest {
        lmz: env!("CARGO_PKG_VERSION").into(),
        source: build.source.kind().into(),
        settings,
        inputs: listed,
        counts,
        output,
    };
    let path = manifest_path(out);
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| CorpusError::io(&path)(error.into()))?;
    let mut file = Atomic::within(build.work.directory(), &path)?;
    file.write_all(format!("{text}\n").as_bytes())
        .map_err(CorpusError::io(&path))?;
    file.finish()?;
    Ok(manifest)
}

/// What was taken so far.
struct Selection {
    size: Option<u64>,
    per_host: Option<u64>,
    hosts: HashMap<u64, u64>,
    positions: Vec<u64>,
    bytes: u64,
}

impl Selection {
    fn new(build: &Build<'_>) -> Self {
        let (size, per_host) = (build.settings.size, build.settings.per_host);
        Self {
            size,
            per_host,
            hosts: HashMap::new(),
            positions: Vec::new(),
            bytes: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.size
            .is_some_and(|size| self.bytes as f64 >= FULL * size as f64)
    }

    fn take(&mut self, candidate: &Candidate, counts: &mut Counts) {
        if self
            .size
            .is_some_and(|size| self.bytes + candidate.bytes > size)
        {
            counts.one("passed: did not fit into the size");
            return;
        }
        if let Some(most) = self.per_host.filter(|_| candidate.host != 0) {
            let seen = self.hosts.entry(candidate.host).or_default();
            if *seen >= most {
                counts.one("dropped: enough of its host");
                return;
            }
            *seen += 1;
        }
        self.bytes += candidate.bytes;
        self.positions.push(candidate.position);
    }

    /// The positions, sorted.
    fn finish(mut self) -> Vec<u64> {
        self.positions.sort_unstable();
        self.positions
    }

    fn all(
        mut self,
        build: &Build<'_>,
        ranks: &[PathBuf],
        counts: &mut Counts,
    ) -> Result<Vec<u64>> {
        if self.size.is_none() && self.per_host.is_none() {
            // No order is needed.
            for path in ranks {
                let all = RecordReader::<4>::all(path)?;
                self.positions
                    .extend(all.iter().map(|[_, position, ..]| *position));
            }
            return Ok(self.finish());
        }
        let directory = build.work.directory();
        for record in merge_files::<4>(directory, ranks)? {
            let [_, position, bytes, host] = record.map_err(CorpusError::io(directory))?;
            self.take(
                &Candidate {
                    position,
                    bytes,
                    host,
                },
                counts,
            );
            if self.is_full() {
                break;
            }
        }
        Ok(self.finish())
    }
}

/// The best documents: the first ones by rank are scored, and of them the best taken; if those do not fill the size, more are
/// scored, and compared with the same cutoffs.
fn best(
    build: &Build<'_>,
    ranks: &[PathBuf],
    quality: &Quality<'_>,
    counts: &mut Counts,
) -> Result<(Vec<u64>, Scores, Cutoffs)> {
    let directory = build.work.directory();
    let mut scores = Scores::open(build, quality)?;
    let mut cutoffs = None;
    let mut selection = Selection::new(build);
    let mut all = merge_files::<4>(directory, ranks)?;
    let budget = |left: u64| (left as f64 * 100.0 / f64::from(quality.percent) * SPARE) as u64;
    let mut more = true;
    while more && !selection.is_full() {
        let most = selection
            .size
            .map_or(u64::MAX, |size| budget(size - selection.bytes));
        let (mut round, mut bytes) = (Vec::new(), 0);
        more = false;
        for record in all.by_ref() {
            let [_, position, length, host] = record.map_err(CorpusError::io(directory))?;
            round.push(Candidate {
                position,
                bytes: length,
                host,
            });
            bytes += length;
            let enough = round.len() >= LEAST_SCORED || cutoffs.is_some();
            if bytes >= most && enough {
                more = true;
                break;
            }
        }
        let mut positions: Vec<u64> = round.iter().map(|candidate| candidate.position).collect();
        positions.sort_unstable();
        scores.score(build, quality, &positions)?;
        counts.add("documents: scored", round.len() as u64);
        let cutoffs = cutoffs.get_or_insert_with(|| {
            Cutoffs::of(
                positions
                    .iter()
                    .filter_map(|position| scores.get(*position))
                    .collect(),
                quality.percent,
            )
        });
        for candidate in &round {
            if selection.is_full() {
                break;
            }
            match scores.get(candidate.position) {
                Some(score) if score <= cutoffs.kept => selection.take(candidate, counts),
                _ => counts.one("dropped: quality"),
            }
        }
    }
    let cutoffs = cutoffs.unwrap_or_else(|| Cutoffs::of(Vec::new(), quality.percent));
    Ok((selection.finish(), scores, cutoffs))
}

impl From<&Manifest> for Value {
    fn from(manifest: &Manifest) -> Self {
        serde_json::to_value(manifest).unwrap_or_default()
    }
}
