//! `lmz study` as it was typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use lmz_study::config::ExecutorKind;

use crate::args::help;

/// `lmz study`
#[derive(Debug, Parser)]
#[command(
    about = "Set models' benchmark scores against how well they compress",
    long_about = help::STUDY_LONG,
    max_term_width = 100
)]
pub struct StudyArgs {
    #[command(subcommand)]
    pub command: StudyCommand,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Recompute every correlation of "Compression Represents Intelligence Linearly" (arXiv
    /// 2404.09937) from its tables
    Published {
        /// Print the comparison as JSON
        #[arg(long)]
        json: bool,
        /// Write the report to FILE, and its figures beside it
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Make a directory with a commented study.toml
    Init {
        /// The study's directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// List the tasks of a study, what they cost, and what is done
    Plan {
        /// The study's directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Print the plan as JSON
        #[arg(long)]
        json: bool,
    },
    /// Do what is not done of a study, here or on a cluster
    Run {
        /// The study's directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Who runs the tasks [default: what study.toml says]
        #[arg(long, value_enum, value_name = "WHO")]
        executor: Option<ExecutorName>,
        /// Tasks at a time on this machine [default: what study.toml says]
        #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        jobs: Option<u32>,
        /// Devices that tasks on this machine take in turn, separated by commas
        #[arg(long, value_name = "DEVICES", value_delimiter = ',')]
        devices: Vec<String>,
        /// Write what would be submitted to a cluster, and submit nothing
        #[arg(long)]
        dry_run: bool,
        /// Print errors only
        #[arg(short, long)]
        quiet: bool,
    },
    /// Show how far a study is
    Status {
        /// The study's directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Show it again every two seconds until nothing is left
        #[arg(long, conflicts_with = "json")]
        watch: bool,
        /// List what is done, too
        #[arg(short, long)]
        all: bool,
        /// Print all tasks as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the report of what is done of a study
    Report {
        /// The study's directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The page; its figures come beside it [default: DIR/report.html]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Do one task of a study, if nobody has
    Task {
        /// The study's directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The task, as `lmz study plan` names it
        #[arg(value_name = "ID")]
        id: String,
        /// What it runs on
        #[arg(long, value_name = "DEVICE", default_value = "auto")]
        device: String,
    },
}

/// [`ExecutorKind`] on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutorName {
    /// This machine
    Local,
    /// Array jobs of a Slurm cluster
    Slurm,
    /// A HyperQueue server
    Hyperqueue,
}

impl From<ExecutorName> for ExecutorKind {
    fn from(name: ExecutorName) -> Self {
        match name {
            ExecutorName::Local => Self::Local,
            ExecutorName::Slurm => Self::Slurm,
            ExecutorName::Hyperqueue => Self::HyperQueue,
        }
    }
}
