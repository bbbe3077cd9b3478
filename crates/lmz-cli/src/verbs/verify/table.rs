//! The ledger for people.

use std::io::{self, Write};

use lmz::figures::not_modelled;
use lmz::metric::ledger::{Bound, Ledger, Restored, Step, Verdict};

use super::float::Asked;

/// Prints one file's ledger.
pub fn print(name: &str, ledger: &Ledger, asked: &Asked, out: &mut dyn Write) -> io::Result<()> {
    let how = match ledger.restored {
        Restored::Compared => "restores: every byte was decoded and compared",
        Restored::Checksums => "restores: every byte was decoded, all checksums match",
    };
    writeln!(
        out,
        "{name}: {} -> {} bytes; {how}",
        ledger.raw_bytes, ledger.file_bytes
    )?;
    let [modelled, zstd, stored, mixed] = ledger.segments;
    for (id, model) in &ledger.models {
        // A small member names its model by the id alone.
        match model.as_str() {
            "" => writeln!(out, "  model {id}")?,
            name => writeln!(out, "  model {name} (id {id})")?,
        }
    }
    writeln!(
        out,
        "  segments: {modelled} by the model, {mixed} mixed ({} tokens, {} escaped bytes), {zstd} by zstd, {stored} stored",
        ledger.tokens, ledger.escapes
    )?;
    let coded = modelled + mixed > 0 || ledger.raw_bytes == 0;
    if !coded {
        writeln!(out, "  {}", not_modelled(ledger.raw_bytes, zstd))?;
    }
    match asked {
        // Nothing that it could be asked about.
        _ if !coded => {}
        Asked::Yes(engine) => writeln!(out, "  float engine: {engine}")?,
        Asked::No(why) => writeln!(out, "  float engine: {why}")?,
    }
    writeln!(
        out,
        "  {:<22} {:>14} {:>10} {:>14} {:>10} {:>10}",
        "", "bits", "%", "sum", "bits/byte", "bits/char"
    )?;
    // Without the model all its lines are zeros.
    let lines = ledger.lines();
    for line in lines.iter().filter(|line| coded || line.bits.0 != 0) {
        let before = line.total - line.bits;
        let first = matches!(line.step, Step::Float) || before.0 == 0;
        let bits = if first {
            format!("{:.3}", line.bits.bits())
        } else {
            format!("{:+.3}", line.bits.bits())
        };
        let percent = if first {
            String::new()
        } else {
            format!("{:+.4}", line.bits.bits() * 100.0 / before.bits())
        };
        row(
            out,
            line.step.name(),
            &bits,
            &percent,
            line.total.bits(),
            ledger,
        )?;
    }
    let bits = ledger.file_bytes as f64 * 8.0;
    row(out, "on disk", "", "", bits, ledger)?;
    let about = |bound: &Bound| coded || bound.verdict != Verdict::Open;
    for bound in ledger.bounds().into_iter().filter(about) {
        let verdict = match bound.verdict {
            Verdict::Kept => "kept  ",
            Verdict::Broken => "BROKEN",
            Verdict::Open => "open  ",
        };
        writeln!(out, "  {verdict} {}: {}", bound.promise, bound.found)?;
    }
    Ok(())
}

fn row(
    out: &mut dyn Write,
    name: &str,
    bits: &str,
    percent: &str,
    total: f64,
    ledger: &Ledger,
) -> io::Result<()> {
    let per = |count: u64| match count {
        0 => "-".to_owned(),
        count => format!("{:.4}", total / count as f64),
    };
    writeln!(
        out,
        "  {name:<22} {bits:>14} {percent:>10} {total:>14.3} {:>10} {:>10}",
        per(ledger.raw_bytes),
        per(ledger.characters.unwrap_or(0))
    )
}
