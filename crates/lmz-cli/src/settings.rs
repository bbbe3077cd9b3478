//! What the common arguments mean, once they are known to fit together.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fmt};

use anyhow::{Context, bail};
use clap::error::ErrorKind;
use lmz::figures::show;
use lmz::gpu::Device;
use lmz::placement::{Models, Note, Placement, Task, Wanted, Work};
use lmz::{CompressOptions, DecompressOptions, Isa, Kernel, Prime};

#[cfg(feature = "float")]
use crate::args::DtypeArg;
use crate::args::{DeviceArgs, RunArgs, TalkArgs};
use crate::io::source::Source;
use crate::io::system::describe;
use crate::terminal::message::say;

/// A command line that makes no sense.
#[derive(Debug)]
pub struct Nonsense {
    kind: ErrorKind,
    message: String,
}

impl Nonsense {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// Ends the process with a usage error of `command`.
    pub fn exit(self, mut command: clap::Command) -> ! {
        command.error(self.kind, self.message).exit()
    }
}

impl fmt::Display for Nonsense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    Quiet,
    /// A line per file, if somebody is looking.
    Normal,
    /// A line per file, and details.
    Verbose,
}

/// What is said, and whether somebody looks.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub volume: Volume,
    /// Standard error is a terminal, and a bar on it is wanted.
    pub progress: bool,
    /// A line per file is wanted.
    pub reports: bool,
}

impl Talk {
    pub fn resolve(args: TalkArgs) -> Self {
        let volume = match (args.quiet, args.verbose) {
            (true, _) => Volume::Quiet,
            (false, 0) => Volume::Normal,
            (false, _) => Volume::Verbose,
        };
        let watched = io::stderr().is_terminal();
        Self {
            volume,
            progress: watched && volume > Volume::Quiet && !args.no_progress,
            reports: volume == Volume::Verbose || (watched && volume == Volume::Normal),
        }
    }

    fn note(self, note: &Note) {
        match note {
            Note::Warning(text) if self.volume > Volume::Quiet => {
                say(&format!("lmz: warning: {text}"));
            }
            Note::Choice(text) if self.reports => say(&format!("lmz: {text}")),
            Note::Detail(text) if self.volume == Volume::Verbose => say(&format!("lmz: {text}")),
            _ => {}
        }
    }
}

/// How a model runs.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// What was given by `-m`.
    pub model: Option<OsString>,
    /// The device, memory and threads that were asked for.
    pub wanted: Wanted,
    /// The kernels of `LMZ_KERNEL`.
    kernel: Option<Kernel>,
    /// What was given by `--prime`.
    prime: Option<PathBuf>,
    pub talk: Talk,
}

impl RunSettings {
    /// Resolves the arguments and the environment; `runs` tells whether a model will run at all.
    ///
    /// # Errors
    /// `LMZ_KERNEL` names no kernels of this machine.
    pub fn resolve(args: RunArgs, runs: bool) -> Result<Self, Nonsense> {
        let kernel = match env::var_os("LMZ_KERNEL") {
            Some(name) if runs && !name.is_empty() => Some(kernel(&name)?),
            _ => None,
        };
        let DeviceArgs { device, threads } = args.device;
        Ok(Self {
            model: args.model.model,
            wanted: Wanted {
                device: device.unwrap_or(Device::Cpu),
                memory: args.memory.memory,
                threads: usize::from(threads.unwrap_or(0)),
            },
            kernel,
            prime: args.prime.prime,
            talk: Talk::resolve(args.talk),
        })
    }

    /// The models for some work on files; a stream among them has no length that anybody knows.
    pub fn models(&self, sources: &[Source], task: Task) -> Models {
        let files = sources.iter().map(|source| match source {
            Source::File(path) => Some(path.clone()),
            Source::Stdin => None,
        });
        let work = Work {
            files: files.collect(),
            task,
        };
        let talk = self.talk;
        let notes = Arc::new(move |note: &Note| talk.note(note));
        let placement = Placement::new(self.wanted, work, notes);
        Models::new(self.model.clone(), self.kernel, placement)
    }

    /// Reads the file of `--prime`, if there is one.
    ///
    /// # Errors
    /// It cannot be read, is empty or too large.
    pub fn read_prime(&self) -> anyhow::Result<Option<Prime>> {
        let Some(path) = self.prime.as_deref() else {
            return Ok(None);
        };
        let name = show(path);
        let file = File::open(path)
            .map_err(describe)
            .with_context(|| name.clone())?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            bail!("{name}: is a directory");
        }
        Ok(Some(Prime::read(name, file)?))
    }

    /// Threads, no more than there is memory for what each of them learns of its group; 0 for one on each processor.
    fn threads(&self) -> usize {
        let (asked, Some(memory)) = (self.wanted.threads, self.wanted.memory) else {
            return self.wanted.threads;
        };
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = if asked == 0 { all() } else { asked };
        let groups = memory / lmz::group_memory(lmz::GROUP_LEN as usize) as u64;
        wanted.min(usize::try_from(groups).unwrap_or(wanted).max(1))
    }

    /// How to compress, with everything else as it is by default.
    pub fn compress_options(&self, prime: Option<Prime>) -> CompressOptions {
        CompressOptions {
            threads: self.threads(),
            prime,
            ..CompressOptions::default()
        }
    }

    /// Threads and prime for restoring.
    pub fn decompress_options(&self, prime: Option<Prime>) -> DecompressOptions {
        DecompressOptions {
            threads: self.threads(),
            prime,
        }
    }
}

/// The numbers of the engine in floating point.
///
/// # Errors
/// There are none of this name.
#[cfg(feature = "float")]
pub fn dtype(arg: &DtypeArg) -> Result<lmz::float::Dtype, Nonsense> {
    let parsed: Result<_, lmz::float::FloatError> = arg.dtype.parse();
    parsed.map_err(|error| Nonsense::new(ErrorKind::ValueValidation, error.to_string()))
}

fn kernel(name: &OsStr) -> Result<Kernel, Nonsense> {
    let here = Isa::available();
    let names: Vec<&str> = here.iter().map(|isa| isa.name()).collect();
    let names = names.join(", ");
    let nonsense = |message| Nonsense::new(ErrorKind::InvalidValue, message);
    let isa = name.to_str().and_then(Isa::from_name).ok_or_else(|| {
        let name = name.to_string_lossy();
        nonsense(format!(
            "LMZ_KERNEL={name} is not known (this machine has: {names})"
        ))
    })?;
    Kernel::new(isa).ok_or_else(|| {
        let name = isa.name();
        nonsense(format!(
            "LMZ_KERNEL={name} is not available: this machine has {names}"
        ))
    })
}
