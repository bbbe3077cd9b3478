//! The verbs, each in its own module, and the table of them.

mod bench;
mod bpc;
mod cat;
mod corpus;
mod devices;
mod eval;
mod inspect;
mod manual;
mod models;
mod pages;
mod prepare;
mod study;
mod traced;
mod train;
mod verify;

use std::ffi::OsString;

use crate::verb::Entry;

/// All verbs. To add one: implement [`Verb`](crate::verb::Verb) for its arguments, and name it here;
/// help, completions and manual pages follow.
pub static ALL: &[Entry] = &[
    Entry::of::<bench::BenchArgs>(),
    Entry::of::<bpc::BpcArgs>(),
    Entry::of::<cat::CatArgs>(),
    Entry::of::<manual::CompletionsArgs>(),
    Entry::of::<corpus::CorpusArgs>(),
    Entry::of::<devices::DevicesArgs>(),
    Entry::of::<eval::EvalArgs>(),
    Entry::of::<manual::HelpArgs>(),
    Entry::of::<inspect::InspectArgs>(),
    Entry::of::<manual::ManArgs>(),
    Entry::of::<models::ModelArgs>(),
    Entry::of::<models::ModelsArgs>(),
    Entry::of::<study::StudyArgs>(),
    Entry::of::<train::TrainArgs>(),
    Entry::of::<verify::VerifyArgs>(),
];

/// The verb of a command line, the program's name included.
///
/// Only the first argument can be one: a file of that name is written `./models`, or after `--`.
pub fn named(args: &[OsString]) -> Option<&'static Entry> {
    let first = args.get(1)?;
    ALL.iter().find(|verb| first == verb.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_argument_is_a_verb() {
        let find = |args: &[&str]| {
            let args = std::iter::once("lmz").chain(args.iter().copied());
            let args: Vec<OsString> = args.map(OsString::from).collect();
            named(&args).map(|verb| verb.name)
        };
        assert_eq!(find(&["models"]), Some("models"));
        for args in [
            &["./models"][..],
            &["--", "models"],
            &["-k", "models"],
            &["a", "model"],
            &[],
        ] {
            assert_eq!(find(args), None, "{args:?}");
        }
    }

    #[test]
    fn the_definitions_are_consistent() {
        for verb in ALL {
            verb.definition().debug_assert();
        }
        assert!(ALL.is_sorted_by_key(|verb| verb.name));
    }
}
