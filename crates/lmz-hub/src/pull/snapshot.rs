//! The names that contents have in a commit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{HubError, Result};

/// Gives a content its name: a link that leads to it, relative, so that the cache can be moved. Where links cannot be made
/// the content itself is moved there, as Hugging Face's tools do.
pub(super) fn place(blob: &Path, path: &Path, name: &str) -> Result<()> {
    place_by(&link, blob, path, name)
}

fn place_by(
    link: &dyn Fn(&Path, &Path) -> io::Result<()>,
    blob: &Path,
    path: &Path,
    name: &str,
) -> Result<()> {
    let io = HubError::io(path);
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(&io)?;
    // From the snapshot's directory, and from each below it.
    let up = 2 + name.matches('/').count();
    let mut target: PathBuf = std::iter::repeat_n("..", up).collect();
    target.push("blobs");
    target.push(blob.file_name().unwrap_or_default());
    let temporary = temporary(parent);
    if link(&target, &temporary).is_ok() && temporary.is_file() {
        return fs::rename(&temporary, path).map_err(&io);
    }
    let _ = fs::remove_file(&temporary);
    fs::rename(blob, path)
        .or_else(|_| fs::copy(blob, path).map(drop))
        .map_err(&io)
}

/// A name for what is on its way to another one in the same directory. What had it is gone.
pub(super) fn temporary(parent: &Path) -> PathBuf {
    let path = parent.join(format!(".{}.tmp", std::process::id()));
    // Of a process that had the same number.
    let _ = fs::remove_file(&path);
    path
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

#[cfg(not(any(unix, windows)))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_links_files_lie_there_themselves() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let blob = root.join("blobs/0a");
        fs::create_dir(root.join("blobs")).unwrap();
        for name in ["a", "b/c/d"] {
            fs::write(&blob, "content").unwrap();
            let path = root.join("snapshots/0").join(name);
            #[cfg(unix)]
            {
                place(&blob, &path, name).unwrap();
                assert!(path.symlink_metadata().unwrap().is_symlink());
                assert_eq!(fs::read(&path).unwrap(), b"content", "{name}");
                assert!(blob.is_file());
            }
            let none = |_: &Path, _: &Path| Err(io::ErrorKind::Unsupported.into());
            place_by(&none, &blob, &path, name).unwrap();
            assert!(path.symlink_metadata().unwrap().is_file());
            assert_eq!(fs::read(&path).unwrap(), b"content", "{name}");
            assert!(!blob.exists());
        }
    }
}
