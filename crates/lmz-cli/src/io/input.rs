//! Opening what is read.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::source::Source;
use super::system::describe;

/// An opened input.
pub struct Input {
    /// What it is called in messages.
    pub name: String,
    /// Its path; none for standard input.
    pub path: Option<PathBuf>,
    /// None for standard input.
    metadata: Option<Metadata>,
    /// Its bytes.
    pub reader: Reader,
}

/// Where an input's bytes come from.
pub enum Reader {
    Stdin(io::StdinLock<'static>),
    File(File),
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stdin(stdin) => stdin.read(buffer),
            Self::File(file) => file.read(buffer),
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
        let Source::File(path) = source else {
            return Ok(Self {
                name: source.to_string(),
                path: None,
                metadata: None,
                reader: Reader::Stdin(io::stdin().lock()),
            });
        };
        // Asked before the file is opened: opening a pipe waits for its writer.
        check_kind(&fs::metadata(path).map_err(describe)?, special)?;
        let file = File::open(path).map_err(describe)?;
        let metadata = file.metadata().map_err(describe)?;
        check_kind(&metadata, special)?;
        Ok(Self {
            name: source.to_string(),
            path: Some(path.clone()),
            metadata: Some(metadata),
            reader: Reader::File(file),
        })
    }

    /// What is known about a regular file.
    pub fn regular(&self) -> Option<&Metadata> {
        self.metadata.as_ref().filter(|metadata| metadata.is_file())
    }

    /// Its size in bytes, if it is a regular file.
    pub fn len(&self) -> Option<u64> {
        self.regular().map(Metadata::len)
    }

    /// Refuses an input that has changed since it was opened: what was read may be part one version
    /// and part another. What only moves the file's name is harmless, and so are pipes.
    ///
    /// # Errors
    /// Its size or time of modification differ; they cannot be read any more.
    pub fn unchanged(&self) -> Result<()> {
        let (Some(before), Reader::File(file)) = (self.regular(), &self.reader) else {
            return Ok(());
        };
        let now = file.metadata().map_err(describe)?;
        if now.len() != before.len() || now.modified().ok() != before.modified().ok() {
            bail!("changed while it was read: what was made of it is not kept");
        }
        Ok(())
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
                let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
                io::copy(&mut reader, &mut file).map_err(describe)?;
                Ok(file)
            }
        }
    }
}

fn check_kind(metadata: &Metadata, special: bool) -> Result<()> {
    if metadata.is_dir() {
        bail!("is a directory (try: tar -I lmz -cf NAME.tar.lmz DIRECTORY)");
    }
    if !metadata.is_file() && !special {
        bail!("not a regular file (use -c or -o to say where to write)");
    }
    Ok(())
}

/// Whether two paths lead to the same file.
pub fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
