//! Writing a file so that its name never stands for anything but all of it.

mod nameless;
mod pending;
mod temporary;

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use lmz::figures::show;
use lmz::{Holes, write_zeros};

use crate::io::attributes::Attributes;
use crate::io::closed;
use crate::io::sparse::Sparse;
use crate::io::system::describe;
use crate::terminal::message::say;
use pending::Pending;

/// How a file is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// What has the name is replaced.
    pub force: bool,
    /// Nobody else may read it until it has the input's permissions.
    pub private: bool,
    /// Blocks of zero bytes become holes.
    pub sparse: bool,
    /// A symbolic link may be replaced without a word.
    pub quiet: bool,
}

/// Where bytes are written. What is dropped before [`Output::commit`] leaves nothing behind.
pub struct Output {
    /// What it is called in messages.
    name: String,
    sink: Sink,
    /// Zero bytes of holes that were written all the same.
    zeros: u64,
    /// The first error of a write, kept so that it can be told from all others.
    failure: Option<io::Error>,
}

enum Sink {
    Null(io::Sink),
    Stdout(BufWriter<io::Stdout>),
    /// A device or a pipe: there is nothing to rename.
    Device(BufWriter<File>),
    File(BufWriter<Sparse<Pending>>),
}

impl Output {
    /// Takes everything and keeps nothing.
    pub fn null() -> Self {
        Self::new("nothing".into(), Sink::Null(io::sink()))
    }

    /// Whether it is a file that has no name yet.
    pub fn is_file(&self) -> bool {
        matches!(self.sink, Sink::File(_))
    }

    /// Standard output, buffered by 64 KiB.
    pub fn stdout() -> Self {
        let writer = BufWriter::with_capacity(1 << 16, io::stdout());
        Self::new("standard output".into(), Sink::Stdout(writer))
    }

    /// The file `path`, or the device or pipe of that name.
    ///
    /// # Errors
    /// It exists, unless forced; it is a directory; its directory cannot be written.
    pub fn file(path: &Path, how: How) -> Result<Self> {
        let How { force, private, .. } = how;
        let name = show(path);
        let named = || format!("cannot write {name}");
        // Replacing /dev/null by a file would be a nasty surprise.
        if let Ok(found) = fs::metadata(path) {
            if found.is_dir() {
                bail!("cannot write {name}: is a directory");
            }
            if !found.is_file() {
                let device = File::options().write(true).open(path);
                let device = device.map_err(describe).with_context(named)?;
                return Ok(Self::new(name, Sink::Device(BufWriter::new(device))));
            }
        }
        // A dangling link exists too.
        if let Ok(found) = fs::symlink_metadata(path) {
            if !force {
                bail!("{name} already exists: not overwritten (use -f)");
            }
            if found.is_symlink() && !how.quiet {
                say(&format!(
                    "lmz: warning: {name} is a symbolic link: it is replaced, and what it leads to stays as it is"
                ));
            }
        }
        let pending = Pending::create(path, force, private).with_context(named)?;
        let writer = BufWriter::with_capacity(1 << 16, Sparse::new(pending, how.sparse));
        Ok(Self::new(name, Sink::File(writer)))
    }

    fn new(name: String, sink: Sink) -> Self {
        Self {
            name,
            sink,
            zeros: 0,
            failure: None,
        }
    }

    /// Whether what is written appears on a screen.
    pub fn is_terminal(&self) -> bool {
        match &self.sink {
            Sink::Stdout(writer) => writer.get_ref().is_terminal(),
            Sink::Device(writer) => writer.get_ref().is_terminal(),
            Sink::Null(_) | Sink::File(_) => false,
        }
    }

    /// Whether a write failed because nobody reads any more.
    pub fn is_broken_pipe(&self) -> bool {
        let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        self.failure.as_ref().is_some_and(broken)
    }

    /// Whether writing it failed for good: standard output does not get better with the next file.
    pub fn is_lost(&self) -> bool {
        self.failure.is_some() && matches!(self.sink, Sink::Stdout(_))
    }

    /// The error of a write, if one failed: the error that the work ended with is then about this.
    pub fn failure(&self) -> Option<anyhow::Error> {
        let mut error = copy(self.failure.as_ref()?);
        if let (Sink::Stdout(_), Err(closed)) = (&self.sink, closed::check_output()) {
            error = closed;
        }
        Some(describe(error).context(format!("cannot write {}", self.name)))
    }

    /// Finishes: what was written is complete. A file gets permissions and times from `like`, is
    /// brought to the disk, and gets its name.
    ///
    /// # Errors
    /// The last bytes cannot be written (see [`Output::failure`]); the name is taken after all.
    pub fn commit(&mut self, like: Option<&Attributes>) -> Result<()> {
        if self.flush().is_err() {
            return Err(self
                .failure()
                .unwrap_or_else(|| anyhow!("cannot write {}", self.name)));
        }
        match &mut self.sink {
            Sink::File(writer) => {
                let ended = writer.get_mut().finish().map_err(describe);
                let done = ended.and_then(|pending| pending.commit(like));
                done.with_context(|| format!("cannot write {}", self.name))
            }
            Sink::Null(_) | Sink::Stdout(_) | Sink::Device(_) => Ok(()),
        }
    }

    fn sink(&mut self) -> &mut dyn Write {
        match &mut self.sink {
            Sink::Null(sink) => sink,
            Sink::Stdout(writer) => writer,
            Sink::Device(writer) => writer,
            Sink::File(writer) => writer,
        }
    }

    fn noting<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failure.get_or_insert(copy(error));
        }
        result
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.sink().write(bytes);
        self.noting(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.sink().flush();
        self.noting(result)
    }
}

impl Holes for Output {
    fn hole(&mut self, len: u64) -> io::Result<()> {
        let result = match &mut self.sink {
            Sink::Null(_) => Ok(()),
            Sink::File(writer) => writer.flush().map(|()| writer.get_mut().leave_out(len)),
            Sink::Stdout(_) | Sink::Device(_) => {
                self.zeros = self.zeros.saturating_add(len);
                let sum = self.zeros;
                write_zeros(self.sink(), len, sum)
            }
        };
        self.noting(result)
    }
}

/// Errors of the operating system cannot be cloned.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
