//! A finished run as a table for people.

use std::fmt::Write;

use super::figures::Report;
use crate::protocol::Protocol;

/// Digits of a hash that people are shown.
const HASH_DIGITS: usize = 16;

struct Table(String);

impl Table {
    fn row(&mut self, name: &str, value: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{name:<20}{value}");
    }
}

pub(super) fn table(report: &Report) -> String {
    let mut table = Table(String::new());
    let identity = &report.identity;
    let (model, corpus) = (&identity.model, &identity.corpus);
    let protocol = &identity.protocol;
    let short = |hash: &str| hash.get(..HASH_DIGITS).unwrap_or(hash).to_owned();
    let weights = match model.kind.as_str() {
        "prepared" => "int8 weights of the prepared model, ",
        _ => "",
    };
    let name = &report.model_name;
    let hash = short(&model.hash);
    table.row("model", &format!("{name} ({weights}{hash})"));
    table.row(
        "corpus",
        &format!("{} ({})", report.corpus_path, short(&corpus.hash)),
    );
    table.row(
        "",
        &format!(
            "{}, {}, {}",
            count(corpus.documents, "document"),
            count(corpus.bytes, "byte"),
            count(corpus.characters, "character")
        ),
    );
    for line in skipped(report) {
        table.row("", &line);
    }
    let sizes = match protocol.name {
        Protocol::Stream | Protocol::Mixed => format!(
            "blocks of {}, {} new each",
            protocol.window, protocol.stride
        ),
        _ => format!("window {}, stride {}", protocol.window, protocol.stride),
    };
    table.row("protocol", &format!("{}, {sizes}", protocol.name));
    let engine = &identity.engine;
    table.row(
        "engine",
        &format!("{}, {}, lmz {}", engine.device, engine.dtype, identity.lmz),
    );
    figures(report, &mut table);
    let time = &report.time;
    if protocol.name == Protocol::Mixed {
        table.0.push('\n');
        table.row("time", &format!("{:.1} s coding", time.scoring_seconds));
    } else {
        tokens(report, &mut table);
        table.row(
            "time",
            &format!(
                "{:.1} s scoring, {} tokens/s ({} scored/s)",
                time.scoring_seconds,
                grouped(time.tokens_per_second.round() as u64),
                grouped(time.scored_per_second.round() as u64)
            ),
        );
    }
    for note in &report.notes {
        table.row("note", note);
    }
    table.0
}

fn figures(report: &Report, table: &mut Table) {
    let figures = &report.figures;
    table.0.push('\n');
    let interval = match &figures.interval {
        Some(interval) => format!(
            "   (95 %: {:.4} to {:.4}, over {})",
            interval.low,
            interval.high,
            count(
                figures.units,
                report.identity.protocol.name.unit().trim_end_matches('s')
            )
        ),
        None => String::new(),
    };
    let bpc = figures.bits_per_character;
    table.row("bits per character", &format!("{bpc:.6}{interval}"));
    if let Some(without) = &report.without_tail {
        table.row(
            "  without the tail",
            &format!(
                "{:.6}   ({} not scored)",
                without.bits_per_character,
                count(without.tail.characters, "character")
            ),
        );
    }
    table.row("bits per byte", &format!("{:.6}", figures.bits_per_byte));
    if report.tokens.scored > 0 {
        table.row("bits per token", &format!("{:.6}", figures.bits_per_token));
    }
    let bytes = (figures.bits / 8.0).round() as u64;
    table.row(
        "information",
        &format!("{:.0} bits, {}", figures.bits, count(bytes, "byte")),
    );
}

fn tokens(report: &Report, table: &mut Table) {
    let tokens = &report.tokens;
    table.0.push('\n');
    let special = match (tokens.special, tokens.special_scored) {
        (0, _) => String::new(),
        (special, scored) => format!(
            ", {} ({} scored)",
            count(special, "special one"),
            grouped(scored)
        ),
    };
    table.row("tokens", &format!("{}{special}", grouped(tokens.total)));
    let mut unscored = Vec::new();
    if tokens.dropped > 0 {
        unscored.push(format!("{} dropped at the end", grouped(tokens.dropped)));
    }
    let context =
        (tokens.total + tokens.added_starts).saturating_sub(tokens.scored + tokens.dropped);
    if context > 0 {
        unscored.push(format!("{} as context only", grouped(context)));
    }
    let unscored = match unscored.is_empty() {
        true => String::new(),
        false => format!("; {}", unscored.join(", ")),
    };
    table.row("  scored", &format!("{}{unscored}", grouped(tokens.scored)));
    if tokens.added_starts > 0 {
        table.row(
            "  start tokens",
            &format!("{} put before documents", grouped(tokens.added_starts)),
        );
    }
    if tokens.escaped_bytes > 0 {
        table.row("  escaped bytes", &grouped(tokens.escaped_bytes));
    }
    if tokens.short_documents > 0 {
        table.row(
            "  short documents",
            &format!(
                "{} of fewer than two tokens",
                grouped(tokens.short_documents)
            ),
        );
    }
    let batches = &report.batches;
    table.row(
        "windows",
        &format!(
            "{} in {} of at most {}",
            grouped(batches.windows),
            count_plural(batches.count, "batch", "batches"),
            grouped(batches.largest)
        ),
    );
}

fn skipped(report: &Report) -> Vec<String> {
    let skipped = &report.corpus_files.skipped;
    let mut lines = Vec::new();
    let left_out = skipped.reasons();
    if !left_out.is_empty() {
        lines.push(format!("left out: {}", left_out.join(", ")));
    }
    if skipped.repaired > 0 {
        lines.push(format!(
            "{} not UTF-8 throughout: U+FFFD put for what is not",
            count(skipped.repaired, "file")
        ));
    }
    lines
}

/// `1 document`, `2 documents`.
fn count(n: u64, one: &str) -> String {
    count_plural(n, one, &format!("{one}s"))
}

fn count_plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// A number for people: `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(n), text);
        }
        assert_eq!(count(1, "byte"), "1 byte");
        assert_eq!(count_plural(2, "batch", "batches"), "2 batches");
    }
}
