//! A file that gets its name when it is complete.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::nameless;
use super::temporary::Temporary;
use crate::io::attributes::Attributes;
use crate::io::sparse::Lengthen;
use crate::io::system::describe;
use crate::terminal::signal::Registry;

/// Longest part of an output's name that its temporary file's name repeats.
const MAX_STEM: usize = 128;

/// A file that will be called `path`. Until then it has no name, or where that is not to be had a
/// temporary one beside `path`.
pub struct Pending {
    /// None once it has its name.
    file: Option<Unnamed>,
    path: PathBuf,
    force: bool,
    private: bool,
}

enum Unnamed {
    Nameless(File),
    Temporary(Temporary),
}

impl Unnamed {
    fn file(&mut self) -> io::Result<&mut File> {
        match self {
            Self::Nameless(file) => Ok(file),
            Self::Temporary(named) => named.file().ok_or(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Pending {
    /// `force`: what has the name then is replaced. `private`: nobody else may read it.
    ///
    /// # Errors
    /// `path` ends in no name; its directory cannot be written.
    pub fn create(path: &Path, force: bool, private: bool) -> Result<Self> {
        let mut pending = Self {
            file: None,
            path: path.to_owned(),
            force,
            private,
        };
        if path.file_name().is_none() {
            bail!("not the name of a file");
        }
        pending.file = Some(match nameless::create(pending.directory(), private) {
            Ok(file) => Unnamed::Nameless(file),
            // If the directory is at fault, this says so.
            Err(_) => Unnamed::Temporary(pending.temporary().map_err(describe)?),
        });
        Ok(pending)
    }

    /// Gives it its name, after permissions and times from `like`, when all of it is on the disk.
    ///
    /// # Errors
    /// The disk is full; the name is taken after all.
    pub fn commit(&mut self, like: Option<&Attributes>) -> Result<()> {
        let Some(mut unnamed) = self.file.take() else {
            bail!("it was written before");
        };
        let file = unnamed.file().map_err(describe)?;
        if let Some(like) = like {
            like.give(file);
        }
        // A full disk may show only now.
        file.sync_all().map_err(describe)?;
        let named = match unnamed {
            Unnamed::Nameless(file) => self.name(file, like),
            Unnamed::Temporary(named) => self.rename(named),
        };
        Registry::lock().clear();
        match named {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                bail!("already exists: not overwritten (use -f)")
            }
            named => named.map_err(describe),
        }
    }

    fn name(&self, mut file: File, like: Option<&Attributes>) -> io::Result<()> {
        let taken = match nameless::link(&file, &self.path) {
            Ok(()) => return Ok(()),
            Err(error) => error.kind() == io::ErrorKind::AlreadyExists,
        };
        if taken && !self.force {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // A link replaces nothing, a renamed file does.
        if taken && let Ok(linked) = self.link(&file) {
            return self.rename(linked);
        }
        // Some sandbox forbids links.
        let mut temporary = self.temporary()?;
        let copy = temporary.file().ok_or(io::ErrorKind::NotConnected)?;
        file.rewind()?;
        io::copy(&mut file, copy)?;
        if let Some(like) = like {
            like.give(copy);
        }
        copy.sync_all()?;
        self.rename(temporary)
    }

    fn rename(&self, temporary: Temporary) -> io::Result<()> {
        match self.force {
            true => temporary.replace(&self.path),
            false => temporary.name(&self.path),
        }
    }

    /// A new file with a temporary name. A signal removes it.
    fn temporary(&self) -> io::Result<Temporary> {
        Temporary::create(self.directory(), &self.prefix(), self.private)
    }

    /// A temporary name for a file that has none. A signal removes it.
    fn link(&self, file: &File) -> io::Result<Temporary> {
        Temporary::link(self.directory(), &self.prefix(), |path| {
            nameless::link(file, path)
        })
    }

    fn open(&mut self) -> io::Result<&mut File> {
        match &mut self.file {
            Some(unnamed) => unnamed.file(),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// What temporary names begin with.
    fn prefix(&self) -> OsString {
        match self.path.file_name() {
            Some(name) if name.len() <= MAX_STEM => {
                let mut prefix = OsString::from(".");
                prefix.push(name);
                prefix.push(".");
                prefix
            }
            _ => ".lmz.".into(),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut registry = Registry::lock();
            drop(file);
            registry.clear();
        }
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Pending {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.open()?.seek(to)
    }
}

impl Lengthen for Pending {
    fn end_at(&mut self, len: u64) -> io::Result<()> {
        self.open()?.set_len(len)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(place: &Path) -> usize {
        fs::read_dir(place).unwrap().count()
    }

    /// Both kinds of files behave alike: replacing, refusing, giving up.
    #[test]
    fn a_name_stands_for_all_or_nothing() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out");
        for temporary in [false, true] {
            let create = |force| {
                let mut pending = Pending::create(&path, force, true).unwrap();
                if temporary {
                    pending.file = Some(Unnamed::Temporary(pending.temporary().unwrap()));
                }
                pending.write_all(b"new").unwrap();
                pending
            };
            drop(create(true));
            assert_eq!(names(place.path()), 0);
            create(false).commit(None).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            fs::write(&path, "old").unwrap();
            assert!(create(false).commit(None).is_err());
            assert_eq!(fs::read(&path).unwrap(), b"old");
            create(true).commit(None).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(names(place.path()), 1);
            fs::remove_file(&path).unwrap();
        }
    }

    /// A file that cannot be linked is copied. Here it lies on another file system.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_linked_is_copied() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out");
        let file = nameless::create(Path::new("/dev/shm"), true).unwrap();
        let linked = nameless::link(&file, &path);
        assert!(linked.is_err(), "/dev/shm is no file system of its own");
        let like = place.path().join("like");
        fs::write(&like, "").unwrap();
        fs::set_permissions(&like, fs::Permissions::from_mode(0o604)).unwrap();
        let like = File::open(&like).unwrap();
        let like = Attributes::of(&like, like.metadata().unwrap());
        for force in [false, true, false] {
            let mut pending = Pending::create(&path, force, true).unwrap();
            let file = nameless::create(Path::new("/dev/shm"), true).unwrap();
            pending.file = Some(Unnamed::Nameless(file));
            pending.write_all(b"from afar").unwrap();
            let found = path.exists();
            assert_eq!(pending.commit(Some(&like)).is_ok(), force || !found);
            assert_eq!(fs::read(&path).unwrap(), b"from afar");
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o604);
            assert_eq!(names(place.path()), 2);
        }
    }
}
