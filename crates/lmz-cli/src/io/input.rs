//! Opening the inputs.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use lmz::format::{RawHash, RawHasher};

use super::attributes::Attributes;
use super::closed;
use super::source::Source;
use super::system::{describe, temporary};

/// An input that was opened: a file or standard input.
pub struct Input {
    /// What it is called in messages.
    pub name: String,
    /// Its path; `None` for standard input.
    pub path: Option<PathBuf>,
    /// `None` for standard input.
    attributes: Option<Attributes>,
    /// Where the bytes are read from.
    pub reader: Reader,
}

/// Where an input's bytes come from.
pub enum Reader {
    Stdin(io::StdinLock<'static>),
    File(File),
    /// What was there of a file that may grow.
    Beginning(io::Take<File>),
}

/// What an input may be, beside a regular file.
#[derive(Clone, Copy, Debug)]
pub struct Accepts {
    /// A pipe or a device: no output name follows from theirs.
    pub special: bool,
    /// A symbolic link to something that it may be.
    pub links: bool,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stdin(stdin) => stdin.read(buffer),
            Self::File(file) => file.read(buffer),
            Self::Beginning(file) => file.read(buffer),
        }
    }
}

impl Input {
    /// Opens a source. Symbolic links are followed.
    ///
    /// Pipes and devices are accepted only with `special`: no output name follows from theirs.
    ///
    /// # Errors
    /// It is missing, a directory, not readable or not a regular file.
    pub fn open(source: &Source, special: bool) -> Result<Self> {
        let links = true;
        Self::open_as(source, Accepts { special, links })
    }

    /// As [`Input::open`], if it is what `accepts` says.
    ///
    /// # Errors
    /// As [`Input::open`]; it is a symbolic link.
    pub fn open_as(source: &Source, accepts: Accepts) -> Result<Self> {
        let Source::File(path) = source else {
            closed::check_input()?;
            return Ok(Self {
                name: source.to_string(),
                path: None,
                attributes: None,
                reader: Reader::Stdin(io::stdin().lock()),
            });
        };
        // Asked before the file is opened: opening a pipe waits for its writer.
        check_kind(&fs::metadata(path).map_err(describe)?, accepts.special)?;
        if !accepts.links && fs::symlink_metadata(path).map_err(describe)?.is_symlink() {
            bail!("is a symbolic link: skipped (-f follows it)");
        }
        let file = File::open(path).map_err(describe)?;
        let metadata = file.metadata().map_err(describe)?;
        check_kind(&metadata, accepts.special)?;
        Ok(Self {
            name: source.to_string(),
            path: Some(path.clone()),
            attributes: Some(Attributes::of(&file, metadata)),
            reader: Reader::File(file),
        })
    }

    /// Reads no more of a file than was there when it was opened: it may grow.
    pub fn stop_where_it_ended(self) -> Self {
        let len = self.len();
        let reader = match (self.reader, len) {
            (Reader::File(file), Some(len)) => Reader::Beginning(file.take(len)),
            (reader, _) => reader,
        };
        Self { reader, ..self }
    }

    /// What is known about a regular file.
    pub fn regular(&self) -> Option<&Attributes> {
        let is_file = |attributes: &&Attributes| attributes.metadata().is_file();
        self.attributes.as_ref().filter(is_file)
    }

    /// Its size in bytes, if it is a regular file.
    pub fn len(&self) -> Option<u64> {
        Some(self.regular()?.metadata().len())
    }

    /// Refuses an input that has changed since it was opened: what was read may be part one version
    /// and part another. What only moves the file's name is harmless, and so are pipes. `read` is the hash of
    /// what was read.
    ///
    /// # Errors
    /// Its size or time of modification differ, or its bytes do; they cannot be read any more.
    pub fn unchanged(&mut self, read: Option<RawHash>) -> Result<()> {
        let changed = "changed while it was read: what was made of it is not kept (--allow-changing reads \
                       what is there at the beginning)";
        let Some(before) = self.regular().map(Attributes::metadata).cloned() else {
            return Ok(());
        };
        let file = match &mut self.reader {
            Reader::Stdin(_) => return Ok(()),
            Reader::File(file) => file,
            Reader::Beginning(file) if file.limit() > 0 => {
                bail!("became shorter while it was read: what was made of it is not kept")
            }
            Reader::Beginning(_) => return Ok(()),
        };
        let now = file.metadata().map_err(describe)?;
        if now.len() != before.len() || now.modified().ok() != before.modified().ok() {
            bail!(changed);
        }
        // Times of modification can be put back. Those of changes cannot, but links and names change them too.
        if touched(&before, &now)
            && let Some(read) = read
            && hash(file).map_err(describe)? != read
        {
            bail!(changed);
        }
        Ok(())
    }

    /// Whether `path` still leads to it.
    pub fn is_at(&self, path: &Path) -> bool {
        match (self.regular(), fs::symlink_metadata(path)) {
            (Some(here), Ok(there)) => same_inode(here.metadata(), &there),
            _ => false,
        }
    }

    /// A file to seek in: the input itself, or its bytes in a temporary file without a name.
    ///
    /// # Errors
    /// The input cannot be read, or the temporary file cannot be written.
    pub fn into_seekable(self) -> Result<File> {
        let regular = self.regular().is_some();
        match self.reader {
            Reader::File(file) if regular => Ok(file),
            mut reader => {
                let mut file = temporary()?;
                io::copy(&mut reader, &mut file).map_err(describe)?;
                Ok(file)
            }
        }
    }
}

fn check_kind(metadata: &Metadata, special: bool) -> Result<()> {
    if metadata.is_dir() {
        bail!(
            "is a directory (-r takes the files in it; or: tar -I lmz -cf NAME.tar.lmz DIRECTORY)"
        );
    }
    if !metadata.is_file() && !special {
        bail!("not a regular file (use -c or -o to say where to write)");
    }
    Ok(())
}

/// The hash of all of a file.
fn hash(file: &mut File) -> io::Result<RawHash> {
    let mut hasher = RawHasher::new();
    let mut buffer = vec![0; 1 << 16];
    file.rewind()?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// Whether anything about a file was changed in between.
#[cfg(unix)]
fn touched(before: &Metadata, now: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let time = |metadata: &Metadata| (metadata.ctime(), metadata.ctime_nsec());
    time(before) != time(now)
}

#[cfg(not(unix))]
fn touched(_: &Metadata, _: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn same_inode(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_inode(a: &Metadata, b: &Metadata) -> bool {
    a.len() == b.len() && a.modified().ok() == b.modified().ok()
}

/// Whether two paths lead to the same file.
pub fn same_file(a: &Path, b: &Path) -> bool {
    // Where the current directory's own path is too long, paths cannot be compared by their names.
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) {
        return same_inode(&a, &b);
    }
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
