//! Crawled pages as documents.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::{Value, json};

use super::super::super::counts::Counts;
use super::super::super::date::Date;
use super::super::super::document::{Item, Meta, Raw};
use super::super::super::filters::{LanguageFilter, ProseFilter};
use super::super::super::limits::MAX_ITEM_BYTES;
use super::super::super::text::{clean, decode, html_to_text, label_of};
use super::super::{Input, Send, Source};
use super::http::response;
use super::members::Members;
use super::record::{Found, Record, RecordReader};
use crate::error::{CorpusError, Result};

/// WET files (pages as text), or WARC files (as they were fetched).
#[derive(Clone, Debug, Default)]
pub struct Crawl {
    /// The files.
    pub inputs: Vec<Input>,
    /// Which languages are kept.
    pub language: LanguageFilter,
    /// Which texts are kept.
    pub prose: ProseFilter,
    /// Pages fetched on this day or later.
    pub after: Option<Date>,
    /// Pages fetched before this day.
    pub before: Option<Date>,
}

/// Calls `each` for the records of a file, plain or of gzip members. What is broken is counted.
///
/// # Errors
/// The file cannot be read; those of `each`.
pub fn records(
    path: &Path,
    counts: &mut Counts,
    each: &mut dyn FnMut(Record, &mut Counts) -> Result<()>,
) -> Result<()> {
    let io = CorpusError::io(path);
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(&io)?);
    let packed = file.fill_buf().map_err(&io)?.starts_with(&[0x1f, 0x8b]);
    // The largest text fits; a page may be larger than its text.
    let most = 2 * MAX_ITEM_BYTES;
    if packed {
        let members = BufReader::with_capacity(1 << 17, Members::new(file));
        let mut reader = RecordReader::new(members, most);
        drain(path, &mut reader, counts, each)?;
        counts.add("broken: gzip member", reader.input().get_ref().broken);
        return Ok(());
    }
    drain(path, &mut RecordReader::new(file, most), counts, each)
}

fn drain<R: BufRead + Read>(
    path: &Path,
    reader: &mut RecordReader<R>,
    counts: &mut Counts,
    each: &mut dyn FnMut(Record, &mut Counts) -> Result<()>,
) -> Result<()> {
    // A member's checksum comes behind its record: a record is given once the next thing is there.
    let mut last: Option<Record> = None;
    while let Some(found) = reader.next_found().map_err(CorpusError::io(path))? {
        if let Some(record) = last.take().filter(|_| found != Found::Unsound) {
            counts.one("read: records");
            each(record, counts)?;
        }
        match found {
            Found::Record(record) => last = Some(record),
            Found::Broken | Found::Unsound => counts.one("broken: record"),
            Found::TooLong => counts.one("skipped: record too long"),
        }
    }
    if let Some(record) = last {
        counts.one("read: records");
        each(record, counts)?;
    }
    Ok(())
}

impl Source for Crawl {
    fn kind(&self) -> &'static str {
        "cc"
    }

    fn settings(&self) -> Value {
        json!({
            "languages": self.language.languages,
            "language_confidence": self.language.confidence,
            "min_characters": self.prose.min_characters,
            "min_alphanumeric": self.prose.min_alphanumeric,
            "max_line": self.prose.max_line,
            "boilerplate": self.prose.boilerplate,
            "after": self.after,
            "before": self.before,
        })
    }

    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn read(&self, input: &Input, send: &mut Send<'_>, counts: &mut Counts) -> Result<()> {
        records(&input.path, counts, &mut |record, counts| {
            let kind = record.header("WARC-Type").unwrap_or_default();
            if kind != "conversion" && kind != "response" {
                counts.one("passed: other records");
                return Ok(());
            }
            let date = record.header("WARC-Date").unwrap_or_default();
            let day = Date::leading(date);
            let dated = self.after.is_some() || self.before.is_some();
            if dated && day.is_none() {
                counts.one("dropped: no date");
                return Ok(());
            }
            if self.after.is_some_and(|after| day < Some(after))
                || self.before.is_some_and(|before| day >= Some(before))
            {
                counts.one("dropped: other date");
                return Ok(());
            }
            if record.header("WARC-Truncated").is_some() {
                counts.one("passed: cut by the crawler");
            }
            let mut meta = Meta::new();
            let url = record.header("WARC-Target-URI").unwrap_or_default();
            let url = url.trim_matches(['<', '>']).to_owned();
            meta.insert("url".into(), url.clone().into());
            meta.insert("date".into(), date.into());
            meta.insert("licence".into(), Value::Null);
            let id = record.header("WARC-Record-ID").unwrap_or_default();
            meta.insert("record".into(), id.trim_matches(['<', '>']).into());
            let form = if kind == "response" { "http" } else { "text" };
            send(Raw {
                name: url,
                form,
                bytes: record.body,
                meta,
            })
        })
    }

    fn build(&self, raw: Raw, counts: &mut Counts) -> Option<Item> {
        let mut meta = raw.meta;
        let text = match raw.form {
            "http" => page(&raw.bytes, &mut meta, counts)?,
            _ => {
                let (text, wrong) = decode(&raw.bytes, Some("utf-8"));
                counts.add("repaired: encoding", u64::from(wrong));
                text
            }
        };
        let text = self.prose.keep(clean(&text), counts)?;
        let language = self.language.keep(&text, counts)?;
        meta.insert("language".into(), language.into());
        Some(Item {
            content: text,
            subset: "web".into(),
            meta,
            group: 0,
        })
    }
}

/// The text of a page as it was fetched.
fn page(bytes: &[u8], meta: &mut Meta, counts: &mut Counts) -> Option<String> {
    let Some(response) = response(bytes) else {
        counts.one("dropped: no successful response");
        return None;
    };
    let kind = response.kind.as_str();
    let is_html = kind.contains("html") || (kind.is_empty() && response.body.starts_with(b"<"));
    if !is_html && !kind.starts_with("text/plain") {
        counts.one("dropped: neither HTML nor text");
        return None;
    }
    let label = label_of(kind.as_bytes()).or_else(|| label_of(&response.body));
    let (text, wrong) = decode(&response.body, label);
    counts.add("repaired: encoding", u64::from(wrong));
    if !is_html {
        return Some(text);
    }
    let page = html_to_text(&text);
    meta.insert("title".into(), page.title.into());
    Some(page.text)
}
