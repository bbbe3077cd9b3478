//! `lmz eval` as it was typed.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::args::{DeviceArgs, DtypeArg, MemoryArg, ModelArg, TalkArgs, help, on_the_best_device};

/// `lmz eval`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Score a model in benchmarks",
    long_about = help::EVAL_LONG,
    after_long_help = help::EVAL_AFTER,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct EvalArgs {
    #[command(subcommand)]
    pub command: Option<EvalCommand>,
    #[command(flatten)]
    pub run: RunEvalArgs,
}

/// What else there is to do.
#[derive(Clone, Debug, Subcommand)]
pub enum EvalCommand {
    /// List all tasks and groups
    Tasks {
        #[command(flatten)]
        files: FileArgs,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the exact prompt of a question, with its number of tokens
    Show {
        /// The task
        #[arg(value_name = "TASK")]
        task: String,
        /// Which question, from 0
        #[arg(long, value_name = "N", default_value_t = 0)]
        sample: usize,
        /// Examples before it [default: what the task says]
        #[arg(long, value_name = "N", alias = "shots", value_parser = clap::value_parser!(u32).range(..=1000))]
        fewshot: Option<u32>,
        /// What examples are drawn by
        #[arg(long, value_name = "SEED", default_value_t = DEFAULT_SEED)]
        seed: u64,
        #[command(flatten)]
        files: FileArgs,
        #[command(flatten)]
        model: ModelArg,
    },
    /// Set two results side by side: files, or directories of --out
    Compare {
        /// The first
        #[arg(value_name = "A")]
        a: PathBuf,
        /// The second
        #[arg(value_name = "B")]
        b: PathBuf,
        /// Print the comparison as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look for benchmarks that the model has seen: MIN-K% PROB over every split
    Contamination {
        /// Tasks and groups, separated by commas
        #[arg(
            long,
            value_name = "TASKS",
            value_delimiter = ',',
            default_value = "all"
        )]
        tasks: Vec<String>,
        /// Percent of a text's tokens that are looked at: the least likely ones
        #[arg(long, value_name = "K", default_value_t = 20.0)]
        k: f64,
        /// At most N texts of each split
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
        /// Write contamination.json and contamination.svg there
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileArgs,
        #[command(flatten)]
        model: ModelArg,
        #[command(flatten)]
        device: DeviceArgs,
        #[command(flatten)]
        memory: MemoryArg,
        #[command(flatten)]
        talk: TalkArgs,
    },
}

/// What examples are drawn by, unless somebody says.
pub const DEFAULT_SEED: u64 = 1234;

/// Where tasks and their data are.
#[derive(Clone, Debug, Default, Args)]
pub struct FileArgs {
    /// A directory with files of benchmarks, in the published forms
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A directory with tasks of one's own (.toml)
    #[arg(long, value_name = "DIR")]
    pub task_files: Option<PathBuf>,
}

/// What a run takes.
#[derive(Clone, Debug, Args)]
pub struct RunEvalArgs {
    /// Tasks and groups, separated by commas: all, knowledge, coding, math, small, or names (lmz eval tasks)
    #[arg(
        long,
        alias = "task",
        value_name = "TASKS",
        value_delimiter = ',',
        default_value = "small"
    )]
    pub tasks: Vec<String>,
    #[command(flatten)]
    pub files: FileArgs,
    /// Examples before each question [default: what the task says]
    #[arg(long, alias = "shots", value_name = "N", value_parser = clap::value_parser!(u32).range(..=1000))]
    pub fewshot: Option<u32>,
    /// At most N questions of each task, or of each subject of it: the first ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// What examples are drawn by
    #[arg(long, value_name = "SEED", default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// Score the splits of each task by MIN-K% PROB, too: K percent of a text's tokens
    #[arg(long, value_name = "K", num_args = 0..=1, default_missing_value = "20", require_equals = true, conflicts_with = "reference")]
    pub min_k: Option<f64>,
    /// Let programs that the model has written be run, in a sandbox (needs bubblewrap and python3)
    #[arg(long)]
    pub allow_code_execution: bool,
    /// The Python that runs them: that of a virtual environment has its modules [default: python3]
    #[arg(long, value_name = "FILE", requires = "allow_code_execution")]
    pub python: Option<PathBuf>,
    /// Answer from the key (right), or always wrongly (wrong), instead of by a model: tests a task
    #[arg(long, value_name = "WHO", value_parser = ["right", "wrong"], conflicts_with = "model")]
    pub reference: Option<String>,

    #[command(flatten)]
    pub model: ModelArg,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub memory: MemoryArg,
    #[command(flatten)]
    pub dtype: DtypeArg,
    /// Rows that are scored together, or auto: chosen from the memory
    #[arg(
        long,
        value_name = "N",
        default_value = "auto",
        help_heading = "Model and speed"
    )]
    pub batch: String,

    /// Print results as JSON: one object for one task, a list for several
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Keep journals and results (TASK.json) in this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Continue the run in that directory
    #[arg(long, requires = "out", help_heading = "Output")]
    pub resume: bool,
    /// Write every question's prompt and answers there, too (TASK.samples.jsonl)
    #[arg(long, requires = "out", help_heading = "Output")]
    pub log_samples: bool,
    #[command(flatten)]
    pub talk: TalkArgs,
}

/// The definition, with what common arguments mean for an engine in floating point.
pub fn definition() -> clap::Command {
    on_the_best_device(EvalArgs::command()).mut_subcommand("contamination", on_the_best_device)
}
