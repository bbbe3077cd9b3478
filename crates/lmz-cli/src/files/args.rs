//! The command line of work on files, as it was typed.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process;

use clap::{ArgAction, CommandFactory, Parser};
use lmz::SegmentPlan;

use super::levels::Levels;
use crate::args::{RunArgs, bytes, help};
use crate::terminal::usage::exit;

/// `lmz [OPTIONS] [FILE]...`
#[derive(Clone, Debug, Parser)]
#[command(
    name = "lmz",
    version,
    long_version = help::LONG_VERSION,
    about = help::ABOUT,
    long_about = help::LONG_ABOUT,
    override_usage = help::USAGE,
    after_help = help::AFTER,
    after_long_help = help::AFTER_LONG,
    disable_help_flag = true,
    disable_version_flag = true,
    max_term_width = 100
)]
pub struct FileArgs {
    /// Files to work on; '-', or no file, is standard input to standard output
    #[arg(value_name = "FILE", hide_short_help = true)]
    pub files: Vec<PathBuf>,

    /// Restore the original files
    #[arg(
        short,
        long,
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub decompress: bool,
    /// Decode and check, but write nothing
    #[arg(
        short,
        long,
        conflicts_with = "list",
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub test: bool,
    /// Show what is in compressed files (with -v: each segment)
    #[arg(
        short,
        long,
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub list: bool,
    /// Restore what is sound of damaged files; exit code 3 if anything is lost
    #[arg(
        long,
        conflicts_with = "list",
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub keep_going: bool,
    /// With --keep-going: put zero bytes in the place of lost ones, or leave them out
    #[arg(
        long,
        value_name = "WITH",
        value_enum,
        default_value_t = FillArg::Zero,
        hide_default_value = true,
        hide_short_help = true,
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub fill: FillArg,
    /// With --keep-going: give out what decodes before the end that a segment lost, although nothing vouches for it
    #[arg(
        long,
        requires = "keep_going",
        hide_short_help = true,
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub unverified: bool,
    /// Go into directories (with -d, -t and -l: for files that end in .lmz)
    #[arg(
        short,
        long,
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub recursive: bool,
    /// Read the names of files to work on from LIST, one a line
    #[arg(
        long,
        value_name = "LIST",
        hide_short_help = true,
        help_heading = "What to do (compress, unless told otherwise)"
    )]
    pub filelist: Option<PathBuf>,
    /// Print the list, or what --keep-going found, as JSON
    #[arg(long, help_heading = "What to do (compress, unless told otherwise)")]
    pub json: bool,

    /// Write to standard output
    #[arg(short = 'c', long, help_heading = "Output")]
    pub stdout: bool,
    /// Write to PATH, or into it if it is a directory ('-' is standard output)
    #[arg(
        short,
        long,
        value_name = "PATH",
        conflicts_with = "stdout",
        help_heading = "Output"
    )]
    pub output: Option<PathBuf>,
    /// Write into DIR, which is made if it is not there
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["stdout", "output"],
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub output_dir_flat: Option<PathBuf>,
    /// Write into DIR, under the inputs' own directories
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["stdout", "output", "output_dir_flat"],
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub output_dir_mirror: Option<PathBuf>,
    /// Overwrite files, follow symbolic links, write to a terminal
    #[arg(short, long, help_heading = "Output")]
    pub force: bool,
    /// Remove each input once its output is complete, checked and on the disk
    #[arg(
        long,
        overrides_with = "keep",
        conflicts_with = "no_verify",
        help_heading = "Output"
    )]
    pub rm: bool,
    /// Keep input files: so it is unless --rm is given
    #[arg(
        short,
        long,
        overrides_with = "rm",
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub keep: bool,
    /// Read what an input has at the beginning, although it may grow
    #[arg(long, hide_short_help = true, help_heading = "Output")]
    pub allow_changing: bool,
    /// Restore blocks of zero bytes as holes of the file: so it is unless --no-sparse is given
    #[arg(
        long,
        overrides_with = "no_sparse",
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub sparse: bool,
    /// Write blocks of zero bytes
    #[arg(
        long,
        overrides_with = "sparse",
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub no_sparse: bool,
    /// Print a short help (lmz help: a long one)
    #[arg(short, long, action = ArgAction::HelpShort, global = false, help_heading = "Output")]
    help: Option<bool>,
    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = "Output")]
    version: Option<bool>,

    #[command(flatten)]
    pub run: RunArgs,
    /// Do not decode each segment again before it is written
    #[arg(long, help_heading = "Model and speed")]
    pub no_verify: bool,

    /// Learn the file while coding it (auto), or not (none) [default: auto]
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value_t = MixArg::Auto,
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = "Format"
    )]
    pub mix: MixArg,
    /// Blocks that are coded in lock step, 1 to 64: 1 for the smallest file, more for a decoder with
    /// more threads [default: up to 4, fewer for short texts]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=lmz::MAX_LANES as i64), hide_short_help = true, help_heading = "Format")]
    pub lanes: Option<u16>,
    /// Cut the input into segments of SIZE bytes, with suffixes K and M (1024) [default: 1M; with
    /// --mix none 64K to 256K, growing with the offset]
    #[arg(long, value_name = "SIZE", value_parser = parse_segment, hide_short_help = true, help_heading = "Format")]
    pub segment: Option<SegmentPlan>,
    /// Tokens that a block may hold [default: the model's own context, at most 1,024; with mixing under
    /// a model of more than 16 MiB 1,536, and 2,048 for a file or segments of at most 16 KiB]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true, help_heading = "Format")]
    pub context: Option<u32>,
    /// Tokens that a block repeats from the one before [default: an eighth of the context]
    #[arg(
        long,
        value_name = "TOKENS",
        hide_short_help = true,
        help_heading = "Format"
    )]
    pub overlap: Option<u32>,
    /// Give files of up to 1 MiB what longer ones have: a second copy of the header, a 128-bit hash, an index
    #[arg(long, hide_short_help = true, help_heading = "Format")]
    pub full: bool,

    /// Store no name and time: so it always is
    #[arg(
        short = 'n',
        long,
        hide_short_help = true,
        help_heading = "Accepted from other compressors' habits"
    )]
    pub no_name: bool,
    #[command(flatten)]
    pub levels: Levels,
}

/// Whether what is seen of a file helps the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MixArg {
    /// The model works alone: each segment by itself, and each bit as the model says
    None,
    /// It does, where it makes the file smaller
    #[default]
    Auto,
}

/// What stands in the place of lost bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FillArg {
    /// Zero bytes: what is restored keeps its offsets
    #[default]
    Zero,
    /// Nothing
    Skip,
}

/// Parses the whole command line, the program's name included. Ends the process for `--help`,
/// `--version` and what cannot be parsed.
///
/// Without any argument, where nobody gives input and nobody takes output but a person, it is help that is
/// wanted.
pub fn parse(args: Vec<OsString>) -> FileArgs {
    if args.len() < 2 && io::stdin().is_terminal() && io::stdout().is_terminal() {
        let help = FileArgs::command().render_help();
        let _ = writeln!(io::stderr(), "{}", help.ansi());
        process::exit(2);
    }
    FileArgs::try_parse_from(args).unwrap_or_else(|error| exit(error))
}

/// `1000`, `64K`, `64KiB`, `1M`, `1MiB`: bytes, in the range that the format allows.
fn parse_segment(text: &str) -> Result<SegmentPlan, String> {
    SegmentPlan::fixed(bytes::exact(text)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        let command = FileArgs::command();
        assert_eq!(command.get_name(), "lmz");
        command.debug_assert();
    }

    #[test]
    fn sizes_have_binary_suffixes() {
        for (text, bytes) in [
            ("1", 1),
            ("1000", 1000),
            ("64K", 65536),
            ("64k", 65536),
            ("64KiB", 65536),
            ("1M", 1 << 20),
            ("64MiB", 64 << 20),
        ] {
            assert_eq!(parse_segment(text), Ok(SegmentPlan::Fixed(bytes)), "{text}");
        }
        for text in [
            "",
            "0",
            "K",
            "-1",
            "1.5M",
            "65M",
            "1G",
            "1KB",
            "1 K",
            "99999999999999999999M",
        ] {
            assert!(parse_segment(text).is_err(), "{text}");
        }
    }
}
