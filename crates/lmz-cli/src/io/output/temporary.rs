//! Files with a temporary name, which a signal or an error removes.
//!
//! Their paths stay as they were given: where the current directory's own path is longer than the system allows, an
//! absolute one leads nowhere.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::terminal::signal::Registry;

/// How often a name is thought of before it is given up.
const TRIES: u32 = 100;

/// A file with a temporary name. Dropping it removes the name.
pub struct Temporary {
    path: PathBuf,
    /// None if only the name is its own.
    file: Option<File>,
}

impl Temporary {
    /// A new file in `directory`, whose name begins with `prefix`. `private`: nobody but its owner may read it.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn create(directory: &Path, prefix: &OsString, private: bool) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // The process's mask takes its part of these away.
            options.mode(if private { 0o600 } else { 0o666 });
        }
        #[cfg(not(unix))]
        let _ = private;
        Self::named(directory, prefix, |path| options.open(path).map(Some))
    }

    /// A name in `directory` for a file that `link` gives it.
    ///
    /// # Errors
    /// Those of `link`, but that something has the name already.
    pub fn link(
        directory: &Path,
        prefix: &OsString,
        link: impl Fn(&Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        Self::named(directory, prefix, |path| link(path).map(|()| None))
    }

    fn named(
        directory: &Path,
        prefix: &OsString,
        make: impl Fn(&Path) -> io::Result<Option<File>>,
    ) -> io::Result<Self> {
        let mut registry = Registry::lock();
        for _ in 0..TRIES {
            let mut name = prefix.clone();
            name.push(format!("{}.tmp", random()));
            let path = match directory == Path::new(".") {
                true => PathBuf::from(name),
                false => directory.join(name),
            };
            match make(&path) {
                Ok(file) => {
                    registry.set(&path);
                    return Ok(Self { path, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The file, if it was opened under this name.
    pub fn file(&mut self) -> Option<&mut File> {
        self.file.as_mut()
    }

    /// Gives it the name `path`, in place of what has it.
    ///
    /// # Errors
    /// Those of renaming; the temporary name is removed.
    pub fn replace(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.forget();
        Ok(())
    }

    /// Gives it the name `path`, which nothing has.
    ///
    /// # Errors
    /// Something has it; those of renaming. The temporary name is removed.
    pub fn name(self, path: &Path) -> io::Result<()> {
        match rename_to_free(&self.path, path) {
            Ok(()) => {
                self.forget();
                Ok(())
            }
            // Some file systems cannot rename without replacing.
            Err(error)
                if error.kind() != io::ErrorKind::AlreadyExists
                    && fs::symlink_metadata(path).is_err() =>
            {
                self.replace(path)
            }
            Err(error) => Err(error),
        }
    }

    /// The name is no longer its own.
    fn forget(mut self) {
        self.path.clear();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // Nobody is left to be told.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Six letters that other processes and earlier names are not likely to have.
fn random() -> String {
    use std::hash::{BuildHasher, RandomState};
    let mut state = RandomState::new().hash_one(std::process::id());
    let letter = |_| {
        let letter = b'a' + (state % 26) as u8;
        state /= 26;
        char::from(letter)
    };
    (0..6).map(letter).collect()
}

#[cfg(target_os = "linux")]
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(target_os = "linux"))]
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}
