//! `-l`: what is in compressed files, without decoding them.

mod table;

use std::io::{self, Write};

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lmz::inspect::Listing;
use serde::Serialize;

use super::output::refuse_terminal;
use super::settings::Settings;
use crate::io::input::Input;
use crate::io::source::Source;
use crate::settings::Volume;
use crate::terminal::message::{Failure, complain, say};
use crate::terminal::visible::{Visible, print_json};
use table::Table;

/// What `--json` says about a file.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    listing: Listing,
    /// The bytes of a name that is no UTF-8, in base64: what stands in `file` is for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_base64: Option<String>,
}

/// Lists all sources on standard output; says whether all of them could be.
pub fn run(settings: &Settings) -> Result<bool, Failure> {
    for source in &settings.sources {
        refuse_terminal(source, settings.force)?;
    }
    print(settings).map_err(Failure::stdout)
}

fn print(settings: &Settings) -> io::Result<bool> {
    // Names are for people here: what they hide, or do to a terminal, is shown.
    let mut people = Visible(io::BufWriter::new(io::stdout()));
    let mut table = Table::default();
    let mut listings = Vec::new();
    let mut ok = true;
    for source in &settings.sources {
        match list(source) {
            Ok(listing) => {
                warn(&listing, settings);
                if settings.json {
                    listings.push(Listed {
                        listing,
                        file_base64: unreadable(source),
                    });
                } else {
                    let verbose = settings.talk.volume == Volume::Verbose;
                    table.row(&listing, verbose, &mut people)?;
                }
            }
            Err(error) => {
                ok = false;
                people.flush()?;
                complain(&source.to_string(), &error);
            }
        }
    }
    if settings.json {
        print_json(&listings)?;
    } else {
        table.total(&mut people)?;
    }
    people.flush()?;
    Ok(ok)
}

/// The bytes of a name that is no UTF-8.
fn unreadable(source: &Source) -> Option<String> {
    match source {
        Source::File(path) if path.to_str().is_none() => {
            Some(BASE64_STANDARD.encode(path.as_os_str().as_encoded_bytes()))
        }
        _ => None,
    }
}

fn warn(listing: &Listing, settings: &Settings) {
    if settings.talk.volume > Volume::Quiet {
        for (number, member) in listing.members.iter().enumerate() {
            if member.sizes.header_damaged {
                say(&format!(
                    "lmz: {}: warning: the header of member {number} is damaged; its copy in the \
                     footer was used",
                    listing.file
                ));
            }
            if member.sizes.end_byte_damaged {
                say(&format!(
                    "lmz: {}: warning: the end byte of member {number} is damaged",
                    listing.file
                ));
            }
        }
    }
}

fn list(source: &Source) -> Result<Listing> {
    let input = Input::open(source, true)?;
    let file = input.name.clone();
    let reader = io::BufReader::new(input.into_seekable()?);
    Ok(Listing::read(file, reader)?)
}
