//! Programs that a model has written, run where they can do no harm.
//!
//! [`Sandbox::open`] tries the sandbox before it is handed out: one that leaks is refused.

mod command;
mod filter;
mod own_test;
mod parts;
mod python;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use command::Ended;
pub use parts::Limits;
use parts::Parts;
use python::Python;

use crate::error::{EvalError, Result};

/// A sandbox that has proved itself.
#[derive(Debug)]
pub struct Sandbox(Parts);

impl Sandbox {
    /// Looks for bubblewrap and Python, and tries to get out of the sandbox that they make. Without a `python` it is
    /// `python3` of the PATH.
    ///
    /// # Errors
    /// One of them is not there, or a way out was found; which.
    pub fn open(python: Option<&Path>) -> Result<Self> {
        let refuse =
            |reason: String| EvalError::Sandbox(format!("programs cannot be run: {reason}"));
        let bubblewrap = which("bwrap").ok_or_else(|| {
            refuse("there is no bwrap; install bubblewrap (Debian: apt install bubblewrap)".into())
        })?;
        let filter = filter::filter().ok_or_else(|| {
            refuse("the sandbox knows the system calls of x86_64 and aarch64 only".into())
        })?;
        let python = match python {
            Some(python) => python.to_owned(),
            None => which("python3").ok_or_else(|| refuse("there is no python3".into()))?,
        };
        let parts = Parts {
            bubblewrap,
            python: Python::ask(&python).map_err(refuse)?,
            filter,
        };
        own_test::run(&parts)
            .map_err(|reason| refuse(format!("the sandbox's own test failed: {reason}")))?;
        Ok(Self(parts))
    }

    /// Runs a Python program.
    ///
    /// # Errors
    /// The sandbox could not be started.
    pub fn run(&self, source: &str, limits: Limits) -> Result<Ended> {
        command::run(&self.0, source, limits)
    }

    /// Whether Python finds a module there.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn has(&self, module: &str) -> Result<bool> {
        let sound = !module.is_empty()
            && module
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        if !sound {
            return Err(EvalError::InvalidArgument(format!(
                "{module:?} is no module's name"
            )));
        }
        let limits = Limits {
            time: Duration::from_secs(60),
            ..Limits::default()
        };
        let ended = self.run(&format!("import {module}\n"), limits)?;
        Ok(ended.passed())
    }
}

/// Where a program is, by PATH.
fn which(name: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|directory| directory.join(name));
    places.find(|place| place.is_file())
}
