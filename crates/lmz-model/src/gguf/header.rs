//! A file's header: magic, version, metadata, and where the tensors are.

use std::ops::Range;

use super::cursor::Cursor;
use super::kind::Kind;
use super::metadata::{Meta, Metadata};
use crate::error::{ModelError, Result};

/// The first bytes of every file.
pub(crate) const MAGIC: [u8; 4] = *b"GGUF";
/// Of the data, where the metadata do not say.
const ALIGNMENT: usize = 32;
const MAX_ALIGNMENT: usize = 1 << 20;
const MAX_DIMENSIONS: u32 = 4;
/// The fewest bytes of a key with its value, and of a tensor's description.
const LEAST: (u64, u64) = (8 + 4 + 1, 8 + 4 + 8 + 4 + 8);

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) metadata: Metadata,
    pub(super) tensors: Vec<Described>,
}

/// One tensor's place.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Rows first; the file has the row's length first.
    pub(super) shape: Vec<usize>,
    /// Where its bytes are in the file.
    pub(super) range: Range<usize>,
}

/// Reads the header of a file whose bytes these are, and checks that every tensor lies in it and
/// no two share a byte.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Header> {
    let mut cursor = Cursor::new(file, bytes, 0);
    if bytes.get(..4) != Some(&MAGIC) {
        return Err(cursor.malformed("it does not start with GGUF: it is some other file".into()));
    }
    cursor.take(4, "the magic")?;
    let version = cursor.u32("the version")?;
    check_version(file, version)?;
    let tensors = cursor.u64("the number of tensors")?;
    let values = cursor.u64("the number of keys")?;
    for (count, what, least) in [(values, "keys", LEAST.0), (tensors, "tensors", LEAST.1)] {
        let room = cursor.left() as u64 / least;
        if count > room {
            return Err(cursor.malformed(format!(
                "it is said to hold {count} {what}, and has room for {room} at most: it is \
                 truncated or damaged; download it again"
            )));
        }
    }
    let metadata = Metadata::read(&mut cursor, values)?;
    let mut described = Vec::new();
    for _ in 0..tensors {
        described.push(tensor(&mut cursor)?);
    }
    let alignment = alignment(file, bytes, &metadata)?;
    let start = cursor.position().next_multiple_of(alignment);
    let tensors = place(&cursor, described, start, alignment, bytes.len())?;
    Ok(Header { metadata, tensors })
}

fn check_version(file: &str, version: u32) -> Result<()> {
    let what = match version {
        2 | 3 => return Ok(()),
        1 => "is of version 1, which nobody writes any more".into(),
        other if other.swap_bytes() <= 0xffff => "is for big-endian machines".into(),
        other => format!("is of version {other}"),
    };
    Err(ModelError::GgufUnsupported {
        file: file.into(),
        reason: format!(
            "{what}; versions 2 and 3 are read: download a newer file, or convert the model again"
        ),
    })
}

/// A tensor as the header has it; the offset is from the start of the data.
struct Raw {
    name: String,
    kind: Kind,
    shape: Vec<usize>,
    offset: u64,
    size: usize,
}

fn tensor(cursor: &mut Cursor<'_>) -> Result<Raw> {
    let name = cursor.name("a tensor's name")?;
    let dimensions = cursor.u32(name)?;
    if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
        return Err(cursor.malformed(format!(
            "the tensor {name} is said to have {dimensions} dimensions; there are 1 to \
             {MAX_DIMENSIONS}"
        )));
    }
    let mut sizes = Vec::new();
    for _ in 0..dimensions {
        sizes.push(cursor.u64(name)?);
    }
    let id = cursor.u32(name)?;
    let offset = cursor.u64(name)?;
    let Some(kind) = Kind::of(id) else {
        return Err(ModelError::GgufUnsupported {
            file: cursor.file().into(),
            reason: format!(
                "the tensor {name} is of type {}, which is not read; take a file with {}",
                Kind::name_of(id),
                Kind::all()
            ),
        });
    };
    let elements = sizes.iter().try_fold(1u64, |n, &size| n.checked_mul(size));
    let elements = elements.and_then(|n| usize::try_from(n).ok());
    let size = elements.filter(|&n| n > 0).and_then(|n| kind.size_of(n));
    // A size that fits the address space has dimensions that do.
    let mut shape: Vec<usize> = sizes.iter().map(|&size| size as usize).collect();
    let whole = shape[0].is_multiple_of(kind.block());
    let Some(size) = size.filter(|_| whole) else {
        return Err(cursor.malformed(format!(
            "the tensor {name} of type {} cannot have the dimensions {sizes:?}",
            kind.name()
        )));
    };
    shape.reverse();
    Ok(Raw {
        name: name.into(),
        kind,
        shape,
        offset,
        size,
    })
}

fn alignment(file: &str, bytes: &[u8], metadata: &Metadata) -> Result<usize> {
    const KEY: &str = "general.alignment";
    let meta = Meta {
        file,
        bytes,
        metadata,
    };
    match meta.uint(KEY)? {
        None => Ok(ALIGNMENT),
        Some(n) if n.is_power_of_two() && n <= MAX_ALIGNMENT => Ok(n),
        Some(n) => Err(meta.invalid(
            KEY,
            format!("is {n}, no power of two up to {MAX_ALIGNMENT}"),
        )),
    }
}

/// From offsets to places in the file.
fn place(
    cursor: &Cursor<'_>,
    raw: Vec<Raw>,
    start: usize,
    alignment: usize,
    length: usize,
) -> Result<Vec<Described>> {
    let mut placed = Vec::new();
    for tensor in raw {
        let name = &tensor.name;
        if !tensor.offset.is_multiple_of(alignment as u64) {
            return Err(cursor.malformed(format!(
                "the tensor {name} starts at {}, no multiple of the alignment {alignment}",
                tensor.offset
            )));
        }
        let first = usize::try_from(tensor.offset).ok();
        let first = first.and_then(|offset| start.checked_add(offset));
        let end = first.and_then(|first| first.checked_add(tensor.size));
        let (Some(first), Some(end)) = (first, end.filter(|&end| end <= length)) else {
            return Err(cursor.malformed(format!(
                "the tensor {name} ({} bytes at {} of the data) ends beyond the file's {length} \
                 bytes: it is truncated; download it again",
                tensor.size, tensor.offset
            )));
        };
        placed.push(Described {
            name: tensor.name,
            kind: tensor.kind,
            shape: tensor.shape,
            range: first..end,
        });
    }
    let mut order: Vec<&Described> = placed.iter().collect();
    order.sort_by_key(|tensor| tensor.range.start);
    for pair in order.windows(2) {
        if pair[1].range.start < pair[0].range.end {
            return Err(cursor.malformed(format!(
                "the tensors {} and {} overlap",
                pair[0].name, pair[1].name
            )));
        }
    }
    Ok(placed)
}
