//! `lmz -d --keep-going` and `lmz -t --keep-going`: what is left of a damaged file.

use std::io;
use std::time::Instant;

use anyhow::anyhow;
use lmz::figures;
use lmz::placement::Models;
use lmz::{LostRange, SalvageReport, Salvaging};
use serde::Serialize;

use super::output::{fail, open_input, open_output, raw_len, refuse_terminal, target};
use super::settings::{Mode, Settings};
use crate::io::names;
use crate::io::output::Output;
use crate::io::source::Source;
use crate::settings::Volume;
use crate::terminal::message::{Failure, say};
use crate::terminal::progress::Progress;
use crate::terminal::visible::print_json;

/// Ranges of a kind that are named one by one; a file may have lost a million.
const NAMED: usize = 100;

/// What `--json` prints of a file.
#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    whole: bool,
    restored_bytes: u64,
    filled_bytes: u64,
    members: u64,
    /// Offsets in what was compressed.
    lost: Vec<Lost<'a>>,
    /// Offsets in the damaged file, of bytes that nobody knows the meaning of.
    not_understood: Vec<Range<'a>>,
    /// Members that decode to something else than their hash says.
    members_with_wrong_hash: &'a [u64],
    /// Members all of whose segments are sound, but whose hash is lost.
    members_without_hash: &'a [u64],
    /// Offsets in what was compressed, of bytes that nothing vouches for.
    unverified: Vec<Offsets>,
    /// Something was damaged that other parts of the file could stand in for.
    repaired: bool,
}

#[derive(Serialize)]
struct Lost<'a> {
    member: u64,
    from: u64,
    /// Null if nobody knows how many bytes there were.
    to: Option<u64>,
    file_from: u64,
    file_to: u64,
    why: &'a str,
}

#[derive(Serialize)]
struct Offsets {
    from: u64,
    to: u64,
}

#[derive(Serialize)]
struct Range<'a> {
    from: u64,
    to: u64,
    why: &'a str,
}

/// Restores or tests what is sound of one source; says whether that is all of it.
pub fn run(
    source: &Source,
    how: Salvaging,
    settings: &Settings,
    models: &Models,
) -> Result<bool, Failure> {
    let test = settings.mode == Mode::Test;
    refuse_terminal(source, settings.force)?;
    let input = open_input(source, settings)?;
    let path = if test {
        None
    } else {
        target(source, settings, names::restored)?
    };
    let mut output = if test {
        Output::null()
    } else {
        open_output(path.as_deref(), &input, settings.how())?
    };
    let models = models
        .for_decompressing()
        .map_err(|error| Failure::Fatal(error.into()))?;
    let start = Instant::now();
    let (name, like) = (input.name.clone(), input.regular().cloned());
    let mut file = input.into_seekable()?;
    let visible = settings.talk.progress && !output.is_terminal();
    let reports = settings.talk.reports && !output.is_terminal();
    let total = if visible || reports {
        raw_len(&file)
    } else {
        None
    };
    let progress = Progress::new(visible, &name, total, false)
        .predicting(reports)
        .metered(models.meter());
    let options = settings.decompress_options();
    let done = lmz::salvage_with_holes(&mut file, &mut output, models, &options, how, &progress);
    drop(progress);
    let report = done.map_err(|error| fail(&output, error.into()))?;
    tell(&name, &report, settings);
    if settings.json {
        json(&name, &report).map_err(Failure::stdout)?;
    }
    if report.is_nothing() && !report.is_whole() {
        return Err(anyhow!(
            "nothing of it can be restored: nothing was written{}",
            hint(&report, how)
        )
        .into());
    }
    if let Err(error) = output.commit(like.as_ref()) {
        return Err(fail(&output, error));
    }
    if settings.talk.reports || (!report.is_whole() && settings.talk.volume > Volume::Quiet) {
        let time = figures::seconds(start.elapsed());
        let filled = match report.filled {
            0 => String::new(),
            n => format!(", {n} zero bytes in place of lost ones"),
        };
        let unverified: u64 = (report.unverified.iter())
            .map(|range| range.end - range.start)
            .sum();
        let unverified = match unverified {
            0 => String::new(),
            n => format!(", {n} bytes unverified"),
        };
        say(&format!(
            "{name}: {} bytes restored{filled}{unverified}, in {time}",
            report.restored
        ));
    }
    Ok(report.is_whole())
}

/// How more can be had of a file of which nothing is sound.
fn hint(report: &SalvageReport, how: Salvaging) -> &'static str {
    match how.unverified || report.cut == 0 {
        true => "",
        false => " (--unverified gives what decodes before the cut, if anything does)",
    }
}

/// What is lost, range by range.
fn tell(name: &str, report: &SalvageReport, settings: &Settings) {
    if settings.talk.volume == Volume::Quiet {
        return;
    }
    for LostRange {
        from,
        to,
        file,
        why,
        ..
    } in report.lost.iter().take(NAMED)
    {
        let range = match to {
            Some(to) => format!("bytes {from}..{to}"),
            None => format!("bytes from {from} on, nobody knows how many,"),
        };
        say(&format!(
            "lmz: {name}: {range} are lost: {why} (bytes {}..{} of the file)",
            file.start, file.end
        ));
    }
    for (file, why) in report.rubbish.iter().take(NAMED) {
        say(&format!(
            "lmz: {name}: bytes {}..{} of the file are not understood: {why}",
            file.start, file.end
        ));
    }
    for member in &report.mismatched {
        say(&format!(
            "lmz: {name}: member {member} decodes, but not to what its hash says"
        ));
    }
    for range in report.unverified.iter().take(NAMED) {
        say(&format!(
            "lmz: {name}: bytes {}..{} decode from a segment whose end is cut off: nothing vouches for them",
            range.start, range.end
        ));
    }
    for member in &report.unhashed {
        say(&format!(
            "lmz: {name}: the end of member {member} is lost, and with it the hash of its bytes: every \
             segment that was found is sound, but nothing says that they are all"
        ));
    }
    for (count, what) in [
        (report.lost.len(), "ranges that are lost"),
        (report.rubbish.len(), "ranges that are not understood"),
        (report.unverified.len(), "ranges that nothing vouches for"),
    ] {
        if count > NAMED {
            let more = count - NAMED;
            say(&format!(
                "lmz: {name}: and {more} more {what} (--json names them)"
            ));
        }
    }
    if report.repaired && report.is_whole() {
        say(&format!(
            "lmz: {name}: warning: a header, an end byte or an index is damaged; all bytes are restored"
        ));
    }
}

fn json(name: &str, report: &SalvageReport) -> io::Result<()> {
    let found = Found {
        file: name,
        whole: report.is_whole(),
        restored_bytes: report.restored,
        filled_bytes: report.filled,
        members: report.members,
        lost: (report.lost.iter())
            .map(|lost| Lost {
                member: lost.member,
                from: lost.from,
                to: lost.to,
                file_from: lost.file.start,
                file_to: lost.file.end,
                why: &lost.why,
            })
            .collect(),
        not_understood: (report.rubbish.iter())
            .map(|(range, why)| Range {
                from: range.start,
                to: range.end,
                why,
            })
            .collect(),
        members_with_wrong_hash: &report.mismatched,
        members_without_hash: &report.unhashed,
        unverified: (report.unverified.iter())
            .map(|range| Offsets {
                from: range.start,
                to: range.end,
            })
            .collect(),
        repaired: report.repaired,
    };
    print_json(&found)
}
