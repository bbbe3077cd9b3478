//! Arguments that verbs have in common, as they are typed, each group written once. [`crate::settings`] decides what
//! they mean.

pub mod bytes;
pub mod help;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgAction;
use lmz::gpu::Device;

/// All that a verb takes which runs a model in integers.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub model: ModelArg,
    #[command(flatten)]
    pub prime: PrimeArg,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub memory: MemoryArg,
    #[command(flatten)]
    pub talk: TalkArgs,
}

#[derive(Clone, Debug, clap::Args)]
pub struct ModelArg {
    /// Use this model: name, id, ORG/NAME, directory, .lmzm or .gguf file
    ///
    /// A directory is one of Hugging Face's: config.json, tokenizer.json and safetensors. ORG/NAME, ORG/NAME@REVISION and
    /// ORG/NAME:FILE.gguf are models of the Hugging Face hub, once lmz model pull has fetched them. All of these are
    /// prepared the first time; what comes of it is kept in the user's cache directory.
    #[arg(short, long, value_name = "MODEL", help_heading = "Model and speed")]
    pub model: Option<OsString>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct PrimeArg {
    /// Show the model this text before each segment; restoring takes the same FILE
    #[arg(long, value_name = "FILE", help_heading = "Model and speed")]
    pub prime: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct DeviceArgs {
    /// Use N threads [default: one for each core, as with 0]
    #[arg(
        short = 'T',
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(..=1024),
        help_heading = "Model and speed"
    )]
    pub threads: Option<u16>,
    /// Run the model on DEVICE: cpu, vulkan[:N], cuda[:N], or auto (lmz devices lists them) [default: cpu]
    ///
    /// The bytes are the same on all of them. A device that is missing or fails is replaced by the
    /// CPU, with a notice. auto takes a card where that is sooner, by what earlier runs have measured;
    /// a card that was never measured gets large work. -v says what it took and why.
    #[arg(
        long,
        value_name = "DEVICE",
        hide_short_help = true,
        help_heading = "Model and speed"
    )]
    pub device: Option<Device>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct MemoryArg {
    /// Take no more than SIZE of the device's memory, with suffixes K, M and G (1024) [default: 70 % of
    /// what is free]
    ///
    /// It holds the model and all that is computed from it. A model that needs more runs on the CPU,
    /// with a notice that says how much. On the CPU it bounds the groups that are worked on at once, 155M
    /// each, and with them the threads. A device that does not tell
    /// what is free gives 1G unless told otherwise.
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = bytes::memory,
        hide_short_help = true,
        help_heading = "Model and speed"
    )]
    pub memory: Option<u64>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct DtypeArg {
    /// f32, or where the device has it bf16 or f16
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "f32",
        help_heading = "Model and speed"
    )]
    pub dtype: String,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct TalkArgs {
    /// Print nothing but errors and what was asked for
    #[arg(short, long, overrides_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Print more, also when standard error is not a terminal
    #[arg(short, long, action = ArgAction::Count, overrides_with = "quiet", help_heading = "Output")]
    pub verbose: u8,
    /// Show no progress bar
    #[arg(long, hide_short_help = true, help_heading = "Output")]
    pub no_progress: bool,
}

/// A verb's own definition of `--device`, where its model runs in floating point.
pub fn on_the_best_device(command: clap::Command) -> clap::Command {
    command.mut_arg("device", |arg| {
        arg.help(
            "Run the model on DEVICE: cpu, vulkan[:N], cuda[:N], or auto (lmz devices lists them) \
             [default: auto]",
        )
        .long_help(None::<&str>)
    })
}
