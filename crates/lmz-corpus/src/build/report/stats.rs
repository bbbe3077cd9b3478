//! Figures about a corpus.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::super::counts::Counts;
use super::super::dedup::document_hash;
use super::super::filters::identify;
use super::super::limits::MAX_LINE_BYTES;
use super::super::parallel::ordered;
use super::super::sources::folder::lines;
use super::super::text::decode;
use crate::error::{CorpusError, Result};
use crate::files::{Form, Selection, files};
use crate::read::CorpusHash;

const BATCH: usize = 1 << 20;

/// Some documents of a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// How many.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
}

/// How long documents are, in bytes: a part of them is no longer than that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lengths {
    /// A tenth.
    pub p10: u64,
    /// Half of them.
    pub p50: u64,
    /// Nine tenths.
    pub p90: u64,
    /// All.
    pub max: u64,
}

/// What a corpus is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Documents, empty ones left out.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Unicode code points of their texts.
    pub characters: u64,
    /// Words, between white space.
    pub words: u64,
    /// Lines that are not empty.
    pub lines: u64,
    /// Documents whose text an earlier one has.
    pub duplicates: u64,
    /// How long documents are.
    pub lengths: Lengths,
    /// By what they say that they are.
    pub subsets: BTreeMap<String, Group>,
    /// By the language that their text is taken for.
    pub languages: BTreeMap<String, Group>,
    /// By the licence that they name.
    pub licences: BTreeMap<String, Group>,
    /// The first and the last day that documents name.
    pub dates: Option<(String, String)>,
    /// The corpus's hash: [`crate::read_corpus`].
    pub hash: String,
    /// What is no document.
    pub counts: Counts,
}

struct Seen {
    text: String,
    subset: String,
    licence: String,
    date: String,
    language: &'static str,
    hash: u64,
}

/// Reads a corpus and counts.
///
/// # Errors
/// It cannot be read.
pub fn stats(path: &Path, threads: usize) -> Result<Stats> {
    let files = files(path, Selection::Named)?;
    let mut stats = Stats::default();
    let (mut counts, mut read) = (Counts::default(), Counts::default());
    let mut hash = CorpusHash::default();
    let (mut seen, mut lengths) = (HashSet::new(), Vec::<u32>::new());
    ordered(
        threads,
        |send| {
            for file in &files {
                let mut stream = file.open()?;
                let (mut batch, mut size) = (Vec::new(), 0);
                match file.form {
                    Form::Lines => {
                        let done = lines(&mut stream, &mut read, &mut |_, line, _| {
                            size += line.len();
                            batch.push((Form::Lines, line));
                            if size < BATCH {
                                return Ok(());
                            }
                            size = 0;
                            send(std::mem::take(&mut batch))
                        })?;
                        done.map_err(CorpusError::io(&file.path))?;
                    }
                    Form::Text => {
                        let mut bytes = Vec::new();
                        let done = stream.take(MAX_LINE_BYTES).read_to_end(&mut bytes);
                        done.map_err(CorpusError::io(&file.path))?;
                        batch.push((Form::Text, bytes));
                    }
                }
                send(batch)?;
            }
            Ok(())
        },
        |batch: Vec<(Form, Vec<u8>)>| {
            let mut counts = Counts::default();
            let seen = batch
                .into_iter()
                .filter_map(|(form, bytes)| look(form, &bytes, &mut counts));
            (seen.collect::<Vec<Seen>>(), counts)
        },
        |(batch, some)| {
            counts.merge(&some);
            for one in batch {
                let bytes = one.text.len() as u64;
                stats.documents += 1;
                stats.bytes += bytes;
                stats.characters += one.text.chars().count() as u64;
                stats.words += one.text.split_whitespace().count() as u64;
                stats.lines += one
                    .text
                    .lines()
                    .filter(|line| !line.trim().is_empty())
                    .count() as u64;
                stats.duplicates += u64::from(!seen.insert(one.hash));
                lengths.push(u32::try_from(bytes).unwrap_or(u32::MAX));
                hash.add(&one.text);
                for (table, name) in [
                    (&mut stats.subsets, one.subset.as_str()),
                    (&mut stats.languages, one.language),
                    (&mut stats.licences, &one.licence),
                ] {
                    let group = table.entry(name.to_owned()).or_default();
                    group.documents += 1;
                    group.bytes += bytes;
                }
                if !one.date.is_empty() {
                    let (first, last) = stats
                        .dates
                        .get_or_insert_with(|| (one.date.clone(), one.date.clone()));
                    if one.date < *first {
                        *first = one.date;
                    } else if one.date > *last {
                        *last = one.date;
                    }
                }
            }
            Ok(())
        },
    )?;
    lengths.sort_unstable();
    let at = |tenths: usize| {
        lengths.get((lengths.len() * tenths / 10).min(lengths.len().saturating_sub(1)))
    };
    let at = |tenths| at(tenths).copied().map_or(0, u64::from);
    stats.lengths = Lengths {
        p10: at(1),
        p50: at(5),
        p90: at(9),
        max: at(10),
    };
    stats.hash = hash.finish();
    counts.merge(&read);
    stats.counts = counts;
    Ok(stats)
}

fn look(form: Form, bytes: &[u8], counts: &mut Counts) -> Option<Seen> {
    let mut seen = Seen {
        text: String::new(),
        subset: "-".into(),
        licence: "-".into(),
        date: String::new(),
        language: "-",
        hash: 0,
    };
    match form {
        Form::Text => seen.text = decode(bytes, None).0,
        Form::Lines => {
            let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes) else {
                counts.one("skipped: bad JSON");
                return None;
            };
            let text =
                ["content", "text"]
                    .into_iter()
                    .find_map(|field| match object.remove(field) {
                        Some(Value::String(text)) => Some(text),
                        _ => None,
                    });
            let Some(text) = text else {
                counts.one("skipped: JSON without a text");
                return None;
            };
            seen.text = text;
            let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
            seen.subset =
                text(object.get("subset").or(object.get("domain"))).unwrap_or(seen.subset);
            let meta = object.get("meta");
            let of = |name: &str| text(meta.and_then(|meta| meta.get(name)));
            seen.licence = of("licence").or(of("license")).unwrap_or(seen.licence);
            seen.date = of("date")
                .and_then(|date| date.get(..10).map(ToOwned::to_owned))
                .unwrap_or_default();
        }
    }
    if seen.text.is_empty() {
        counts.one("skipped: empty");
        return None;
    }
    seen.language = identify(&seen.text).map_or("-", |(language, _)| language);
    seen.hash = document_hash(&seen.text);
    Some(seen)
}
