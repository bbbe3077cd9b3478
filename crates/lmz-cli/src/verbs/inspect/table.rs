//! The summary for people.

use std::io::{self, Write};

use lmz::figures::{bits_per_byte, percent};
use lmz::inspect::{Kind, Summary};

/// Width of a whole bar.
const BAR: usize = 40;

/// Prints it.
pub fn print(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let what = if summary.was_compressed {
        ""
    } else {
        " (compressed for this)"
    };
    let bits = summary
        .bits_per_byte
        .map_or(String::new(), |bits| format!(", {bits:.3} bits/byte"));
    writeln!(
        out,
        "{}{what}: {} bytes in {}{bits}",
        summary.file, summary.raw_bytes, summary.file_bytes
    )?;
    for member in &summary.members {
        let segments = member
            .segment_size
            .map_or("default".into(), |bytes| format!("{bytes} bytes"));
        writeln!(
            out,
            "  {}member at {}: {} bytes in {}, model {} (id {})\n    format {}, numerics {}, recipe {},{} context \
             {} tokens, overlap {}, segments {segments}, hash {}",
            if member.form == "small" { "small " } else { "" },
            member.offset,
            member.raw_bytes,
            member.file_bytes,
            member.model,
            member.model_id,
            member.format_version,
            member.numerics_version,
            member.recipe,
            member
                .mixing_version
                .map_or(String::new(), |version| format!(" mixing {version},")),
            member.context,
            member.overlap,
            member.raw_hash.as_deref().unwrap_or("none (checksum only)"),
        )?;
        if let Some(prime) = &member.prime {
            writeln!(
                out,
                "    primed with {} tokens of a text of {} bytes, hash {}",
                prime.tokens, prime.bytes, prime.hash
            )?;
        }
    }
    kinds(summary, out)?;
    costs(summary, out)?;
    segments(summary, out)
}

fn kinds(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n  {:<16} {:>9} {:>12} {:>12} {:>8} {:>10}",
        "bytes by kind", "segments", "raw", "on disk", "share", "bits/byte"
    )?;
    let share = |bytes| percent(summary.file_bytes, bytes);
    let kinds: [(&str, Kind); 4] = [
        ("model", summary.model),
        ("mixed", summary.mixed),
        ("zstd", summary.zstd),
        ("stored", summary.stored),
    ];
    for (name, kind) in kinds {
        if kind.segments == 0 {
            continue;
        }
        let bits = bits_per_byte(kind.raw_bytes, kind.coded_bytes).unwrap_or(0.0);
        writeln!(
            out,
            "  {name:<16} {:>9} {:>12} {:>12} {:>8} {bits:>10.3}",
            kind.segments,
            kind.raw_bytes,
            kind.coded_bytes,
            share(kind.coded_bytes),
        )?;
    }
    let c = &summary.container;
    for (name, bytes) in [
        ("header", c.header),
        ("segment headers", c.records),
        ("index", c.index),
        ("footer, end byte", c.footer),
    ] {
        writeln!(
            out,
            "  {name:<16} {:>9} {:>12} {bytes:>12} {:>8}",
            "",
            "",
            share(bytes)
        )?;
    }
    Ok(())
}

fn costs(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let (tokens, bits) = (
        summary.tokens + summary.escapes,
        summary.token_bits.max(f64::MIN_POSITIVE),
    );
    if tokens == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n  {} tokens of a vocabulary of {}, {} escaped bytes; {:.3} bits each\n\n  {:<12} {:>10} {:>8} {:>14} {:>8}",
        summary.tokens,
        summary.vocabulary,
        summary.escapes,
        bits / tokens as f64,
        "bits a token",
        "tokens",
        "%",
        "bits",
        "%"
    )?;
    let mut from = 0.0;
    for class in &summary.costs {
        let name = match class.below {
            Some(below) => format!("{from} - {below}"),
            None => format!("{from} -"),
        };
        let share = class.bits / bits;
        writeln!(
            out,
            "  {name:<12} {:>10} {:>8.1} {:>14.1} {:>8.1}  {}",
            class.tokens,
            class.tokens as f64 * 100.0 / tokens as f64,
            class.bits,
            share * 100.0,
            "#".repeat((share * BAR as f64).round() as usize)
        )?;
        from = class.below.unwrap_or(from);
    }
    Ok(())
}

fn segments(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.segments.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n  {:>8} {:<6} {:>12} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7} {:>12}",
        "segment",
        "kind",
        "raw offset",
        "raw",
        "coded",
        "bits/byte",
        "tokens",
        "escapes",
        "blocks",
        "offset"
    )?;
    for s in &summary.segments {
        let bits = bits_per_byte(s.raw_len.into(), s.coded_len.into()).unwrap_or(0.0);
        let number = match s.member {
            0 => s.index.to_string(),
            member => format!("{member}/{}", s.index),
        };
        writeln!(
            out,
            "  {number:>8} {:<6} {:>12} {:>9} {:>9} {bits:>9.3} {:>9} {:>8} {:>7} {:>12}",
            s.kind, s.raw_offset, s.raw_len, s.coded_len, s.tokens, s.escapes, s.blocks, s.offset
        )?;
        if let (Some(lanes), Some(model), Some(ideal)) = (s.lanes, s.model_bits, s.ideal_bits) {
            let of = |kind| {
                let parts = s.parts.iter().filter(move |part| part.kind == kind);
                parts.map(|part| part.raw_len).sum::<usize>()
            };
            writeln!(
                out,
                "           {lanes} lane(s): {} bytes of text, {} by contexts alone, {} stored, {} repeated, {} of padding; ideal {ideal:.1} \
                 bits, the text by the model alone {model:.1}",
                of("text"),
                of("bytes"),
                of("stored"),
                of("copy"),
                of("padding")
            )?;
        }
    }
    Ok(())
}
