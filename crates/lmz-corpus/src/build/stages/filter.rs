//! The third stage: parts without what is there twice.
//!
//! For input N there are then `N.kept` (frames, zstd) and `N.ranks` (`[rank, position, bytes, host]`), and `N.kept.json` last.

use std::collections::{HashMap, HashSet};
use std::mem;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::super::counts::Counts;
use super::super::dedup::{paragraph_hash, rank};
use super::super::document::Item;
use super::super::parallel::ordered;
use super::super::store::{Pack, RecordReader, Sorter, Unpack};
use super::context::Build;
use super::merge::{NEAR, SAME};
use super::settings::Paragraphs;
use super::shard::Part;
use crate::error::{CorpusError, Result};

const BATCH_BYTES: usize = 1 << 20;

/// What is left of an input.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub documents: u64,
    pub bytes: u64,
    pub counts: Counts,
}

/// Filters the inputs of `part` that are not filtered yet.
///
/// # Errors
/// [`super::merge`] was not run; the disk is full; somebody asked for a stop.
pub fn filter(build: &Build<'_>, part: Part) -> Result<()> {
    if !build.work.file("merged.json").exists() {
        let reason = format!(
            "{}: nothing is merged yet: run the stage merge",
            build.work.directory().display()
        );
        return Err(CorpusError::Refused(reason));
    }
    build.watch.stage("filtering", None);
    for number in (0..build.source.inputs().len()).filter(|number| part.has(*number)) {
        let done = build.work.of(number, "kept.json");
        if build.work.done::<Kept>(&done)?.is_none() {
            let kept = one(build, number)?;
            build.work.finish(&done, &kept)?;
        }
    }
    Ok(())
}

fn one(build: &Build<'_>, number: usize) -> Result<Kept> {
    let work = &build.work;
    let drops: HashMap<u64, u64> = RecordReader::<2>::all(&work.of(number, "drop"))?
        .into_iter()
        .map(|[place, reason]| (place, reason))
        .collect();
    let twice = match build.settings.paragraphs {
        Paragraphs::Keep => Vec::new(),
        // Sorted: they come from a sorter.
        _ => RecordReader::<2>::all(&work.of(number, "twice"))?,
    };
    let path = work.of(number, "kept");
    let part = work.of(number, "part");
    let mut pack = Pack::new(&path)?;
    let mut ranks = Sorter::<4>::new(work.directory());
    let mut kept = Kept::default();
    ordered(
        build.threads,
        |send| {
            let io = CorpusError::io(&part);
            let mut input = Unpack::open(&part)?;
            let (mut batch, mut size, mut place) = (Vec::new(), 0, 0u64);
            while let Some(item) = Item::read(&mut input).map_err(&io)? {
                size += item.content.len() + 1000;
                batch.push((place, item));
                place += 1;
                if size >= BATCH_BYTES {
                    build.check()?;
                    size = 0;
                    send(mem::take(&mut batch))?;
                }
            }
            send(batch)
        },
        |batch: Vec<(u64, Item)>| {
            let mut counts = Counts::default();
            let items = batch.into_iter().filter_map(|(place, mut item)| {
                match drops.get(&place).copied() {
                    Some(SAME) => {
                        counts.one("dropped: same text");
                        return None;
                    }
                    Some(NEAR) => {
                        counts.one("dropped: nearly the same text");
                        return None;
                    }
                    _ => {}
                }
                let position = (number as u64) << 32 | place;
                if build.settings.paragraphs != Paragraphs::Keep {
                    item.content = without(&item.content, &twice, position, &mut counts);
                }
                let enough = match build.settings.min_characters {
                    0 | 1 => !item.content.is_empty(),
                    least => item.content.chars().count() as u64 >= least,
                };
                if !enough {
                    counts.one("dropped: too short without paragraphs that others have");
                    return None;
                }
                Some(item)
            });
            (items.collect::<Vec<_>>(), counts)
        },
        |(batch, counts)| {
            kept.counts.merge(&counts);
            for item in batch {
                // From here on a document's place is its place among those that are kept.
                let position = (number as u64) << 32 | kept.documents;
                item.write(&mut pack).map_err(CorpusError::io(&path))?;
                let bytes = item.content.len() as u64;
                ranks.push([
                    rank(build.settings.seed, item.group),
                    position,
                    bytes,
                    host(&item),
                ])?;
                kept.documents += 1;
                kept.bytes += bytes;
            }
            Ok(())
        },
    )?;
    pack.finish()?;
    ranks.write(&work.of(number, "ranks"))?;
    Ok(kept)
}

/// A text without lines that other documents have, and without lines that it has had.
fn without(text: &str, twice: &[[u64; 2]], position: u64, counts: &mut Counts) -> String {
    let mut out = String::with_capacity(text.len());
    let mut seen = HashSet::new();
    let mut scratch = String::new();
    let (mut cut, mut empty) = (0, false);
    for line in text.lines() {
        let Some(hash) = paragraph_hash(line, &mut scratch) else {
            // Punctuation and empty lines are nobody's; they go where what is around them goes.
            if line.trim().is_empty() {
                empty = true;
            } else if !out.is_empty() {
                out.push_str(line);
                out.push('\n');
            }
            continue;
        };
        let others = match twice.binary_search_by_key(&hash, |[hash, _]| *hash) {
            Ok(at) => twice[at][1] != position,
            Err(_) => false,
        };
        if others || !seen.insert(hash) {
            cut += 1;
            continue;
        }
        if mem::take(&mut empty) && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    counts.add("cut lines: in other documents, or twice", cut);
    out.truncate(out.trim_end().len());
    out
}

/// A number for the host of a document's URL; 0 if it has none.
pub(super) fn host(item: &Item) -> u64 {
    let url = item
        .meta
        .get("url")
        .and_then(Value::as_str)
        .unwrap_or_default();
    host_name(url).map_or(0, |host| {
        xxh3_64(host.to_ascii_lowercase().as_bytes()).max(1)
    })
}

/// The host of a URL, without `www.`.
fn host_name(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.starts_with('[') {
        true => host,
        false => host.split(':').next()?,
    };
    let host = match host.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("www.") => &host[4..],
        _ => host,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found() {
        for (url, host) in [
            ("https://www.Example.com:80/a", Some("Example.com")),
            ("http://user@a.b?c", Some("a.b")),
            ("https://[::1]:80/", Some("[::1]:80")),
            ("mailto:a", None),
            ("http://", None),
        ] {
            assert_eq!(host_name(url), host, "{url}");
        }
    }

    #[test]
    fn lines_of_others_go() {
        let mut scratch = String::new();
        let mut hash = |line: &str| paragraph_hash(line, &mut scratch).unwrap();
        let mut twice = vec![[hash("shared"), u64::MAX], [hash("owned"), 7]];
        twice.sort_unstable();
        let mut counts = Counts::default();
        let text = "a\n\nShared.\n\nb\nb\nowned\n---\nc";
        assert_eq!(
            without(text, &twice, 7, &mut counts),
            "a\n\nb\nowned\n---\nc"
        );
        assert_eq!(without(text, &twice, 8, &mut counts), "a\n\nb\n---\nc");
        assert_eq!(counts.get("cut lines: in other documents, or twice"), 5);
    }
}
