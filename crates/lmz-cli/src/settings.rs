//! What a command line means, once it is known to make sense.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::{env, fmt};

use anyhow::{Context, bail};
use clap::CommandFactory;
use clap::error::ErrorKind;
use lmz::gpu::Device;
use lmz::{CompressOptions, DecompressOptions, Fill, Isa, Kernel, Prime, SegmentPlan};

use crate::args::{FileArgs, FillArg};
use crate::input::describe;
use crate::names::show;

/// What to do with each input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Compress,
    Decompress,
    Test,
    List,
}

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => f.write_str(&show(path)),
        }
    }
}

/// Where bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A name made from the input's (standard output for standard input).
    Beside,
    Stdout,
    File(PathBuf),
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

/// A command line, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mode: Mode,
    pub sources: Vec<Source>,
    pub target: Target,
    pub force: bool,
    pub volume: Volume,
    pub json: bool,
    /// Standard error is a terminal, and a bar on it is wanted.
    pub progress: bool,
    /// A line per file is wanted.
    pub reports: bool,
    /// What was given by `-m`.
    pub model: Option<OsString>,
    /// What was given by `--device`.
    pub device: Device,
    /// Bytes that may be taken there, as given by `--memory`.
    pub memory: Option<u64>,
    /// The kernels of `LMZ_KERNEL`.
    pub kernel: Option<Kernel>,
    pub options: CompressOptions,
    /// Do not stop at damage, and put this in the place of what is lost.
    pub keep_going: Option<Fill>,
    /// What was given by `--prime`; see [`Settings::read_prime`].
    prime: Option<PathBuf>,
}

impl Settings {
    /// Resolves the arguments, the environment and what the standard streams are.
    ///
    /// # Errors
    /// A usage error, ready to be printed.
    pub fn resolve(args: FileArgs) -> Result<Self, clap::Error> {
        let usage = |kind, message: String| Err(FileArgs::command().error(kind, message));
        // As in gzip, the more cautious one of several wins: -dt tests, -dl lists.
        let mode = if args.list {
            Mode::List
        } else if args.test {
            Mode::Test
        } else if args.decompress {
            Mode::Decompress
        } else {
            Mode::Compress
        };
        let mut sources: Vec<Source> = args.files.into_iter().map(source).collect();
        if sources.is_empty() {
            sources.push(Source::Stdin);
        }
        if sources.iter().filter(|s| **s == Source::Stdin).count() > 1 {
            let message = "standard input ('-') can be read only once".into();
            return usage(ErrorKind::TooManyValues, message);
        }
        if args.json && mode != Mode::List && !args.keep_going {
            let message = "--json has a meaning with -l and with --keep-going".into();
            return usage(ErrorKind::MissingRequiredArgument, message);
        }
        if args.keep_going && mode == Mode::Compress {
            let message = "--keep-going is about restoring: it goes with -d and -t".into();
            return usage(ErrorKind::ArgumentConflict, message);
        }
        let to_stdout = args.stdout || args.output.as_deref() == Some(Path::new("-"));
        if args.json && mode == Mode::Decompress && to_stdout {
            let message = "--json and the restored bytes cannot both go to standard output".into();
            return usage(ErrorKind::ArgumentConflict, message);
        }
        let reads_only = matches!(mode, Mode::Test | Mode::List);
        if let (Some(_), true) = (&args.output, reads_only) {
            let message = "-o has no meaning with -t and -l: they write no file".into();
            return usage(ErrorKind::ArgumentConflict, message);
        }
        if args.output.is_some() && sources.len() > 1 {
            let message = "-o names one file, but there are several inputs (use -c, or run lmz for \
                           each)";
            return usage(ErrorKind::ArgumentConflict, message.into());
        }
        if let (Some(context), Some(overlap)) = (args.context, args.overlap)
            && overlap >= context
        {
            let message =
                format!("an overlap of {overlap} tokens does not fit a context of {context}");
            return usage(ErrorKind::ValueValidation, message);
        }
        let kernel = match env::var_os("LMZ_KERNEL") {
            Some(name) if mode != Mode::List && !name.is_empty() => match kernel(&name) {
                Ok(kernel) => Some(kernel),
                Err(message) => return usage(ErrorKind::InvalidValue, message),
            },
            _ => None,
        };
        let volume = match (args.quiet, args.verbose) {
            (true, _) => Volume::Quiet,
            (false, 0) => Volume::Normal,
            (false, _) => Volume::Verbose,
        };
        let watched = io::stderr().is_terminal();
        Ok(Self {
            mode,
            sources,
            target: match args.output {
                Some(path) if path == Path::new("-") => Target::Stdout,
                Some(path) => Target::File(path),
                None if args.stdout => Target::Stdout,
                None => Target::Beside,
            },
            force: args.force,
            volume,
            json: args.json,
            progress: watched && volume > Volume::Quiet && !args.no_progress,
            reports: volume == Volume::Verbose || (watched && volume == Volume::Normal),
            model: args.model,
            device: args.device,
            memory: args.memory,
            kernel,
            options: CompressOptions {
                context: args.context,
                overlap: args.overlap,
                plan: args.segment.unwrap_or(SegmentPlan::Default),
                threads: usize::from(args.threads.unwrap_or(0)),
                verify: !args.no_verify,
                prime: None,
            },
            keep_going: args.keep_going.then_some(match args.fill {
                FillArg::Zero => Fill::Zero,
                FillArg::Skip => Fill::Skip,
            }),
            prime: args.prime,
        })
    }

    /// Reads the file of `--prime`, if there is one and it will be needed.
    ///
    /// # Errors
    /// It cannot be read, is empty or too large.
    pub fn read_prime(&mut self) -> anyhow::Result<()> {
        let Some(path) = self.prime.as_deref().filter(|_| self.mode != Mode::List) else {
            return Ok(());
        };
        let name = show(path);
        let file = File::open(path)
            .map_err(describe)
            .with_context(|| name.clone())?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            bail!("{name}: is a directory");
        }
        self.options.prime = Some(Prime::read(name, file)?);
        Ok(())
    }

    /// How to restore.
    pub fn decompress_options(&self) -> DecompressOptions {
        DecompressOptions {
            threads: self.options.threads,
            prime: self.options.prime.clone(),
        }
    }
}

fn source(path: PathBuf) -> Source {
    if path == Path::new("-") {
        Source::Stdin
    } else {
        Source::File(path)
    }
}

fn kernel(name: &OsStr) -> Result<Kernel, String> {
    let here = Isa::available();
    let names: Vec<&str> = here.iter().map(|isa| isa.name()).collect();
    let isa = name.to_str().and_then(Isa::from_name).ok_or_else(|| {
        format!(
            "LMZ_KERNEL={} is not known (this machine has: {})",
            name.to_string_lossy(),
            names.join(", ")
        )
    })?;
    Kernel::new(isa).ok_or_else(|| {
        format!(
            "LMZ_KERNEL={} is not available: this machine has {}",
            isa.name(),
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn resolve(args: &[&str]) -> Result<Settings, clap::Error> {
        let args = std::iter::once("lmz").chain(args.iter().copied());
        Settings::resolve(FileArgs::try_parse_from(args)?)
    }

    #[test]
    fn short_flags_combine() {
        let settings = resolve(&["-dcfkT2", "a.lmz"]).unwrap();
        assert_eq!(settings.mode, Mode::Decompress);
        assert_eq!(settings.target, Target::Stdout);
        assert_eq!(settings.options.threads, 2);
        assert!(settings.force);
        assert_eq!(resolve(&["-dt", "a"]).unwrap().mode, Mode::Test);
        assert_eq!(resolve(&["-dl"]).unwrap().mode, Mode::List);
    }

    #[test]
    fn dashes_are_streams_and_double_dashes_end_options() {
        assert_eq!(resolve(&[]).unwrap().sources, [Source::Stdin]);
        assert_eq!(resolve(&["-"]).unwrap().sources, [Source::Stdin]);
        let settings = resolve(&["-o", "-", "--", "-d"]).unwrap();
        assert_eq!(settings.sources, [Source::File("-d".into())]);
        assert_eq!(settings.target, Target::Stdout);
    }

    #[test]
    fn the_last_of_quiet_and_verbose_counts() {
        assert_eq!(resolve(&["-qv"]).unwrap().volume, Volume::Verbose);
        assert_eq!(resolve(&["-vq"]).unwrap().volume, Volume::Quiet);
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        for args in [
            &["-o", "x", "a", "b"][..],
            &["-o", "x", "-c", "a"],
            &["-t", "-o", "x", "a"],
            &["-l", "-o", "x", "a"],
            &["-t", "-l"],
            &["--json", "a"],
            &["--keep-going", "a"],
            &["-l", "--keep-going", "a"],
            &["-dc", "--keep-going", "--json", "a"],
            &["-d", "--keep-going", "--fill", "ones", "a"],
            &["-", "-"],
            &["-T", "1025"],
            &["-T", "x"],
            &["--context", "0"],
            &["--context", "8", "--overlap", "8"],
            &["--segment", "65M"],
            &["--nonsense"],
        ] {
            let error = resolve(args).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
        }
    }
}
