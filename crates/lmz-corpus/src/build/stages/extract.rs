//! The first stage: an input becomes a part of cleaned documents, and hashes of them.
//!
//! For input N there are then `N.part` (frames, zstd), `N.documents` (`[hash, position]`), `N.paragraphs` (`[hash, hash of its
//! document, position]`), `N.bands` (`[hash, position]`) and `N.signatures` (1,024 bytes for each document), and `N.json` last.
//! A position is the input's number times 2^32 and the document's place in the part.

use std::io::Write;
use std::mem;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::super::counts::Counts;
use super::super::dedup::{
    Bands, MinHasher, PERMUTATIONS, Signature, document_hash, paragraph_hash,
};
use super::super::document::{Item, Raw};
use super::super::parallel::ordered;
use super::super::store::{Atomic, Pack, Sorter};
use super::context::Build;
use super::settings::Paragraphs;
use super::shard::Part;
use crate::error::{CorpusError, Result};

/// What goes to a thread at once: so many bytes, or so many things.
const BATCH_BYTES: usize = 1 << 20;
const BATCH: usize = 512;

/// What became of an input.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Extracted {
    /// BLAKE3 of all that was read of it: of each thing the lengths of name and bytes (u64, little-endian), name and bytes.
    pub hash: String,
    pub documents: u64,
    pub bytes: u64,
    pub counts: Counts,
}

/// A document with what it is compared by.
struct Built {
    item: Item,
    hash: u64,
    paragraphs: Vec<u64>,
    signature: Option<Box<Signature>>,
}

/// Makes the parts of the inputs of `part` that are not there yet.
///
/// # Errors
/// An input cannot be read; the disk is full; somebody asked for a stop.
pub fn extract(build: &Build<'_>, part: Part) -> Result<()> {
    // How much inputs unpack to is not known.
    build.watch.stage("reading", None);
    for (number, input) in build.source.inputs().iter().enumerate() {
        let done = build.work.of(number, "json");
        if part.has(number) && build.work.done::<Extracted>(&done)?.is_none() {
            build.watch.note(&format!("reading {}", input.name));
            let extracted = one(build, number)?;
            build.work.finish(&done, &extracted)?;
        }
    }
    Ok(())
}

fn one(build: &Build<'_>, number: usize) -> Result<Extracted> {
    let input = &build.source.inputs()[number];
    let (work, settings) = (&build.work, build.settings);
    let hasher = settings.near.map(|near| MinHasher::new(near.words));
    let bands = settings
        .near
        .map(|near| Bands::for_threshold(near.threshold));

    let path = work.of(number, "part");
    let mut pack = Pack::new(&path)?;
    let mut documents = Sorter::<2>::new(work.directory());
    let mut paragraphs = Sorter::<3>::new(work.directory());
    let mut meetings = Sorter::<2>::new(work.directory());
    let mut signatures = Atomic::new(&work.of(number, "signatures"))?;

    let mut extracted = Extracted::default();
    let (mut read, mut built_counts) = (Counts::default(), Counts::default());
    let mut segments = Segments::new(build.source.segment());
    let mut hash = blake3::Hasher::new();
    ordered(
        build.threads,
        |send| {
            let (mut batch, mut size) = (Vec::new(), 0);
            build.source.read(
                input,
                &mut |raw: Raw| {
                    for bytes in [raw.name.as_bytes(), &raw.bytes] {
                        hash.update(&(bytes.len() as u64).to_le_bytes());
                        hash.update(bytes);
                    }
                    size += raw.bytes.len() + 1;
                    batch.push(raw);
                    if batch.len() < BATCH && size < BATCH_BYTES {
                        return Ok(());
                    }
                    build.check()?;
                    build.watch.advance(size as u64);
                    size = 0;
                    send(mem::take(&mut batch))
                },
                &mut read,
            )?;
            send(batch)
        },
        |batch| {
            let mut counts = Counts::default();
            let raws = batch.into_iter();
            let built = raws.filter_map(|raw| {
                let item = build.source.build(raw, &mut counts)?;
                finish(item, settings.paragraphs, hasher.as_ref(), &mut counts)
            });
            (built.collect::<Vec<Built>>(), counts)
        },
        |(batch, counts)| {
            built_counts.merge(&counts);
            for mut built in batch {
                let position = (number as u64) << 32 | extracted.documents;
                segments.place(&mut built.item);
                built
                    .item
                    .write(&mut pack)
                    .map_err(CorpusError::io(&path))?;
                documents.push([built.hash, position])?;
                for paragraph in built.paragraphs {
                    paragraphs.push([paragraph, built.hash, position])?;
                }
                if let (Some(bands), Some(signature)) = (bands, &built.signature) {
                    for band in bands.hashes(signature) {
                        meetings.push([band, position])?;
                    }
                }
                if settings.near.is_some() {
                    let none = [0; PERMUTATIONS];
                    let signature = built.signature.as_deref().unwrap_or(&none);
                    let bytes: Vec<u8> = signature.iter().flat_map(|n| n.to_le_bytes()).collect();
                    signatures
                        .write_all(&bytes)
                        .map_err(CorpusError::io(&path))?;
                }
                extracted.documents += 1;
                extracted.bytes += built.item.content.len() as u64;
            }
            Ok(())
        },
    )?;
    pack.finish()?;
    documents.write(&work.of(number, "documents"))?;
    if settings.paragraphs != Paragraphs::Keep {
        paragraphs.write(&work.of(number, "paragraphs"))?;
    }
    if settings.near.is_some() {
        meetings.write(&work.of(number, "bands"))?;
        signatures.finish()?;
    }
    extracted.counts = read;
    extracted.counts.merge(&built_counts);
    extracted.hash = hash.finalize().to_hex().to_string();
    Ok(extracted)
}

/// The document with its hashes.
fn finish(
    mut item: Item,
    paragraphs: Paragraphs,
    hasher: Option<&MinHasher>,
    counts: &mut Counts,
) -> Option<Built> {
    if !item.fits() {
        counts.one("dropped: too long");
        return None;
    }
    let hash = document_hash(&item.content);
    let mut hashes = Vec::new();
    if paragraphs != Paragraphs::Keep {
        let mut scratch = String::new();
        hashes.extend(
            item.content
                .lines()
                .filter_map(|line| paragraph_hash(line, &mut scratch)),
        );
        hashes.sort_unstable();
        hashes.dedup();
    }
    let signature = hasher
        .and_then(|hasher| hasher.signature(&item.content))
        .map(Box::new);
    if item.group == 0 {
        item.group = hash.max(1);
    }
    Some(Built {
        item,
        hash,
        paragraphs: hashes,
        signature,
    })
}

/// Documents of a repository that follow each other share a group, up to a size.
struct Segments {
    most: Option<u64>,
    repository: String,
    bytes: u64,
    number: u64,
}

impl Segments {
    fn new(most: Option<u64>) -> Self {
        Self {
            most,
            repository: String::new(),
            bytes: 0,
            number: 0,
        }
    }

    fn place(&mut self, item: &mut Item) {
        let Some(most) = self.most else { return };
        let repository = item
            .meta
            .get("repository")
            .and_then(|name| name.as_str())
            .unwrap_or_default();
        if repository != self.repository {
            self.repository = repository.to_owned();
            (self.bytes, self.number) = (0, 0);
        } else if self.bytes >= most {
            self.bytes = 0;
            self.number += 1;
        }
        self.bytes += item.content.len() as u64;
        item.group = xxh3_64_with_seed(self.repository.as_bytes(), self.number).max(1);
    }
}
