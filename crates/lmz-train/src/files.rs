//! Files that are whole or not there: written under another name, flushed, then renamed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Result, TrainError};

/// Writes `path` by `write`. A failure, or the end of the process at any moment, leaves what was
/// there before.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> std::io::Result<()>,
) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let save = || -> std::io::Result<()> {
        let mut temporary = tempfile::Builder::new()
            .prefix(".lmz-train-")
            .permissions_like_others()
            .tempfile_in(directory)?;
        let mut writer = BufWriter::new(temporary.as_file_mut());
        write(&mut writer)?;
        writer.flush()?;
        drop(writer);
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|error| error.error)?;
        // The name is durable once its directory is.
        if cfg!(unix) {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    };
    save().map_err(TrainError::write(path))
}

/// Writes bytes to a file, which is whole or not there.
pub(crate) fn replace_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |file| file.write_all(bytes))
}

/// Removes what a killed run left half-written.
pub(crate) fn remove_leftovers(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(".lmz-train-")
        {
            // One that stays does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

trait Permissions {
    fn permissions_like_others(&mut self) -> &mut Self;
}

impl Permissions for tempfile::Builder<'_, '_> {
    /// As an ordinary new file, not only for its owner.
    fn permissions_like_others(&mut self) -> &mut Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            self.permissions(fs::Permissions::from_mode(0o666))
        }
        #[cfg(not(unix))]
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        replace_bytes(&path, b"one").unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"tw")?;
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        });
        assert!(failed.unwrap_err().to_string().contains("state"));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
