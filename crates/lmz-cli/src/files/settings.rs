//! What a command line about files means, once its arguments are known to fit together.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use lmz::figures::show;
use lmz::placement::{Models, Task};
use lmz::{CompressOptions, DecompressOptions, Fill, Mix, Salvaging, SegmentPlan};

use super::args::{FileArgs, FillArg, MixArg};
use crate::io::output::How;
use crate::io::source::{Source, Target};
use crate::io::system::describe;
use crate::settings::{Nonsense, RunSettings, Talk, Volume};

/// What to do with each input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Compress,
    Decompress,
    Test,
    List,
}

/// A command line, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mode: Mode,
    pub sources: Vec<Source>,
    pub target: Target,
    pub force: bool,
    pub json: bool,
    pub talk: Talk,
    run: RunSettings,
    pub options: CompressOptions,
    /// Do not stop at damage, and put this in the place of what is lost.
    pub keep_going: Option<Salvaging>,
    /// Directories are gone into.
    pub recursive: bool,
    /// Inputs are removed when their outputs are complete.
    pub remove: bool,
    /// An input may grow while it is read.
    pub allow_changing: bool,
    /// Blocks of zero bytes become holes of restored files.
    pub sparse: bool,
    /// What was written into a directory.
    pub written: RefCell<HashSet<PathBuf>>,
}

impl Settings {
    /// Resolves the arguments, the environment and what the standard streams are.
    ///
    /// # Errors
    /// A combination that makes no sense.
    pub fn resolve(args: FileArgs) -> Result<Self, Nonsense> {
        let usage = |kind, message: String| Err(Nonsense::new(kind, message));
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
        let mut files = args.files;
        if let Some(list) = &args.filelist {
            match listed(list) {
                Ok(more) => files.extend(more),
                Err(message) => return usage(ErrorKind::Io, message),
            }
        }
        let mut sources = match Source::all(files) {
            Ok(sources) => sources,
            Err(message) => return usage(ErrorKind::TooManyValues, message.into()),
        };
        if sources.is_empty() && args.recursive {
            sources.push(Source::File(".".into()));
        }
        if sources.is_empty() && args.filelist.is_none() {
            sources.push(Source::Stdin);
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
        let directory = args.output_dir_flat.is_some() || args.output_dir_mirror.is_some();
        if directory && reads_only {
            let message =
                "a directory for outputs has no meaning with -t and -l: they write no file";
            return usage(ErrorKind::ArgumentConflict, message.into());
        }
        let into = args.output.as_deref().is_some_and(Path::is_dir);
        if args.output.is_some() && !into && (sources.len() > 1 || args.recursive) {
            let message = "-o names one file, but there may be several inputs (use -c, or -o with a \
                           directory)";
            return usage(ErrorKind::ArgumentConflict, message.into());
        }
        if let (Some(context), Some(overlap)) = (args.context, args.overlap)
            && overlap >= context
        {
            let message =
                format!("an overlap of {overlap} tokens does not fit a context of {context}");
            return usage(ErrorKind::ValueValidation, message);
        }
        let run = RunSettings::resolve(args.run, mode != Mode::List)?;
        let options = CompressOptions {
            context: args.context,
            overlap: args.overlap,
            plan: args.segment.unwrap_or(SegmentPlan::Default),
            mix: match args.mix {
                MixArg::None => Mix::None,
                MixArg::Auto => Mix::Auto,
            },
            lanes: args.lanes.map(usize::from),
            full: args.full,
            verify: !args.no_verify,
            ..run.compress_options(None)
        };
        Ok(Self {
            mode,
            sources,
            target: match (args.output, args.output_dir_flat, args.output_dir_mirror) {
                (Some(path), ..) if path == Path::new("-") => Target::Stdout,
                (Some(path), ..) if into => Target::Into(path),
                (Some(path), ..) => Target::File(path),
                (_, Some(directory), _) => Target::Into(directory),
                (_, _, Some(directory)) => Target::Mirror(directory),
                _ if args.stdout => Target::Stdout,
                _ => Target::Beside,
            },
            force: args.force,
            json: args.json,
            talk: run.talk,
            run,
            options,
            keep_going: args.keep_going.then_some(Salvaging {
                fill: match args.fill {
                    FillArg::Zero => Fill::Zero,
                    FillArg::Skip => Fill::Skip,
                },
                unverified: args.unverified,
            }),
            recursive: args.recursive,
            remove: args.rm,
            allow_changing: args.allow_changing,
            sparse: !args.no_sparse,
            written: RefCell::default(),
        })
    }

    /// Reads the file of `--prime`, if there is one and it will be needed.
    ///
    /// # Errors
    /// It cannot be read, is empty or too large.
    pub fn read_prime(&mut self) -> anyhow::Result<()> {
        if self.mode != Mode::List {
            self.options.prime = self.run.read_prime()?;
        }
        Ok(())
    }

    /// The models for all of it.
    pub fn models(&self) -> Models {
        let task = match self.mode {
            Mode::Compress => Task::Compress {
                verify: self.options.verify,
                plan: self.options.segments(),
            },
            _ => Task::Decompress,
        };
        self.run.models(&self.sources, task)
    }

    /// How files are written.
    pub fn how(&self) -> How {
        How {
            force: self.force,
            private: false,
            sparse: self.sparse && self.mode == Mode::Decompress,
            quiet: self.talk.volume == Volume::Quiet,
        }
    }

    /// How to restore.
    pub fn decompress_options(&self) -> DecompressOptions {
        self.run.decompress_options(self.options.prime.clone())
    }
}

/// The names in a list, one a line; that of the list itself may be `-`.
fn listed(list: &Path) -> Result<Vec<PathBuf>, String> {
    let read = match list == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => fs::read(list),
    };
    let bytes = read.map_err(|error| format!("{}: {:#}", show(list), describe(error)))?;
    let lines = bytes.split(|&byte| byte == b'\n');
    let names = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(names.filter(|name| !name.is_empty()).map(path).collect())
}

#[cfg(unix)]
fn path(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(name).into()
}

#[cfg(not(unix))]
fn path(name: &[u8]) -> PathBuf {
    String::from_utf8_lossy(name).into_owned().into()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn resolve(args: &[&str]) -> Result<Settings, String> {
        let args = std::iter::once("lmz").chain(args.iter().copied());
        let args = FileArgs::try_parse_from(args).map_err(|error| {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        })?;
        Settings::resolve(args).map_err(|nonsense| nonsense.to_string())
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
    fn habits_of_other_compressors_are_accepted() {
        for level in 1..=9 {
            assert!(resolve(&[&format!("-{level}k"), "-n", "a"]).is_ok());
        }
        assert!(!resolve(&["a"]).unwrap().remove);
        assert!(resolve(&["--rm", "a"]).unwrap().remove);
        // The last one counts.
        assert!(!resolve(&["--rm", "-k", "a"]).unwrap().remove);
        assert!(resolve(&["-k", "--rm", "a"]).unwrap().remove);
        let into = resolve(&["-o", ".", "a", "b"]).unwrap().target;
        assert_eq!(into, Target::Into(".".into()));
        assert_eq!(
            resolve(&["-r"]).unwrap().sources,
            [Source::File(".".into())]
        );
    }

    #[test]
    fn the_last_of_quiet_and_verbose_counts() {
        assert_eq!(resolve(&["-qv"]).unwrap().talk.volume, Volume::Verbose);
        assert_eq!(resolve(&["-vq"]).unwrap().talk.volume, Volume::Quiet);
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
            &["--rm", "--no-verify", "a"],
            &["-r", "-o", "no-such-directory", "a"],
            &["-t", "--output-dir-flat", "x", "a"],
            &["--output-dir-flat", "x", "--output-dir-mirror", "x", "a"],
            &["--unverified", "-d", "a"],
            &["--filelist", "no-such-list"],
            &["-T", "1025"],
            &["-T", "x"],
            &["--context", "0"],
            &["--context", "8", "--overlap", "8"],
            &["--segment", "65M"],
            &["--nonsense"],
        ] {
            assert!(resolve(args).is_err(), "{args:?}");
        }
    }
}
