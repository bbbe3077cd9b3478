//! arXiv's metadata: one JSON object a line, as in the OAI snapshot that arXiv publishes.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::super::super::counts::Counts;
use super::super::super::date::Date;
use super::super::folder::lines;
use crate::error::{CorpusError, Result};
use crate::files::SourceFile;

/// Which papers are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The primary category: an archive (`math`), or one of its categories (`math.CO`).
    pub category: Option<String>,
    /// Papers whose first version is of this day or later.
    pub after: Option<Date>,
    /// Papers whose first version is of an earlier day.
    pub before: Option<Date>,
}

/// What is known about a paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// The day of its first version.
    pub date: Date,
    /// Its categories, the primary one first.
    pub categories: String,
    /// The licence's address.
    pub licence: Option<String>,
    /// Its title.
    pub title: String,
}

/// The papers that are wanted, by their identifiers.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    /// What is known about them.
    pub by_id: HashMap<String, Paper>,
    /// What became of the file's lines.
    pub counts: Counts,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    categories: String,
    #[serde(default)]
    license: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    versions: Vec<Version>,
    #[serde(default)]
    update_date: String,
}

#[derive(Deserialize)]
struct Version {
    created: String,
}

impl Papers {
    /// Reads the snapshot (also `.gz` or `.zst`) and keeps what is wanted.
    ///
    /// # Errors
    /// The file cannot be read, or has no paper in it at all.
    pub fn read(path: &Path, wanted: &Wanted) -> Result<Self> {
        let mut papers = Self::default();
        let mut stream = SourceFile::at(path).open()?;
        let mut counts = Counts::default();
        let read = lines(&mut stream, &mut counts, &mut |_, line, counts| {
            match serde_json::from_slice::<Line>(&line) {
                Ok(line) => papers.take(line, wanted, counts),
                Err(_) => counts.one("metadata: bad lines"),
            }
            Ok(())
        })?;
        read.map_err(CorpusError::io(path))?;
        if counts.get("metadata: papers") == 0 {
            return Err(CorpusError::not_a_corpus(
                path,
                "no line of it describes a paper of arXiv",
            ));
        }
        counts.add("metadata: wanted", papers.by_id.len() as u64);
        papers.counts = counts;
        Ok(papers)
    }

    fn take(&mut self, line: Line, wanted: &Wanted, counts: &mut Counts) {
        counts.one("metadata: papers");
        let primary = line
            .categories
            .split_whitespace()
            .next()
            .unwrap_or_default();
        let fits = wanted.category.as_deref().is_none_or(|category| {
            primary == category || primary.split('.').next() == Some(category)
        });
        let first = line
            .versions
            .first()
            .and_then(|version| Date::rfc822(&version.created));
        // A revision's day is later than the paper's: it is no evidence of freshness, but of age.
        let Some(date) = first.or_else(|| Date::leading(&line.update_date)) else {
            counts.one("metadata: no date");
            return;
        };
        let fresh = wanted.after.is_none_or(|after| date >= after)
            && wanted.before.is_none_or(|before| date < before);
        if fits && fresh {
            let title = line.title.split_whitespace().collect::<Vec<_>>().join(" ");
            let Line {
                id,
                categories,
                license: licence,
                ..
            } = line;
            self.by_id.insert(
                id,
                Paper {
                    date,
                    categories,
                    licence,
                    title,
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn papers_are_chosen_by_category_and_first_version() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("snapshot.json");
        let line = |id: &str, categories: &str, created: &str| {
            format!(
                "{{\"id\":\"{id}\",\"categories\":\"{categories}\",\"license\":null,\"title\":\"A\\n  B\",\
                \"versions\":[{{\"version\":\"v1\",\"created\":\"{created}\"}},{{\"version\":\"v2\",\
                \"created\":\"Fri, 1 Jan 2027 00:00:00 GMT\"}}],\"update_date\":\"2027-01-01\"}}\n"
            )
        };
        let day = "Mon, 1 Jun 2026 10:00:00 GMT";
        let text = [
            line("2606.00001", "math.CO cs.DM", day),
            line("2606.00002", "cs.DM math.CO", day),
            line("2605.00003", "math.CO", "Sun, 31 May 2026 10:00:00 GMT"),
            line("2606.00004", "mathematics", day),
            "{}\nnonsense\n".into(),
        ];
        std::fs::write(&path, text.concat()).unwrap();
        let wanted = Wanted {
            category: Some("math".into()),
            after: Date::new(2026, 6, 1),
            before: None,
        };
        let papers = Papers::read(&path, &wanted).unwrap();
        assert_eq!(papers.by_id.keys().collect::<Vec<_>>(), ["2606.00001"]);
        assert_eq!(papers.by_id["2606.00001"].title, "A B");
        assert_eq!(papers.counts.get("metadata: bad lines"), 2);
        std::fs::write(&path, "{\"text\":\"x\"}\n").unwrap();
        assert!(Papers::read(&path, &wanted).is_err());
    }
}
