//! The list for people: a line for each file, then their total.

use std::cell::OnceCell;
use std::io::{self, Write};
use std::path::Path;

use lmz::format::SegmentKind;

use lmz::figures::{bits_per_byte, percent};
use lmz::inspect::{Listing, MemberListing, ModelFacts, SegmentListing, Sizes};

/// The list for people; grows a row at a time.
#[derive(Default)]
pub(super) struct Table {
    rows: u64,
    total: Sizes,
    kinds: [usize; 4],
    /// [`known_models`], once a file needs them.
    known: OnceCell<Vec<(String, String)>>,
}

impl Table {
    /// The model's name, or the beginning of its id.
    fn label<'a>(&'a self, model: &'a ModelFacts) -> &'a str {
        if let Some(name) = &model.name {
            return name;
        }
        let known = self.known.get_or_init(known_models).iter();
        match { known }.find(|(id, _)| id.starts_with(&model.id)) {
            Some((_, name)) => name,
            None => &model.id[..model.id.len().min(12)],
        }
    }

    /// A file's line; with `verbose`, its members and segments.
    pub(super) fn row(
        &mut self,
        listing: &Listing,
        verbose: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.rows == 0 {
            writeln!(
                out,
                "{:>12} {:>12} {:>7} {:>9}  {:<14} {:<12} name",
                "compressed", "raw", "ratio", "bits/byte", "segments", "model"
            )?;
        }
        let kinds = SegmentKind::ALL.map(|kind| {
            listing
                .segments
                .iter()
                .filter(|s| s.kind == kind.name())
                .count()
        });
        let models = match listing.members.len() {
            1 => self.label(&listing.first.model).to_owned(),
            n => format!("({n} members)"),
        };
        line(out, &listing.sizes, kinds, &models, &listing.file)?;
        if verbose {
            for member in &listing.members {
                details(member, out)?;
            }
            segments(&listing.segments, out)?;
        }
        self.rows += 1;
        self.total.add(&listing.sizes);
        for (sum, kind) in self.kinds.iter_mut().zip(kinds) {
            *sum += kind;
        }
        Ok(())
    }

    /// The sums, if there was more than one file.
    pub(super) fn total(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.rows > 1 {
            let name = format!("{} files", self.rows);
            line(out, &self.total, self.kinds, "", &name)?;
        }
        Ok(())
    }
}

fn line(
    out: &mut dyn Write,
    sizes: &Sizes,
    kinds: [usize; 4],
    model: &str,
    name: &str,
) -> io::Result<()> {
    let letters = ['m', 'z', 's', 'x'];
    let kinds: Vec<String> = kinds
        .iter()
        .zip(letters)
        .filter(|(count, _)| **count > 0)
        .map(|(count, letter)| format!("{count}{letter}"))
        .collect();
    let kinds = if kinds.is_empty() {
        "none".into()
    } else {
        kinds.join(" ")
    };
    let bits = sizes
        .bits_per_byte
        .map_or("-".into(), |bits| format!("{bits:.3}"));
    writeln!(
        out,
        "{:>12} {:>12} {:>7} {bits:>9}  {kinds:<14} {model:<12} {name}",
        sizes.compressed_bytes,
        sizes.raw_bytes,
        percent(sizes.raw_bytes, sizes.compressed_bytes),
    )
}

/// The identities and names of models that short files, which name none, may have been made with: the one that is
/// part of the program, and those that were once.
fn known_models() -> Vec<(String, String)> {
    let default = lmz::summarise(lmz::embedded_bytes());
    let default = default.map(|summary| (lmz::EMBEDDED_ID.to_owned(), summary.name));
    let former = lmz::ARCHIVED.iter().map(|archived| {
        let name = Path::new(archived.file).file_stem().unwrap_or_default();
        (archived.id.to_owned(), name.to_string_lossy().into_owned())
    });
    default.into_iter().chain(former).collect()
}

fn details(member: &MemberListing, out: &mut dyn Write) -> io::Result<()> {
    let (facts, c) = (&member.facts, &member.sizes.container);
    match &facts.model.name {
        Some(name) => writeln!(out, "    model {name} (id {})", facts.model.id)?,
        None => writeln!(out, "    small, model id {}...", facts.model.id)?,
    }
    if let Some(prime) = &facts.prime {
        writeln!(
            out,
            "    primed with {} tokens of a text of {} bytes, hash {}",
            prime.tokens, prime.bytes, prime.hash
        )?;
    }
    writeln!(
        out,
        "    format {}, numerics {}, recipe {},{} context {} tokens, overlap {}",
        facts.format_version,
        facts.numerics_version,
        facts.recipe,
        facts
            .mixing_version
            .map_or(String::new(), |version| format!(" mixing {version},")),
        facts.context,
        facts.overlap
    )?;
    writeln!(
        out,
        "    bytes: coded {}, header {}, segment records {}, index {}, footer {}; ideal {:.1}",
        c.coded,
        c.header,
        c.records,
        c.index,
        c.footer,
        member.sizes.ideal_bits / 8.0
    )
}

fn segments(segments: &[SegmentListing], out: &mut dyn Write) -> io::Result<()> {
    if segments.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "    {:>8} {:<6} {:>5} {:>12} {:>9} {:>9} {:>9} {:>12} {:>12}",
        "segment",
        "kind",
        "lanes",
        "raw offset",
        "raw",
        "coded",
        "bits/byte",
        "ideal bits",
        "offset"
    )?;
    for s in segments {
        let bits = bits_per_byte(s.raw_len.into(), s.coded_len.into()).unwrap_or(0.0);
        let ideal = s.ideal_bits.map_or("-".into(), |bits| format!("{bits:.1}"));
        let lanes = s.lanes.map_or("-".into(), |lanes| lanes.to_string());
        let number = match s.member {
            0 => s.index.to_string(),
            member => format!("{member}/{}", s.index),
        };
        writeln!(
            out,
            "    {number:>8} {:<6} {lanes:>5} {:>12} {:>9} {:>9} {bits:>9.3} {ideal:>12} {:>12}",
            s.kind, s.raw_offset, s.raw_len, s.coded_len, s.offset
        )?;
    }
    Ok(())
}
