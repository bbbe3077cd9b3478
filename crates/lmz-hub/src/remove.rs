//! Removing models from the cache, and nothing else.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::cache::{HubCache, entries, files, refs};
use crate::error::{HubError, Result};
use crate::list::CachedModel;

impl HubCache {
    /// What would be freed if a commit, or all of a model, were removed.
    pub fn frees(&self, model: &CachedModel, commit: Option<&str>) -> u64 {
        let Some(commit) = commit else {
            return model.bytes;
        };
        let length = |path: &PathBuf| path.symlink_metadata().map_or(0, |found| found.len());
        self.only_of(model, commit).iter().map(length).sum()
    }

    /// Removes a commit, or all of a model.
    ///
    /// # Errors
    /// It is being fetched; it cannot be removed.
    pub fn remove(&self, model: &CachedModel, commit: Option<&str>) -> Result<()> {
        self.check(model)?;
        let Some(commit) = commit.filter(|_| model.revisions.len() > 1) else {
            // In this order nothing names what is gone.
            for part in ["refs", "snapshots"] {
                remove_directory(&model.folder.join(part))?;
            }
            remove_directory(&model.folder)?;
            return remove_directory(&self.locks(model));
        };
        let own = self.only_of(model, commit);
        for (name, of) in refs(&model.folder) {
            if of == commit {
                let path = model.folder.join("refs").join(name);
                fs::remove_file(&path).map_err(HubError::io(&path))?;
            }
        }
        remove_directory(&model.folder.join("snapshots").join(commit))?;
        for blob in own.iter().filter(|blob| blob.exists()) {
            fs::remove_file(blob).map_err(HubError::io(blob))?;
        }
        Ok(())
    }

    /// The locks of a model's files.
    fn locks(&self, model: &CachedModel) -> PathBuf {
        let folder = model.folder.file_name().unwrap_or_default();
        self.directory().join(".locks").join(folder)
    }

    /// That a model is a folder of this cache, and that nobody fetches it.
    fn check(&self, model: &CachedModel) -> Result<()> {
        let is_ours = model.folder.parent() == Some(self.directory());
        let is_directory = model
            .folder
            .symlink_metadata()
            .is_ok_and(|found| found.is_dir());
        if !is_ours || !is_directory {
            return Err(HubError::Damaged {
                path: model.folder.clone(),
                reason: "is no folder of the cache: nothing is removed".into(),
            });
        }
        for lock in entries(&self.locks(model)) {
            if let Ok(file) = File::open(lock.path())
                && matches!(file.try_lock(), Err(TryLockError::WouldBlock))
            {
                return Err(HubError::Busy {
                    name: model.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// Files that only this commit needs: blobs that no other one links to, and what lies in its snapshot itself.
    fn only_of(&self, model: &CachedModel, commit: &str) -> Vec<PathBuf> {
        let snapshots = model.folder.join("snapshots");
        let blobs = model.folder.join("blobs");
        let blobs_of = |commit: &str| -> BTreeSet<PathBuf> {
            let snapshot = snapshots.join(commit);
            let links = files(&snapshot).into_iter();
            links
                .filter_map(|file| blob_of(&snapshot.join(file)))
                .collect()
        };
        let others = model.revisions.iter().map(|(other, _)| other);
        let kept: BTreeSet<PathBuf> = others
            .filter(|other| *other != commit)
            .flat_map(|other| blobs_of(other))
            .collect();
        let mut own: Vec<PathBuf> = blobs_of(commit)
            .into_iter()
            .filter(|blob| !kept.contains(blob))
            .filter_map(|blob| Some(blobs.join(blob.file_name()?)))
            .collect();
        let snapshot = snapshots.join(commit);
        let plain = files(&snapshot).into_iter().map(|file| snapshot.join(file));
        own.extend(plain.filter(|path| path.symlink_metadata().is_ok_and(|found| found.is_file())));
        own
    }
}

/// The name of the blob that a link leads to.
fn blob_of(link: &Path) -> Option<PathBuf> {
    let target = fs::read_link(link).ok()?;
    let parent = target.parent()?.file_name()?;
    (parent == "blobs").then(|| PathBuf::from(target.file_name().unwrap_or_default()))
}

/// Removes a directory, if it is there. Links in it are removed, not what they lead to.
fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(HubError::io(path)),
    }
}
