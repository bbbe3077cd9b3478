//! The cache, and finding a model in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::environment::Environment;
use crate::error::{HubError, Result};
use crate::gguf_name;
use crate::name::{HubName, is_commit, is_path};

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const SINGLE: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// Longest index that is read.
pub(crate) const MAX_INDEX: u64 = 64 << 20;
/// Most files that an index may name.
const MAX_SHARDS: usize = 4096;
/// How deep GGUF files are looked for below a snapshot.
const MAX_DEPTH: usize = 4;

/// The directory in which Hugging Face's tools keep models. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubCache {
    directory: PathBuf,
}

impl HubCache {
    /// A cache in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self { directory }
    }

    /// The user's (`HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`); none if the environment names no home.
    pub fn from_env() -> Option<Self> {
        Environment::of_user().cache.map(Self::new)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The folder of a model.
    pub(crate) fn folder(&self, name: &HubName) -> PathBuf {
        self.directory.join(name.folder())
    }

    /// The model of this name: a directory with `config.json`, `tokenizer.json` and safetensors, or the GGUF file that was
    /// named or is the only one. All that lmz reads of it is there.
    ///
    /// # Errors
    /// It is not there, or not all of it; there are several GGUF files.
    pub fn find(&self, name: &HubName) -> Result<PathBuf> {
        let folder = self.folder(name);
        if !folder.is_dir() {
            return Err(HubError::NotHere {
                name: name.to_string(),
                cache: self.directory.clone(),
            });
        }
        let snapshot = self.snapshot(name)?;
        let incomplete = |file: String| HubError::Incomplete {
            name: name.to_string(),
            file,
            directory: snapshot.clone(),
            unfinished: has_unfinished(&folder),
        };
        if let Some(file) = name.file() {
            let mut parts = gguf_name::parts(file);
            parts.retain(|part| !snapshot.join(part).is_file());
            return match parts.first() {
                Some(missing) => Err(incomplete(missing.clone())),
                None => Ok(snapshot.join(file)),
            };
        }
        let has = |file: &str| snapshot.join(file).is_file();
        let files = files(&snapshot);
        let ggufs = gguf_name::models(files.iter().map(String::as_str));
        let has_weights = has(SINGLE) || has(INDEX);
        match ggufs.as_slice() {
            [] => {}
            _ if has(CONFIG) && has_weights => {}
            [one] => return self.find(&name.with_file(one)),
            several => {
                return Err(HubError::Several {
                    name: name.to_string(),
                    repo: name.to_string(),
                    files: several.iter().map(|&file| file.to_owned()).collect(),
                });
            }
        }
        for file in [CONFIG, TOKENIZER] {
            if !has(file) {
                return Err(incomplete(file.to_owned()));
            }
        }
        if !has_weights {
            return Err(incomplete(SINGLE.to_owned()));
        }
        if !has(SINGLE) {
            for shard in shards(&snapshot.join(INDEX))? {
                if !has(&shard) {
                    return Err(incomplete(shard));
                }
            }
        }
        Ok(snapshot)
    }

    /// The directory of a revision.
    fn snapshot(&self, name: &HubName) -> Result<PathBuf> {
        let folder = self.folder(name);
        let revision = name.revision();
        let snapshots = folder.join("snapshots");
        let refs = refs(&folder);
        let commit = match refs.get(revision) {
            Some(commit) => commit.as_str(),
            None if is_commit(revision) => revision,
            None => "",
        };
        let snapshot = snapshots.join(commit);
        if is_commit(commit) && snapshot.is_dir() {
            return Ok(snapshot);
        }
        if has_unfinished(&folder) || refs.contains_key(revision) {
            return Err(HubError::Incomplete {
                name: name.to_string(),
                file: "its snapshot".to_owned(),
                directory: snapshots,
                unfinished: has_unfinished(&folder),
            });
        }
        let mut there: Vec<String> = refs.into_keys().collect();
        there.extend(commits(&folder));
        if there.is_empty() {
            return Err(HubError::NotHere {
                name: name.to_string(),
                cache: self.directory.clone(),
            });
        }
        Err(HubError::NoRevision {
            name: name.to_string(),
            repo: name.repo(),
            revision: revision.to_owned(),
            there,
        })
    }
}

/// The commits of a model's snapshots, sorted.
pub(crate) fn commits(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in entries(&folder.join("snapshots")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_commit(&name) {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// The commits that revisions are.
pub(crate) fn refs(folder: &Path) -> BTreeMap<String, String> {
    let root = folder.join("refs");
    let mut found = BTreeMap::new();
    for name in files(&root) {
        let mut text = String::new();
        let read =
            File::open(root.join(&name)).and_then(|file| file.take(256).read_to_string(&mut text));
        if read.is_ok() {
            found.insert(name, text.trim().to_owned());
        }
    }
    found
}

/// What a directory holds; nothing if it cannot be read.
pub(crate) fn entries(directory: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    fs::read_dir(directory).into_iter().flatten().flatten()
}

/// The files below a directory, links to files included, as paths with slashes, sorted.
pub(crate) fn files(directory: &Path) -> BTreeSet<String> {
    fn look(directory: &Path, before: &str, depth: usize, found: &mut BTreeSet<String>) {
        for entry in entries(directory) {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{before}{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => {
                    look(&entry.path(), &format!("{path}/"), depth + 1, found);
                }
                Ok(kind) if !kind.is_dir() && entry.path().is_file() => {
                    found.insert(path);
                }
                _ => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    look(directory, "", 0, &mut found);
    found
}

/// Whether there is a part of a file.
pub(crate) fn has_unfinished(folder: &Path) -> bool {
    entries(&folder.join("blobs")).any(|entry| is_unfinished(&entry))
}

pub(crate) fn is_unfinished(blob: &fs::DirEntry) -> bool {
    blob.file_name().to_string_lossy().ends_with(".incomplete")
}

/// The files that an index names.
pub(crate) fn shards(index: &Path) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
        #[serde(default)]
        #[allow(dead_code, reason = "whatever it holds")]
        metadata: Option<IgnoredAny>,
    }
    let damaged = |reason: String| HubError::Damaged {
        path: index.to_owned(),
        reason,
    };
    let mut text = Vec::new();
    File::open(index)
        .and_then(|file| file.take(MAX_INDEX + 1).read_to_end(&mut text))
        .map_err(HubError::io(index))?;
    if text.len() as u64 > MAX_INDEX {
        return Err(damaged(format!("longer than {MAX_INDEX} bytes")));
    }
    let index: Index =
        serde_json::from_slice(&text).map_err(|error| damaged(format!("no index: {error}")))?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    if shards.len() > MAX_SHARDS {
        return Err(damaged(format!("names more than {MAX_SHARDS} files")));
    }
    match shards
        .iter()
        .find(|shard| !is_path(shard) || shard.contains('/'))
    {
        Some(bad) => Err(damaged(format!(
            "names {bad:?}, which is no plain file name"
        ))),
        None => Ok(shards),
    }
}
