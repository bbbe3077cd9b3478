//! What the sandbox is made of, and what it gives to a program.

use std::path::PathBuf;
use std::time::Duration;

use super::python::Python;

/// Of what it is made.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) bubblewrap: PathBuf,
    pub(super) python: Python,
    /// System calls that are let through, as the kernel's filter.
    pub(super) filter: Vec<u8>,
}

/// What a program may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run, and how long it may compute.
    pub time: Duration,
    /// Bytes of its address space.
    pub memory: u64,
    /// Bytes of one file, and of all files together.
    pub files: u64,
    /// Bytes of its output that are kept; it is ended when it writes more.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            memory: 4 << 30,
            files: 16 << 20,
            output: 64 << 10,
        }
    }
}
