//! `-1` to `-9`, as other compressors have them.

use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches};

/// Levels, which change nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Levels;

const NAMES: [&str; 9] = [
    "level-1", "level-2", "level-3", "level-4", "level-5", "level-6", "level-7", "level-8",
    "level-9",
];

const HEADING: &str = "Accepted from other compressors' habits";

impl clap::Args for Levels {
    fn augment_args(command: Command) -> Command {
        let levels = NAMES.iter().zip('1'..).map(|(name, level)| {
            let arg = Arg::new(*name)
                .short(level)
                .action(ArgAction::SetTrue)
                .help_heading(HEADING)
                .hide_short_help(true);
            match level {
                '1' => arg.help("Levels, up to -9: there is one, and they change nothing"),
                _ => arg.hide(true),
            }
        });
        command.args(levels)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Levels {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), Error> {
        Ok(())
    }
}
