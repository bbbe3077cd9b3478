//! What is fetched, in a build that can.

use std::env;
use std::path::{Path, PathBuf};

use lmz_corpus::build::Watch;
use lmz_corpus::build::net::{Fetcher, GitHub, fetch_paths, spread};
use lmz_corpus::build::sources::repository::Known;
use lmz_corpus::{CorpusError, Result};

/// `files` WET files of a dump, chosen by `seed`.
pub fn wet(
    base: &str,
    dump: &str,
    files: usize,
    seed: u64,
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Vec<PathBuf>> {
    let fetcher = Fetcher::new(watch);
    watch.stage("fetching", None);
    let paths = fetch_paths(&fetcher, base, dump)?;
    spread(&fetcher, base, &paths, files, seed, folder, watch)
}

/// Tarballs of what a search finds and of repositories by name, with what is known about them.
pub fn repositories(
    search: Option<&str>,
    most: usize,
    names: &[String],
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Vec<(PathBuf, Known)>> {
    let base = env::var("GITHUB_API_URL").unwrap_or_else(|_| "https://api.github.com".into());
    let token = env::var("GITHUB_TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    let github = GitHub::new(Fetcher::new(watch), &base, token.as_deref());
    watch.stage("searching", None);
    let mut found = match search {
        Some(query) => github.search(query, most, watch)?,
        None => Vec::new(),
    };
    for name in names {
        found.push(github.about(name)?);
    }
    std::fs::create_dir_all(folder).map_err(|error| CorpusError::Io {
        path: folder.to_owned(),
        error,
    })?;
    watch.stage("fetching", None);
    found
        .into_iter()
        .map(|one| {
            watch.note(&format!("fetching {}", one.known.name));
            Ok((github.tarball(&one, folder)?, one.known))
        })
        .collect()
}
