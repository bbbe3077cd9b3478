//! GitHub's search for repositories, and their tarballs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lmz_net::quoted;
use serde::Deserialize;

use super::super::date::Date;
use super::super::sources::repository::Known;
use super::super::watch::Watch;
use super::fetch::Fetcher;
use crate::error::{CorpusError, Result};

/// Most results that GitHub gives for a query, whatever it finds.
const MOST: u64 = 1000;
/// Results of a page.
const PAGE: u64 = 100;

/// A repository that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is known about it.
    pub known: Known,
    /// The branch that people see.
    pub branch: String,
}

/// GitHub's interface.
pub struct GitHub<'a> {
    fetcher: Fetcher<'a>,
    base: String,
}

#[derive(Deserialize)]
struct Answer {
    total_count: u64,
    items: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    stargazers_count: Option<u64>,
    #[serde(default)]
    license: Option<License>,
}

#[derive(Deserialize)]
struct License {
    #[serde(default)]
    spdx_id: Option<String>,
}

impl<'a> GitHub<'a> {
    /// The interface at `base` (`https://api.github.com`), with a token if there is one.
    pub fn new(fetcher: Fetcher<'a>, base: &str, token: Option<&str>) -> Self {
        let mut fetcher = fetcher
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(token) = token {
            fetcher = fetcher.header("authorization", &format!("Bearer {token}"));
        }
        Self {
            fetcher,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// What a search finds, in the order of the names; at most `most`.
    ///
    /// GitHub gives the first thousand of a query's results. A query that says when repositories were made
    /// (`created:>2026-06-01`, `created:2026-06-01..2026-07-01`) is cut into shorter times until each has no more than that.
    ///
    /// # Errors
    /// Those of the server; there are more results, and the query gives no time to cut.
    pub fn search(&self, query: &str, most: usize, watch: &dyn Watch) -> Result<Vec<Found>> {
        let mut found = BTreeMap::new();
        self.range(query, most, watch, &mut found)?;
        Ok(found.into_values().take(most).collect())
    }

    fn range(
        &self,
        query: &str,
        most: usize,
        watch: &dyn Watch,
        found: &mut BTreeMap<String, Found>,
    ) -> Result<()> {
        let mut seen = 0;
        for page in 1..=MOST / PAGE {
            let url = format!(
                "{}/search/repositories?q={}&sort=stars&order=desc&per_page={PAGE}&page={page}",
                self.base,
                quoted(query)
            );
            let reply = self.fetcher.get(&url)?;
            let answer: Answer = serde_json::from_slice(&reply.body).map_err(|error| {
                CorpusError::Refused(format!("{url}: not what GitHub answers: {error}"))
            })?;
            if page == 1 && answer.total_count > MOST && (most as u64) > MOST {
                let Some((earlier, later)) = halves(query) else {
                    return Err(CorpusError::Refused(format!(
                        "{} repositories fit {query:?} and GitHub lists {MOST}: add created:>DATE or created:A..B to the query, or ask for fewer",
                        answer.total_count
                    )));
                };
                self.range(&earlier, most, watch, found)?;
                return self.range(&later, most, watch, found);
            }
            seen += answer.items.len() as u64;
            let none = answer.items.is_empty();
            for one in answer.items {
                if is_name(&one.full_name) {
                    found.insert(one.full_name.clone(), one.into());
                }
            }
            let last = !reply.link.is_some_and(|link| link.contains("rel=\"next\""));
            if none || last || seen >= answer.total_count.min(most as u64) {
                break;
            }
        }
        watch.note(&format!("{query}: {seen} repositories"));
        Ok(())
    }

    /// What is known about a repository by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn about(&self, name: &str) -> Result<Found> {
        if !is_name(name) {
            return Err(CorpusError::Refused(format!("{name:?} is not OWNER/NAME")));
        }
        let url = format!("{}/repos/{name}", self.base);
        let reply = self.fetcher.get(&url)?;
        let one: Repository = serde_json::from_slice(&reply.body).map_err(|error| {
            CorpusError::Refused(format!("{url}: not what GitHub answers: {error}"))
        })?;
        Ok(one.into())
    }

    /// Fetches a repository's tarball into a folder, unless it is there.
    ///
    /// # Errors
    /// Those of the server and the file system.
    pub fn tarball(&self, found: &Found, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(format!("{}.tar.gz", found.known.name.replace('/', "__")));
        if !path.exists() {
            let url = format!(
                "{}/repos/{}/tarball/{}",
                self.base,
                found.known.name,
                quoted(&found.branch)
            );
            self.fetcher.download(&url, &path)?;
        }
        Ok(path)
    }
}

impl From<Repository> for Found {
    fn from(one: Repository) -> Self {
        let licence = one
            .license
            .and_then(|license| license.spdx_id)
            .filter(|id| id != "NOASSERTION");
        let created = one.created_at.as_deref().and_then(Date::leading);
        let known = Known {
            name: one.full_name,
            created,
            licence,
            stars: one.stargazers_count,
        };
        Self {
            known,
            branch: one.default_branch.unwrap_or_else(|| "HEAD".into()),
        }
    }
}

/// Whether a name is `owner/name` and nothing that could be a path elsewhere.
fn is_name(name: &str) -> bool {
    let fine = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    name.split_once('/')
        .is_some_and(|(owner, name)| fine(owner) && fine(name))
}

/// A query in two: for the earlier and for the later half of its time.
fn halves(query: &str) -> Option<(String, String)> {
    let term = query
        .split_whitespace()
        .find(|term| term.starts_with("created:"))?;
    let value = &term["created:".len()..];
    let (first, last) = if let Some((first, last)) = value.split_once("..") {
        (first.parse::<Date>().ok()?, last.parse::<Date>().ok()?)
    } else if let Some(first) = value.strip_prefix(">=") {
        (first.parse().ok()?, Date::today())
    } else {
        (
            value.strip_prefix('>')?.parse::<Date>().ok()?.plus(1),
            Date::today(),
        )
    };
    let days = last.since(first);
    if days < 1 {
        return None;
    }
    let middle = first.plus(days / 2);
    let with = |from: Date, to: Date| query.replacen(term, &format!("created:{from}..{to}"), 1);
    Some((with(first, middle), with(middle.plus(1), last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_in_two() {
        let query = "language:python created:2026-06-01..2026-06-30 stars:>10";
        let (earlier, later) = halves(query).unwrap();
        assert_eq!(
            earlier,
            "language:python created:2026-06-01..2026-06-15 stars:>10"
        );
        assert_eq!(
            later,
            "language:python created:2026-06-16..2026-06-30 stars:>10"
        );
        assert!(
            halves("created:>2020-01-01")
                .unwrap()
                .0
                .starts_with("created:2020-01-02..")
        );
        for none in [
            "stars:>10",
            "created:2026-06-01..2026-06-01",
            "created:yesterday",
        ] {
            assert_eq!(halves(none), None, "{none}");
        }
    }

    #[test]
    fn names_are_names() {
        for (name, fine) in [
            ("a/b.c-d_e", true),
            ("a", false),
            ("../x", false),
            ("a/../b", false),
            ("a/b/c", false),
        ] {
            assert_eq!(is_name(name), fine, "{name}");
        }
    }
}
