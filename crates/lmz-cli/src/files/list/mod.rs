//! `-l`: what is in compressed files, without decoding them.

mod table;

use std::io::{self, Write};

use anyhow::Result;
use lmz::inspect::Listing;

use super::output::refuse_terminal;
use super::settings::Settings;
use crate::io::input::Input;
use crate::io::source::Source;
use crate::settings::Volume;
use crate::terminal::message::{Failure, complain, say};
use table::Table;

/// Lists all sources on standard output; says whether all of them could be.
pub fn run(settings: &Settings) -> Result<bool, Failure> {
    for source in &settings.sources {
        refuse_terminal(source, settings.force)?;
    }
    print(settings).map_err(Failure::stdout)
}

fn print(settings: &Settings) -> io::Result<bool> {
    let mut out = io::BufWriter::new(io::stdout());
    let mut table = Table::default();
    let mut listings = Vec::new();
    let mut ok = true;
    for source in &settings.sources {
        match list(source) {
            Ok(listing) => {
                warn(&listing, settings);
                if settings.json {
                    listings.push(listing);
                } else {
                    table.row(&listing, settings.talk.volume == Volume::Verbose, &mut out)?;
                }
            }
            Err(error) => {
                ok = false;
                out.flush()?;
                complain(&source.to_string(), &error);
            }
        }
    }
    if settings.json {
        serde_json::to_writer_pretty(&mut out, &listings)?;
        writeln!(out)?;
    } else {
        table.total(&mut out)?;
    }
    out.flush()?;
    Ok(ok)
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
