//! What is printed.

use std::fmt::Write as _;
use std::io::{self, Write};

use lmz_corpus::build::Counts;
use lmz_corpus::build::overlap::Report;
use lmz_corpus::build::report::{Group, Stats};
use lmz_corpus::build::stages::Manifest;
use serde::Serialize;

use crate::exit::Exit;
use crate::settings::{Talk, Volume};
use crate::terminal::message::Failure;

/// Languages and licences that are listed.
const LISTED: usize = 12;
/// Overlapping documents that are listed.
const WORST: usize = 10;

/// Prints bytes as they are.
pub fn print(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(Failure::stdout)?;
    Ok(Exit::Success)
}

fn json(value: &impl Serialize) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Fatal(error.into()))?;
    print(format!("{text}\n").as_bytes())
}

fn counted(counts: &Counts) -> String {
    counts
        .iter()
        .map(|(what, n)| format!("{n:>12}  {what}\n"))
        .collect()
}

/// What was written, and what became of everything.
pub fn manifest(manifest: &Manifest, as_json: bool, talk: Talk) -> Result<Exit, Failure> {
    if as_json {
        return json(manifest);
    }
    if talk.volume == Volume::Quiet {
        return Ok(Exit::Success);
    }
    let output = &manifest.output;
    let mut text = counted(&manifest.counts);
    let _ = writeln!(
        text,
        "{}: {} documents, {} bytes, {} characters",
        output.file, output.documents, output.bytes, output.characters
    );
    print(text.as_bytes())
}

/// A corpus's figures.
pub fn stats(stats: &Stats, as_json: bool) -> Result<Exit, Failure> {
    if as_json {
        return json(stats);
    }
    let mut text = String::new();
    for (what, n) in [
        ("documents", stats.documents),
        ("bytes", stats.bytes),
        ("characters", stats.characters),
        ("words", stats.words),
        ("lines", stats.lines),
        ("documents whose text an earlier one has", stats.duplicates),
        (
            "bytes of a document: a tenth have no more",
            stats.lengths.p10,
        ),
        ("half", stats.lengths.p50),
        ("nine tenths", stats.lengths.p90),
        ("the longest", stats.lengths.max),
    ] {
        let _ = writeln!(text, "{n:>12}  {what}");
    }
    text += &counted(&stats.counts);
    if let Some((first, last)) = &stats.dates {
        let _ = writeln!(text, "dates: {first} to {last}");
    }
    for (title, groups) in [
        ("subset", &stats.subsets),
        ("language", &stats.languages),
        ("licence", &stats.licences),
    ] {
        let mut groups: Vec<(&String, &Group)> = groups.iter().collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.bytes));
        let _ = writeln!(text, "{title:<28} {:>10} {:>14}", "documents", "bytes");
        for (name, group) in groups.iter().take(LISTED) {
            let _ = writeln!(
                text,
                "  {name:<26} {:>10} {:>14}",
                group.documents, group.bytes
            );
        }
    }
    let _ = writeln!(text, "hash: {}", stats.hash);
    print(lmz::figures::visible(&text).as_bytes())
}

/// What a corpus has in common with something.
pub fn overlap(report: &Report, as_json: bool) -> Result<Exit, Failure> {
    if as_json {
        return json(report);
    }
    let mut text = String::new();
    for (what, n) in [
        ("documents of the corpus", report.documents),
        ("bytes of their texts", report.bytes),
        ("texts that it was compared with", report.compared),
        ("sequences of the corpus", report.sequences),
        ("of them in the other texts as well", report.common),
        ("documents with one of those", report.touched),
        ("documents that overlap", report.overlapping),
        ("bytes of their texts", report.overlapping_bytes),
    ] {
        let _ = writeln!(text, "{n:>12}  {what}");
    }
    text += &counted(&report.counts);
    for hit in report.worst.iter().take(WORST) {
        let words: String = hit
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(100)
            .collect();
        let _ = writeln!(
            text,
            "{}:{}  {} sequences, {:.1} % of its words, {} words in a row, as in {}: {words}",
            hit.file,
            hit.line,
            hit.shared,
            100.0 * hit.share,
            hit.longest,
            hit.source
        );
    }
    if let Some(output) = &report.output {
        let _ = writeln!(
            text,
            "{}: {} documents, {} bytes",
            output.file, output.documents, output.bytes
        );
    }
    print(lmz::figures::visible(&text).as_bytes())
}
