//! The command line as it was typed. What it means is decided in [`crate::settings`].

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use lmz::gpu::Device;
use lmz::{SegmentPlan, format};

use crate::bench::args::BenchArgs;
use crate::bpc::args::BpcArgs;
use crate::cat::CatArgs;
use crate::inspect::args::InspectArgs;
use crate::manual::{CompletionsArgs, HelpArgs, ManArgs};
use crate::train::args::TrainArgs;
use crate::verify::args::VerifyArgs;
use crate::{bytes, help};

/// What the first argument asks for.
#[derive(Debug)]
pub enum Command {
    /// Work on files.
    Files(Box<FileArgs>),
    /// `lmz models`.
    Models(ModelsArgs),
    /// `lmz model ...`.
    Model(ModelCommand),
    /// `lmz verify`.
    Verify(Box<VerifyArgs>),
    /// `lmz inspect`.
    Inspect(Box<InspectArgs>),
    /// `lmz bench`.
    Bench(Box<BenchArgs>),
    /// `lmz bpc`.
    Bpc(Box<BpcArgs>),
    /// `lmz devices`.
    Devices(DevicesArgs),
    /// `lmz train`.
    Train(Box<TrainArgs>),
    /// `lmz cat`.
    Cat(Box<CatArgs>),
    /// `lmz completions`.
    Completions(CompletionsArgs),
    /// `lmz man`.
    Man(ManArgs),
    /// `lmz help`.
    Help(HelpArgs),
}

impl Command {
    /// Parses the whole command line, the program's name included. Ends the process for `--help`,
    /// `--version` and what cannot be parsed.
    ///
    /// Only the first argument can be a verb: a file of that name is written `./models`, or
    /// after `--`.
    pub fn parse(args: Vec<OsString>) -> Self {
        let verb = args.get(1).map(OsString::as_os_str);
        let rest = || {
            let name = format!("lmz {}", verb.unwrap_or_default().to_string_lossy());
            std::iter::once(OsString::from(name)).chain(args.iter().skip(2).cloned())
        };
        if verb == Some(OsStr::new("models")) {
            Self::Models(ModelsArgs::parse_from(rest()))
        } else if verb == Some(OsStr::new("model")) {
            Self::Model(ModelArgs::parse_from(rest()).command)
        } else if verb == Some(OsStr::new("verify")) {
            Self::Verify(Box::new(VerifyArgs::parse_from(rest())))
        } else if verb == Some(OsStr::new("inspect")) {
            Self::Inspect(Box::new(InspectArgs::parse_from(rest())))
        } else if verb == Some(OsStr::new("bench")) {
            Self::Bench(Box::new(BenchArgs::parse_from(rest())))
        } else if verb == Some(OsStr::new("bpc")) {
            Self::Bpc(Box::new(BpcArgs::parse_from(rest())))
        } else if verb == Some(OsStr::new("train")) {
            Self::Train(Box::new(TrainArgs::parse_from(rest())))
        } else if verb == Some(OsStr::new("devices")) {
            Self::Devices(DevicesArgs::parse_from(rest()))
        } else if verb == Some(OsStr::new("cat")) {
            Self::Cat(Box::new(CatArgs::parse_from(rest())))
        } else if verb == Some(OsStr::new("completions")) {
            Self::Completions(CompletionsArgs::parse_from(rest()))
        } else if verb == Some(OsStr::new("man")) {
            Self::Man(ManArgs::parse_from(rest()))
        } else if verb == Some(OsStr::new("help")) {
            Self::Help(HelpArgs::parse_from(rest()))
        } else {
            Self::Files(Box::new(FileArgs::parse_from(args)))
        }
    }
}

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
    max_term_width = 100
)]
pub struct FileArgs {
    /// Print a short help (lmz help: a long one)
    #[arg(short, long, action = ArgAction::HelpShort, global = false, help_heading = "Output")]
    help: Option<bool>,
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
    /// Print the list, or what --keep-going found, as JSON
    #[arg(long, help_heading = "What to do (compress, unless told otherwise)")]
    pub json: bool,

    /// Write to standard output
    #[arg(short = 'c', long, help_heading = "Output")]
    pub stdout: bool,
    /// Write to PATH ('-' is standard output)
    #[arg(
        short,
        long,
        value_name = "PATH",
        conflicts_with = "stdout",
        help_heading = "Output"
    )]
    pub output: Option<PathBuf>,
    /// Overwrite files, and write compressed data to a terminal
    #[arg(short, long, help_heading = "Output")]
    pub force: bool,
    /// Keep input files: always so, accepted for the habit
    #[arg(short, long, hide_short_help = true, help_heading = "Output")]
    pub keep: bool,
    /// Print nothing but errors
    #[arg(short, long, overrides_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Print more, also when standard error is not a terminal
    #[arg(short, long, action = ArgAction::Count, overrides_with = "quiet", help_heading = "Output")]
    pub verbose: u8,
    /// Show no progress bar
    #[arg(long, hide_short_help = true, help_heading = "Output")]
    pub no_progress: bool,

    /// Use this model: a name or id of `lmz models`, an .lmzm or .gguf file, a directory
    ///
    /// A directory is one of Hugging Face's: config.json, tokenizer.json and safetensors. It and a GGUF file are
    /// prepared anew each time; `lmz model prepare` does it once.
    #[arg(short, long, value_name = "MODEL", help_heading = "Model and speed")]
    pub model: Option<OsString>,
    /// Show the model this text before each segment; restoring takes the same FILE
    #[arg(long, value_name = "FILE", help_heading = "Model and speed")]
    pub prime: Option<PathBuf>,
    /// Use N threads [default: one for each core, as with 0]
    #[arg(
        short = 'T',
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(..=1024),
        help_heading = "Model and speed"
    )]
    pub threads: Option<u16>,
    /// Run the model on DEVICE: cpu, vulkan[:N], cuda[:N], or auto (lmz devices lists them)
    ///
    /// The bytes are the same on all of them. A device that is missing or fails is replaced by the
    /// CPU, with a notice. auto takes a card where that is sooner, by what earlier runs have measured;
    /// a card that was never measured gets large work. -v says what it took and why.
    #[arg(
        long,
        value_name = "DEVICE",
        default_value = "cpu",
        hide_default_value = true,
        hide_short_help = true,
        help_heading = "Model and speed"
    )]
    pub device: Device,
    /// Take no more than SIZE of the device's memory, with suffixes K, M and G (1024) [default: 70 % of
    /// what is free]
    ///
    /// It holds the model and all that is computed from it. A model that needs more runs on the CPU,
    /// with a notice that says how much. With --device cpu it does nothing. A device that does not tell
    /// what is free gives 1G unless told otherwise.
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = bytes::memory,
        hide_short_help = true,
        help_heading = "Model and speed"
    )]
    pub memory: Option<u64>,
    /// Do not decode each segment again before it is written
    #[arg(long, help_heading = "Model and speed")]
    pub no_verify: bool,

    /// Cut the input into segments of SIZE bytes, with suffixes K and M (1024) [default: 64K to
    /// 256K, growing with the offset]
    #[arg(long, value_name = "SIZE", value_parser = parse_segment, hide_short_help = true, help_heading = "Format")]
    pub segment: Option<SegmentPlan>,
    /// Tokens that a block may hold [default: the model's own context, at most 1,024]
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

/// `lmz models`
#[derive(Debug, Parser)]
#[command(
    about = "List the models that this lmz can find",
    long_about = help::MODELS_LONG,
    max_term_width = 100
)]
pub struct ModelsArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// `lmz devices`
#[derive(Debug, Parser)]
#[command(
    about = "List the devices that models can run on, and check them",
    long_about = help::DEVICES_LONG,
    max_term_width = 100
)]
pub struct DevicesArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// `lmz model`
#[derive(Debug, Parser)]
#[command(
    about = "Look at a model, or prepare one",
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct ModelArgs {
    #[command(subcommand)]
    pub command: ModelCommand,
}

/// `lmz model info` and `lmz model prepare`
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show what a model is
    Info(InfoArgs),
    /// Turn a Hugging Face directory or a GGUF file into an .lmzm file
    #[command(long_about = help::PREPARE_LONG)]
    Prepare(PrepareArgs),
}

/// `lmz model info`
#[derive(Debug, clap::Args)]
pub struct InfoArgs {
    /// An .lmzm file, a Hugging Face directory, a GGUF file, or a name or id that `lmz models` lists
    #[arg(value_name = "PATH")]
    pub model: OsString,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `lmz model prepare`
#[derive(Debug, clap::Args)]
pub struct PrepareArgs {
    /// A directory with config.json, tokenizer.json and safetensors weights, or a GGUF file
    #[arg(value_name = "MODEL")]
    pub directory: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "X.lmzm")]
    pub output: PathBuf,
    /// A name for people [default: what the model says of itself]
    #[arg(long, value_parser = parse_name)]
    pub name: Option<String>,
    /// Overwrite the file
    #[arg(short, long)]
    pub force: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// `1000`, `64K`, `64KiB`, `1M`, `1MiB`: bytes, in the range that the format allows.
fn parse_segment(text: &str) -> Result<SegmentPlan, String> {
    SegmentPlan::fixed(bytes::exact(text)?).map_err(|error| error.to_string())
}

fn parse_name(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("a name has at least one character".into());
    }
    if name.len() > format::MAX_MODEL_NAME_LEN {
        return Err(format!("longer than {} bytes", format::MAX_MODEL_NAME_LEN));
    }
    if name.chars().any(char::is_control) {
        return Err("a name holds no control characters".into());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        FileArgs::command().debug_assert();
        ModelsArgs::command().debug_assert();
        ModelArgs::command().debug_assert();
        VerifyArgs::command().debug_assert();
        InspectArgs::command().debug_assert();
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

    #[test]
    fn only_the_first_argument_is_a_verb() {
        let parse = |args: &[&str]| {
            let args = std::iter::once("lmz").chain(args.iter().copied());
            Command::parse(args.map(OsString::from).collect())
        };
        assert!(matches!(parse(&["models"]), Command::Models(_)));
        for args in [
            &["./models"][..],
            &["--", "models"],
            &["-k", "models"],
            &["a", "model"],
        ] {
            let Command::Files(files) = parse(args) else {
                panic!("{args:?} is about files");
            };
            assert!(!files.files.is_empty());
        }
    }
}
