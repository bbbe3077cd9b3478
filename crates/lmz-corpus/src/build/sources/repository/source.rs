//! Files of repositories as documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::super::counts::Counts;
use super::super::super::date::Date;
use super::super::super::document::{Item, Meta, Raw};
use super::super::super::filters::{CodeFilter, CodeLanguage};
use super::super::super::text::{clean, decode, is_binary};
use super::super::archive::{Walk, is_archive};
use super::super::{Input, Send, Source};
use super::archive::{below_top, files, label};
use super::git::Repository;
use super::licence::{is_licence, licence_of};
use crate::error::Result;

/// Largest file that is looked at, in bytes (CodeParrot's limit on GitHub is 1 MB).
const MAX_FILE: u64 = 1 << 20;
/// Documents of a repository that are taken together, in bytes: the paper keeps neighbouring files together.
const SEGMENT: u64 = 128 << 10;

/// What a list or a search says of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// `owner/name`.
    pub name: String,
    /// The day it was made.
    pub created: Option<Date>,
    /// The licence, as SPDX has it.
    pub licence: Option<String>,
    /// How many like it.
    pub stars: Option<u64>,
}

/// Repositories: folders of git, bare or not, and tarballs.
#[derive(Clone, Debug, Default)]
pub struct Repositories {
    /// What is read.
    pub inputs: Vec<Input>,
    /// What is known about inputs, by their names.
    pub known: BTreeMap<String, Known>,
    /// Which languages' files are kept.
    pub languages: Vec<CodeLanguage>,
    /// Which files are kept.
    pub code: CodeFilter,
    /// Only these licences, if any are named (SPDX, the case does not matter).
    pub licences: Vec<String>,
    /// Only what was made (or, where that is not known, committed) on this day or later.
    pub after: Option<Date>,
}

impl Repositories {
    /// Whether a repository is wanted, and what is known about it.
    fn about(
        &self,
        input: &Input,
        commit: Option<&str>,
        date: Option<Date>,
        licence: Option<&str>,
        counts: &mut Counts,
    ) -> Option<Meta> {
        let known = self.known.get(&input.name).cloned().unwrap_or_default();
        let licence = known.licence.as_deref().or(licence);
        let created = known.created.or(date);
        if self.after.is_some_and(|after| created < Some(after)) {
            counts.one("dropped: repository of another date");
            return None;
        }
        let fits = |licence: &str| {
            self.licences
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(licence))
        };
        if !self.licences.is_empty() && !licence.is_some_and(fits) {
            counts.one("dropped: repository of another licence");
            return None;
        }
        let name = match known.name.is_empty() {
            true => stem(&input.name).to_owned(),
            false => known.name,
        };
        let mut meta = Meta::new();
        meta.insert("repository".into(), name.into());
        meta.insert("commit".into(), commit.into());
        meta.insert(
            "date".into(),
            date.or(created).map(|date| date.to_string()).into(),
        );
        meta.insert(
            "created".into(),
            known.created.map(|date| date.to_string()).into(),
        );
        meta.insert("licence".into(), licence.into());
        meta.insert("stars".into(), known.stars.into());
        Some(meta)
    }

    fn wants(&self, path: &str, counts: &mut Counts) -> bool {
        counts.one("read: files");
        if !CodeLanguage::of(path).is_some_and(|language| self.languages.contains(&language)) {
            counts.one("passed: other languages");
            return false;
        }
        if CodeFilter::is_foreign(path) {
            counts.one("dropped: somebody else's code");
            return false;
        }
        true
    }
}

fn stem(name: &str) -> &str {
    let ends = [".git", ".tar.gz", ".tar.zst", ".tgz", ".tar"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

fn raw(meta: &Meta, path: &str, bytes: Vec<u8>) -> Raw {
    let mut meta = meta.clone();
    meta.insert("path".into(), path.into());
    Raw {
        name: path.to_owned(),
        form: "code",
        bytes,
        meta,
    }
}

impl Source for Repositories {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn settings(&self) -> Value {
        json!({
            "languages": self.languages.iter().map(|language| language.name).collect::<Vec<_>>(),
            "max_line": self.code.max_line,
            "mean_line": self.code.mean_line,
            "min_alphanumeric": self.code.min_alphanumeric,
            "config_test_and_keyword_share": self.code.share,
            "licences": self.licences,
            "after": self.after,
            "known": self.known,
        })
    }

    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn read(&self, input: &Input, send: &mut Send<'_>, counts: &mut Counts) -> Result<()> {
        counts.one("read: repositories");
        if input.path.is_file() || is_archive(&input.path) {
            let label = label(&input.path)?;
            let Some(meta) =
                self.about(input, label.commit.as_deref(), None, label.licence, counts)
            else {
                return Ok(());
            };
            return files(&input.path, counts, &mut |member, counts| {
                let path = below_top(&member.path).to_owned();
                if self.wants(&path, counts) {
                    match member.read(MAX_FILE) {
                        Ok(Some(bytes)) => send(raw(&meta, &path, bytes))?,
                        Ok(None) => counts.one("skipped: file too long"),
                        Err(_) => counts.one("broken: file of an archive"),
                    }
                }
                Ok(Walk::On)
            });
        }
        let mut repository = Repository::open(&input.path)?;
        let date = time::OffsetDateTime::from_unix_timestamp(repository.time).ok();
        let date = date.and_then(|time| Date::new(time.year(), time.month().into(), time.day()));
        let mut licence = None;
        for number in 0..repository.blobs.len() {
            if is_licence(&repository.blobs[number].path) {
                licence = licence.or(repository
                    .read(number, MAX_FILE)?
                    .and_then(|text| licence_of(&text)));
            }
        }
        let commit = repository.commit.clone();
        let Some(meta) = self.about(input, Some(&commit), date, licence, counts) else {
            return Ok(());
        };
        for number in 0..repository.blobs.len() {
            let path = repository.blobs[number].path.clone();
            if !self.wants(&path, counts) {
                continue;
            }
            match repository.read(number, MAX_FILE)? {
                Some(bytes) => send(raw(&meta, &path, bytes))?,
                None => counts.one("skipped: file too long"),
            }
        }
        Ok(())
    }

    fn build(&self, raw: Raw, counts: &mut Counts) -> Option<Item> {
        let language = CodeLanguage::of(&raw.name)?;
        if is_binary(&raw.bytes) {
            counts.one("skipped: no text");
            return None;
        }
        let (text, wrong) = decode(&raw.bytes, None);
        counts.add("repaired: encoding", u64::from(wrong));
        let text = format!("{}\n", clean(&text));
        if !self.code.keep(language, &text, counts) {
            return None;
        }
        Some(Item {
            content: text,
            subset: language.name.into(),
            meta: raw.meta,
            group: 0,
        })
    }

    fn segment(&self) -> Option<u64> {
        Some(SEGMENT)
    }
}
