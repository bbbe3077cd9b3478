//! Writes the files of the repository that are generated: `cargo xtask vectors`, `fixtures` or `seeds`. With `--check` it
//! writes nothing and fails where a file differs from what would be written.
//!
//! Generators are here and not among the tests, so that no run of the tests changes a committed file.
#![forbid(unsafe_code)]

mod files;
mod fixtures;
mod json;
mod seeds;
mod vectors;

use std::process::ExitCode;

use files::{Files, Result};

const USAGE: &str = "usage: cargo xtask vectors|fixtures|seeds [--check]";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all files are as they should be.
fn run(arguments: Vec<String>) -> Result<bool> {
    let (options, names): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|argument| argument.starts_with('-'));
    let check = match options[..] {
        [] => false,
        ["--check"] => true,
        _ => return Err(USAGE.into()),
    };
    let mut files = Files::new(check);
    match names[..] {
        ["vectors"] => vectors::write(&mut files)?,
        ["fixtures"] => fixtures::write(&mut files)?,
        ["seeds"] => seeds::write(&mut files)?,
        _ => return Err(USAGE.into()),
    }
    Ok(files.report())
}
