//! The table of docs/format.md, "Coded segments", from the transcription of that text.

use lmz_coder::Interval;
use lmz_testkit::coder::TextEncoder;
use lmz_testkit::{Random, read};

use crate::files::{Files, Result};

const FILE: &str = "docs/format.md";
const HEAD: &str = "| intervals | coded bytes |";

fn plain(start: u32, width: u32) -> Interval {
    Interval { start, width }
}

/// Sequences of intervals. The seeds are those that show a carry through held words, and its absence.
fn sequences() -> Result<Vec<Vec<Interval>>> {
    let mut random = Random(20);
    let mut held = TextEncoder::new();
    let mut kept = vec![plain(0x7fff_ffff, 2), plain(0x8000_0000, 1)];
    kept.iter().for_each(|&interval| held.encode(interval));
    for _ in 0..3 {
        let interval = held.straddling_interval(&mut random);
        let interval = interval.ok_or("the coder does not straddle: another seed is needed")?;
        held.encode(interval);
        kept.push(interval);
    }
    let below = [&kept[..], &[plain(0, 1 << 16)]].concat();
    let above = [&kept[..], &[plain(u32::MAX, 1)]].concat();
    let sequence = (0..20).map(|_| {
        let start = random.next() as u32;
        let width = 1 + random.below(u64::from(u32::MAX - start)) as u32;
        plain(start, (width >> random.below(16)) | 1)
    });
    let sequence = sequence.collect();
    Ok(vec![
        vec![],
        vec![plain(0, 1)],
        vec![plain(0x1234_5678, 0x100)],
        kept,
        below,
        above,
        sequence,
    ])
}

fn cell(parts: &[String]) -> String {
    match parts {
        [] => "(none)".into(),
        parts => format!("`{}`", parts.join(" ")),
    }
}

fn row(intervals: &[Interval]) -> String {
    let mut text = TextEncoder::new();
    intervals.iter().for_each(|&interval| text.encode(interval));
    let shown = intervals.iter();
    let shown: Vec<String> = shown
        .map(|i| format!("{:x}+{:x}", i.start, i.width))
        .collect();
    let bytes: Vec<String> = text.finish().iter().map(|b| format!("{b:02x}")).collect();
    format!("| {} | {} |\n", cell(&shown), cell(&bytes))
}

pub fn write(files: &mut Files) -> Result<()> {
    let text = String::from_utf8(read(FILE))?;
    let start = text.find(HEAD).ok_or("docs/format.md has no table")?;
    // The head, the rule below it, then rows.
    let (before, table) = text.split_at(start);
    let rules: usize = table.split_inclusive('\n').take(2).map(str::len).sum();
    let rows = table[rules..].split_inclusive('\n');
    let rows: usize = rows.take_while(|l| l.starts_with('|')).map(str::len).sum();
    let new: String = sequences()?
        .iter()
        .map(|intervals| row(intervals))
        .collect();
    let after = &table[rules + rows..];
    files.put(FILE, [before, &table[..rules], &new, after].concat())
}
