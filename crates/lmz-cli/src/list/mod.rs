//! `-l`: what is in compressed files, without decoding them.

mod table;

use std::io::{self, Write};

use anyhow::{Context, Result};
use lmz::format::{ContainerBytes, Form, Header, IndexedReader, SegmentInfo, SegmentPlan};
use serde::Serialize;

use crate::decompress::refuse_terminal;
use crate::input::Input;
use crate::message::{Failure, complain, say};
use crate::report::bits_per_byte;
use crate::settings::{Settings, Source, Volume};
use table::Table;

/// Ideal bits are counted in units of 1/256 bit.
const BIT: f64 = 256.0;

/// What `-l --json` says about a file.
#[derive(Serialize)]
struct Listing {
    file: String,
    #[serde(flatten)]
    first: Facts,
    #[serde(flatten)]
    sizes: Sizes,
    /// Each with its own facts and sizes; a file that was not concatenated has one.
    members: Vec<Member>,
    segments: Vec<Segment>,
}

/// What a header says.
#[derive(Clone, Serialize)]
struct Facts {
    /// A small member names its model by the beginning of its id alone.
    form: &'static str,
    model: ModelFacts,
    prime: Option<PrimeFacts>,
    format_version: u8,
    numerics_version: u8,
    recipe: u8,
    context: u32,
    overlap: u32,
    /// Bytes of each segment; null for the default schedule.
    segment_size: Option<u32>,
}

/// The text that the model was shown before each segment.
#[derive(Clone, Serialize)]
pub struct PrimeFacts {
    /// Its BLAKE3 hash, or the hash's beginning.
    pub hash: String,
    pub bytes: u64,
    /// How many of its last tokens were shown.
    pub tokens: u32,
}

impl PrimeFacts {
    pub fn of(header: &Header) -> Option<Self> {
        header.prime.map(|prime| Self {
            hash: prime.hash_text(),
            bytes: prime.len,
            tokens: prime.tokens,
        })
    }
}

/// A name for people and for JSON.
pub fn form(header: &Header) -> &'static str {
    match header.form {
        Form::Full => "full",
        Form::Small => "small",
    }
}

#[derive(Clone, Serialize)]
struct ModelFacts {
    name: Option<String>,
    id: String,
    checkpoint: Option<String>,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Sizes {
    raw_bytes: u64,
    compressed_bytes: u64,
    ideal_bits: f64,
    bits_per_byte: Option<f64>,
    container: Container,
    header_damaged: bool,
    end_byte_damaged: bool,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Container {
    header: u64,
    records: u64,
    coded: u64,
    index: u64,
    footer: u64,
}

#[derive(Serialize)]
struct Member {
    offset: u64,
    raw_offset: u64,
    raw_hash: Option<String>,
    #[serde(flatten)]
    facts: Facts,
    #[serde(flatten)]
    sizes: Sizes,
}

#[derive(Serialize)]
struct Segment {
    member: u64,
    index: u64,
    kind: &'static str,
    /// In the concatenation of all members.
    raw_offset: u64,
    raw_len: u32,
    coded_len: u32,
    /// Null for what the model did not code.
    ideal_bits: Option<f64>,
    /// Where the record lies in the file.
    offset: u64,
    record_len: u32,
}

/// Lists all sources on standard output; says whether all of them could be.
pub fn run(settings: &Settings) -> Result<bool, Failure> {
    for source in &settings.sources {
        refuse_terminal(source, settings)?;
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
                    table.row(&listing, settings.volume == Volume::Verbose, &mut out)?;
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
    if settings.volume > Volume::Quiet {
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
    let mut reader = IndexedReader::open(io::BufReader::new(input.into_seekable()?))?;
    let mut members = Vec::new();
    let mut segments = Vec::new();
    let mut total = Sizes::default();
    for found in reader.members().to_vec() {
        let bytes = reader.container_bytes(found.number)?;
        let mut sizes = Sizes {
            raw_bytes: found.raw_len,
            compressed_bytes: found.len,
            container: bytes.into(),
            header_damaged: found.header_damaged,
            end_byte_damaged: found.end_byte_damaged,
            ..Sizes::default()
        };
        for info in reader.segments(found.number) {
            let info = info?;
            let segment = Segment::new(&info, found.raw_start);
            sizes.ideal_bits += segment.ideal_bits.unwrap_or(0.0);
            segments.push(segment);
        }
        sizes.bits_per_byte = bits_per_byte(sizes.raw_bytes, sizes.compressed_bytes);
        total.add(&sizes);
        members.push(Member {
            offset: found.start,
            raw_offset: found.raw_start,
            raw_hash: found.raw_hash.map(|hash| hash.to_string()),
            facts: Facts::new(&found.header),
            sizes,
        });
    }
    let first = members.first().context("no member")?.facts.clone();
    Ok(Listing {
        file,
        first,
        sizes: total,
        members,
        segments,
    })
}

impl Facts {
    fn new(header: &Header) -> Self {
        let checkpoint = header.checkpoint.iter().map(|b| format!("{b:02x}"));
        let known = !header.is_small();
        Self {
            form: form(header),
            model: ModelFacts {
                name: known.then(|| header.model_name.clone()),
                id: header.model_id.to_string(),
                checkpoint: known.then(|| checkpoint.collect()),
            },
            prime: PrimeFacts::of(header),
            format_version: lmz::format::FORMAT_VERSION,
            numerics_version: header.numerics_version,
            recipe: header.recipe,
            context: header.context.context,
            overlap: header.context.overlap,
            segment_size: match header.plan {
                SegmentPlan::Default => None,
                SegmentPlan::Fixed(bytes) => Some(bytes),
            },
        }
    }
}

impl Segment {
    fn new(info: &SegmentInfo, raw_start: u64) -> Self {
        Self {
            member: info.member,
            index: info.index,
            kind: info.kind.name(),
            raw_offset: raw_start + info.raw_offset,
            raw_len: info.raw_len,
            coded_len: info.coded_len,
            ideal_bits: info.ideal_bits.map(|bits| bits as f64 / BIT),
            offset: info.record_offset,
            record_len: info.record_len,
        }
    }
}

impl Sizes {
    fn add(&mut self, other: &Self) {
        self.raw_bytes += other.raw_bytes;
        self.compressed_bytes += other.compressed_bytes;
        self.ideal_bits += other.ideal_bits;
        self.container.header += other.container.header;
        self.container.records += other.container.records;
        self.container.coded += other.container.coded;
        self.container.index += other.container.index;
        self.container.footer += other.container.footer;
        self.header_damaged |= other.header_damaged;
        self.end_byte_damaged |= other.end_byte_damaged;
        self.bits_per_byte = bits_per_byte(self.raw_bytes, self.compressed_bytes);
    }
}

impl From<ContainerBytes> for Container {
    fn from(bytes: ContainerBytes) -> Self {
        Self {
            header: bytes.header,
            records: bytes.records,
            coded: bytes.coded,
            index: bytes.index,
            footer: bytes.footer,
        }
    }
}
