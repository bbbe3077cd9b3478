//! What a verb is.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::exit::Exit;
use crate::terminal::message::Failure;
use crate::terminal::usage::exit;

/// A verb: its arguments, and what it does.
pub trait Verb: Parser {
    /// What it is called on the command line.
    const NAME: &'static str;

    /// How its command line is parsed and explained.
    fn definition() -> clap::Command {
        <Self as CommandFactory>::command()
    }

    /// Does it. `verbs` are all there are, for help.
    ///
    /// # Errors
    /// Why it was not done.
    fn run(self, verbs: &[Entry]) -> Result<Exit, Failure>;
}

/// Makes a verb, in a build without what it needs, say so.
#[cfg(not(all(feature = "float", feature = "train", feature = "bench")))]
macro_rules! missing {
    ($args:ty, $name:literal, $definition:expr, $what:literal, $feature:literal) => {
        impl crate::verb::Verb for $args {
            const NAME: &'static str = $name;

            fn definition() -> clap::Command {
                $definition()
            }

            fn run(
                self,
                _: &[crate::verb::Entry],
            ) -> Result<crate::exit::Exit, crate::terminal::message::Failure> {
                let message = concat!(
                    "this lmz was built without ",
                    $what,
                    " (cargo feature `",
                    $feature,
                    "`, on by default)"
                );
                Err(crate::terminal::message::Failure::Fatal(anyhow::anyhow!(
                    message
                )))
            }
        }
    };
}
#[cfg(not(all(feature = "float", feature = "train", feature = "bench")))]
pub(crate) use missing;

/// A verb in the table.
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    definition: fn() -> clap::Command,
    run: fn(&[OsString], &[Entry]) -> Result<Exit, Failure>,
}

impl Entry {
    pub const fn of<V: Verb>() -> Self {
        Self {
            name: V::NAME,
            definition: V::definition,
            run: run::<V>,
        }
    }

    /// Its definition, by its name.
    pub fn definition(&self) -> clap::Command {
        (self.definition)().name(self.name)
    }

    /// Parses what follows the verb, and does it. Ends the process for `--help` and what cannot be
    /// parsed.
    ///
    /// # Errors
    /// Why it was not done.
    pub fn run(&self, args: &[OsString], verbs: &[Self]) -> Result<Exit, Failure> {
        (self.run)(args, verbs)
    }
}

fn run<V: Verb>(args: &[OsString], verbs: &[Entry]) -> Result<Exit, Failure> {
    let name = OsString::from(format!("lmz {}", V::NAME));
    let args = std::iter::once(&name).chain(args);
    let matches = definition_of::<V>().try_get_matches_from(args);
    match matches.and_then(|matches| V::from_arg_matches(&matches)) {
        Ok(verb) => verb.run(verbs),
        Err(error) => exit(error),
    }
}

/// A verb's definition as usage errors show it.
pub fn definition_of<V: Verb>() -> clap::Command {
    V::definition()
        .name(V::NAME)
        .bin_name(format!("lmz {}", V::NAME))
}
