//! What a command line about files means, once it is known to make sense.

use std::path::Path;

use clap::error::ErrorKind;
use lmz::placement::{Models, Task};
use lmz::{CompressOptions, DecompressOptions, Fill, Mix, SegmentPlan};

use super::args::{FileArgs, FillArg, MixArg};
use crate::io::source::{Source, Target};
use crate::settings::{Nonsense, RunSettings, Talk};

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
    pub keep_going: Option<Fill>,
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
        let mut sources = match Source::all(args.files) {
            Ok(sources) => sources,
            Err(message) => return usage(ErrorKind::TooManyValues, message.into()),
        };
        if sources.is_empty() {
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
            verify: !args.no_verify,
            ..run.compress_options(None)
        };
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
            json: args.json,
            talk: run.talk,
            run,
            options,
            keep_going: args.keep_going.then_some(match args.fill {
                FillArg::Zero => Fill::Zero,
                FillArg::Skip => Fill::Skip,
            }),
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

    /// How to restore.
    pub fn decompress_options(&self) -> DecompressOptions {
        self.run.decompress_options(self.options.prime.clone())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::settings::Volume;

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
