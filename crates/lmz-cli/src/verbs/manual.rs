//! `lmz help`, `lmz completions` and `lmz man`: all from the definitions that parse the command line.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgAction, CommandFactory, Parser};
use clap_complete::Shell;
use lmz::figures::show;

use super::pages;
use crate::exit::Exit;
use crate::files::args::FileArgs;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb};

/// `lmz help`
#[derive(Debug, Parser)]
#[command(
    about = "Explain lmz, or one of its verbs, at length",
    max_term_width = 100
)]
pub struct HelpArgs {
    /// The verb, and for `model` its own one
    #[arg(value_name = "VERB")]
    pub verbs: Vec<String>,
}

/// `lmz completions`
#[derive(Debug, Parser)]
#[command(
    about = "Print completions for a shell",
    long_about = "Print completions for a shell, to be put where it looks for them:\n  \
        bash  lmz completions bash > ~/.local/share/bash-completion/completions/lmz\n  \
        zsh   lmz completions zsh > DIR/_lmz, where DIR is in $fpath\n  \
        fish  lmz completions fish > ~/.config/fish/completions/lmz.fish",
    max_term_width = 100
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `lmz man`
#[derive(Debug, Parser)]
#[command(
    about = "Print the manual page, or write those of all verbs",
    long_about = "Print the manual page of lmz (lmz man | man -l -), or write it and those of all verbs into a \
        directory.",
    max_term_width = 100
)]
pub struct ManArgs {
    /// Write lmz.1, lmz-cat.1 and so on into DIR, which must exist
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Everything that can be typed, as one command with the verbs below it.
fn tree(verbs: &[Entry]) -> clap::Command {
    FileArgs::command()
        .subcommands(verbs.iter().map(Entry::definition))
        .disable_help_subcommand(true)
}

impl Verb for HelpArgs {
    const NAME: &'static str = "help";

    /// Prints a long help.
    fn run(self, verbs: &[Entry]) -> Result<Exit, Failure> {
        help(&self.verbs, verbs)
    }
}

fn help(path: &[String], verbs: &[Entry]) -> Result<Exit, Failure> {
    let mut tree = tree(verbs);
    // The root's usage lists the verbs in its own way.
    let mut command = FileArgs::command().mut_arg("help", |arg| arg.action(ArgAction::HelpLong));
    tree.build();
    for verb in path {
        let Some(found) = tree.find_subcommand(verb) else {
            let message = format!("there is no verb {verb:?} (see lmz help)");
            tree.error(clap::error::ErrorKind::InvalidSubcommand, message)
                .exit();
        };
        command = found.clone();
        tree = command.clone();
    }
    let text = command.render_long_help();
    let mut out = anstream(io::stdout());
    out(&text)
        .and_then(|()| io::stdout().flush())
        .map_err(Failure::stdout)?;
    Ok(Exit::Success)
}

/// Styled text for terminals, plain for all else.
fn anstream(mut to: io::Stdout) -> impl FnMut(&clap::builder::StyledStr) -> io::Result<()> {
    use std::io::IsTerminal;
    move |text| match to.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        true => write!(to, "{}", text.ansi()),
        false => write!(to, "{text}"),
    }
}

impl Verb for CompletionsArgs {
    const NAME: &'static str = "completions";

    /// Prints completions.
    fn run(self, verbs: &[Entry]) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree(verbs), "lmz", &mut script);
        let mut out = io::stdout();
        out.write_all(&script)
            .and_then(|()| out.flush())
            .map_err(Failure::stdout)?;
        Ok(Exit::Success)
    }
}

impl Verb for ManArgs {
    const NAME: &'static str = "man";

    /// Prints or writes manual pages.
    fn run(self, verbs: &[Entry]) -> Result<Exit, Failure> {
        let mut tree = tree(verbs);
        tree.build();
        match &self.out {
            Some(directory) => pages::pages(&tree, directory)
                .with_context(|| format!("cannot write to {}", show(directory)))?,
            None => {
                let mut page = Vec::new();
                pages::page(&tree, &mut page)
                    .and_then(|()| io::stdout().write_all(&page))
                    .and_then(|()| io::stdout().flush())
                    .map_err(Failure::stdout)?;
            }
        }
        Ok(Exit::Success)
    }
}
