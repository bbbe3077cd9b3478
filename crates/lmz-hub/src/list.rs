//! What is in the cache.

use std::path::PathBuf;

use crate::cache::{HubCache, commits, entries, files, is_unfinished, refs};
use crate::error::HubError;
use crate::name::{HubName, is_commit};

/// A model in the cache, with all of its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// `ORG/NAME`
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes on the disk, those of unfinished files included.
    pub bytes: u64,
    /// Commits that are there, each with the names that it has (`main`).
    pub revisions: Vec<(String, Vec<String>)>,
    /// What lmz can do with it.
    pub state: State,
}

/// What lmz can do with a model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be given to `-m` by its name.
    Ready,
    /// It can be given with one of these GGUF files.
    Files(Vec<String>),
    /// Something is missing.
    Incomplete,
}

impl HubCache {
    /// All models, by name.
    pub fn models(&self) -> Vec<CachedModel> {
        let mut found = Vec::new();
        for entry in entries(self.directory()) {
            let folder = entry.file_name().to_string_lossy().into_owned();
            // A link would lead out of the cache.
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let name = folder
                .strip_prefix("models--")
                .and_then(|name| name.split_once("--"))
                .and_then(|(org, name)| HubName::parse(&format!("{org}/{name}")));
            if let (Some(name), true) = (name, is_directory) {
                found.push(self.model(&name));
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn model(&self, name: &HubName) -> CachedModel {
        let folder = self.folder(name);
        let refs = refs(&folder);
        let named = |commit: &str| {
            let names = refs.iter().filter(|(_, of)| of.as_str() == commit);
            names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let mut revisions: Vec<(String, Vec<String>)> = commits(&folder)
            .into_iter()
            .map(|commit| {
                let names = named(&commit);
                (commit, names)
            })
            .collect();
        // What has a name comes first.
        revisions.sort_by_key(|(_, names)| names.is_empty());
        CachedModel {
            name: name.repo(),
            bytes: blobs(&folder) + outside_of_blobs(&folder),
            revisions,
            state: match self.find(name) {
                Ok(_) => State::Ready,
                Err(HubError::Several { files, .. }) => State::Files(files),
                Err(_) => State::Incomplete,
            },
            folder,
        }
    }
}

impl CachedModel {
    /// Bytes of files that were not fetched to their ends.
    pub fn unfinished(&self) -> u64 {
        let parts = entries(&self.folder.join("blobs")).filter(is_unfinished);
        parts
            .map(|part| part.metadata().map_or(0, |m| m.len()))
            .sum()
    }

    /// The commit of a revision, by its name or its own.
    pub fn commit(&self, revision: &str) -> Option<&str> {
        let of = |(commit, names): &(String, Vec<String>)| {
            commit == revision || names.iter().any(|name| name == revision)
        };
        let found = self.revisions.iter().find(|revision| of(revision))?;
        Some(&found.0)
    }
}

/// Bytes of a model's blobs.
fn blobs(folder: &std::path::Path) -> u64 {
    let blobs = entries(&folder.join("blobs"));
    // Not that of what a link leads to.
    blobs
        .map(|blob| blob.metadata().map_or(0, |m| m.len()))
        .sum()
}

/// Bytes of files in snapshots that are no links: where links cannot be made, files lie there themselves.
fn outside_of_blobs(folder: &std::path::Path) -> u64 {
    let snapshots = folder.join("snapshots");
    let mut bytes = 0;
    for entry in entries(&snapshots) {
        if !is_commit(&entry.file_name().to_string_lossy()) {
            continue;
        }
        for file in files(&entry.path()) {
            let found = entry.path().join(file).symlink_metadata();
            bytes += found
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map_or(0, |found| found.len());
        }
    }
    bytes
}
