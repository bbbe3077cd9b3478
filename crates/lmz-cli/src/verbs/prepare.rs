//! From a Hugging Face directory or a GGUF file to an .lmzm file.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use lmz::figures::{hex, show};
use lmz::{Checkpoint, ModelStore};

use crate::exit::Exit;
use crate::files::fail;
use crate::io::output::{How, Output};
use crate::terminal::message::{Failure, say};

/// What is prepared, and where to.
pub struct Preparation<'a> {
    /// A directory, a GGUF file, or the name of a model of the hub.
    pub checkpoint: &'a OsStr,
    /// `-` is standard output.
    pub output: &'a Path,
    /// What the model says of itself, if none is given.
    pub name: Option<&'a str>,
    /// No later one is used.
    pub recipe: u8,
    pub force: bool,
    pub quiet: bool,
}

/// Prepares a model.
///
/// # Errors
/// There is none, or one that the integer engine cannot run; the output cannot be written.
pub fn prepare(task: &Preparation<'_>) -> Result<Exit, Failure> {
    let found = ModelStore::from_env().checkpoint(task.checkpoint);
    let path = found.map_err(anyhow::Error::from)?;
    let path = path.unwrap_or_else(|| task.checkpoint.into());
    let checkpoint = Checkpoint::open(path).map_err(anyhow::Error::from)?;
    if !task.quiet {
        for notice in checkpoint.notices() {
            say(&format!("lmz: warning: {notice}"));
        }
        if let Some(chat) = checkpoint.chat_notice() {
            say(&format!("lmz: {chat}"));
        }
    }
    let mut output = if task.output == Path::new("-") {
        Output::stdout()
    } else {
        Output::file(
            task.output,
            How {
                force: task.force,
                quiet: task.quiet,
                ..How::default()
            },
        )?
    };
    if output.is_terminal() && !task.force {
        return Err(anyhow::anyhow!("a model is not written to a terminal").into());
    }
    let name = task.name.map(str::to_owned).unwrap_or_else(|| {
        let name = checkpoint.name.chars().filter(|c| !c.is_control());
        // In a header its bytes are limited.
        name.take(lmz::format::MAX_MODEL_NAME_LEN / 4).collect()
    });
    let prepared = lmz::prepare_as(&checkpoint, &name, task.recipe).map_err(anyhow::Error::from)?;
    let written = output
        .write_all(prepared.as_bytes())
        .context("cannot write")
        .and_then(|()| output.commit(None));
    written.map_err(|error| fail(&output, error))?;
    if !task.quiet {
        say(&format!(
            "{}: {} (id {}), {} weights, {} bytes",
            show(task.output),
            prepared.name,
            hex(&prepared.identity()[..16]),
            count(prepared.weights()),
            prepared.as_bytes().len()
        ));
    }
    Ok(Exit::Success)
}

/// `2816064` -> `2.8M`
pub fn count(n: u64) -> String {
    let n = n as f64;
    match n {
        0.0..1e4 => format!("{n}"),
        0.0..1e6 => format!("{:.0}K", n / 1e3),
        0.0..1e9 => format!("{:.1}M", n / 1e6),
        _ => format!("{:.1}B", n / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_units() {
        let cases = [
            (0, "0"),
            (9999, "9999"),
            (260_032, "260K"),
            (2_816_064, "2.8M"),
            (7_000_000_000, "7.0B"),
        ];
        for (n, text) in cases {
            assert_eq!(count(n), text);
        }
    }
}
