//! Files that have their name once they are whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{CorpusError, Result};

/// A file on its way: it gets its name from [`Atomic::finish`], and leaves nothing if that is never called. (A killed
/// process leaves a `.tmp-…` file, which [`super::Work`] removes.)
pub struct Atomic {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Atomic {
    /// Begins a file, beside its name.
    ///
    /// # Errors
    /// The directory is not there or not writable.
    pub fn new(path: &Path) -> Result<Self> {
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        Self::within(parent, path)
    }

    /// Begins a file that is in `directory` until it has its name, where a killed process may leave it.
    ///
    /// # Errors
    /// The directory is not there or not writable.
    pub fn within(directory: &Path, path: &Path) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".tmp-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file; the umask takes its part.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(directory)
            .map_err(CorpusError::io(path))?;
        let file = BufWriter::with_capacity(1 << 18, file);
        let path = path.to_owned();
        Ok(Self { file, path })
    }

    /// Gives the file its name; one that has it already is replaced.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> Result<()> {
        let Self { file, path } = self;
        let io = CorpusError::io(&path);
        let file = file.into_inner().map_err(|error| io(error.into_error()))?;
        file.as_file().sync_all().map_err(&io)?;
        match file.persist(&path) {
            Ok(_) => Ok(()),
            // Between file systems there are no names to change.
            Err(error) if error.error.kind() == io::ErrorKind::CrossesDevices => {
                let mut copy = Self::new(&path)?;
                let mut file = error.file.reopen().map_err(&io)?;
                io::copy(&mut file, &mut copy).map_err(&io)?;
                copy.finish()
            }
            Err(error) => Err(io(error.error)),
        }
    }
}

impl Write for Atomic {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole file.
///
/// # Errors
/// Those of the file system.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Atomic::new(path)?;
    file.write_all(bytes).map_err(CorpusError::io(path))?;
    file.finish()
}

/// Opens a file.
pub(super) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(CorpusError::io(path))
}
