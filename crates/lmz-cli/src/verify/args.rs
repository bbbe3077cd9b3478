//! The command line of `lmz verify`, and what it shares with `lmz inspect`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use lmz::gpu::Device;

use crate::args::FileArgs;
use crate::bytes;
use crate::settings::Settings;

const LONG: &str = "\
Show where every bit of a file goes: the ledger from what the model says the text is worth, through \
integer frequencies, the coder and the container, to the bytes on disk. The lines add up to the \
file's size exactly.

FILE is an .lmz file, or any other, which is compressed into a temporary file first. Either is really \
decoded, and compared with the original or its checksums.

Exit code 1 if a file does not restore or breaks one of the promises that are printed below its ledger.";

/// `lmz verify`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Account for every bit of a file, and check what is promised of it",
    long_about = LONG,
    max_term_width = 100
)]
pub struct VerifyArgs {
    /// Compressed files, or files to compress for this; '-' is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Leave the float engine out
    #[arg(long)]
    pub no_float: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// What `verify` and `inspect` have in common.
#[derive(Clone, Debug, clap::Args)]
pub struct CommonArgs {
    /// Use this model: a name or id that `lmz models` lists, an .lmzm file, or a Hugging Face
    /// directory
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<OsString>,
    /// Show the model this text before each segment; a file that was primed needs the same
    #[arg(long, value_name = "FILE")]
    pub prime: Option<PathBuf>,
    /// Run the model on DEVICE: cpu, vulkan[:N], cuda[:N], or auto
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<Device>,
    /// Take no more than SIZE of the device's memory, with suffixes K, M and G (1024) [default: 70 % of
    /// what is free]; on the CPU it does nothing
    #[arg(long, value_name = "SIZE", value_parser = bytes::memory)]
    pub memory: Option<u64>,
    /// Use N threads [default: one for each core, as with 0]
    #[arg(short = 'T', long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    pub threads: Option<u16>,
    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
}

impl VerifyArgs {
    /// As if work on these files had been asked for.
    ///
    /// # Errors
    /// A usage error, ready to be printed.
    pub fn settings(&self) -> Result<Settings, clap::Error> {
        self.common.settings(&self.files)
    }
}

impl CommonArgs {
    /// As if work on these files had been asked for.
    ///
    /// # Errors
    /// A usage error, ready to be printed.
    pub fn settings(&self, files: &[PathBuf]) -> Result<Settings, clap::Error> {
        let mut args: Vec<OsString> = vec!["lmz".into()];
        if let Some(model) = &self.model {
            args.extend(["--model".into(), model.clone()]);
        }
        if let Some(prime) = &self.prime {
            args.extend(["--prime".into(), prime.clone().into_os_string()]);
        }
        if let Some(threads) = self.threads {
            args.extend(["--threads".into(), threads.to_string().into()]);
        }
        if let Some(device) = self.device {
            args.extend(["--device".into(), device.to_string().into()]);
        }
        if let Some(memory) = self.memory {
            args.extend(["--memory".into(), memory.to_string().into()]);
        }
        if self.no_progress {
            args.push("--no-progress".into());
        }
        args.push("--".into());
        args.extend(files.iter().map(|file| file.clone().into_os_string()));
        Settings::resolve(FileArgs::try_parse_from(args)?)
    }
}
