//! Who runs the tasks: this machine, or a scheduler that is there already.

mod hyperqueue;
mod local;
mod process;
mod slurm;

pub use hyperqueue::{HyperQueue, job_file};
pub use local::{LocalOutcome, LocalWatch, run_local};
pub use slurm::{Slurm, SlurmJob, SlurmState, Submission, Submitted};
