//! Decompression of a whole file, from a pipe or from a file whose header may be damaged.

use std::io::{BufReader, Read, Seek, Write};

use lmz_format::{FormatError, IndexedReader, StreamReader};

use crate::batches::{DecompressReport, Events, Indexed};
use crate::decoder::Unpacker;
use crate::error::{CodecError, Result};
use crate::observer::{Observer, Phase};
use crate::options::DecompressOptions;
use crate::source::ModelSource;

/// Decompresses a stream: all members, one after the other.
///
/// Bytes are written as they are decoded and checked, segment by segment; the hash of a whole member
/// is checked at its end. An error means that the output is not the whole file.
///
/// # Errors
/// Damage, with its place; a model that `models` does not have; output that cannot be written.
pub fn decompress(
    input: impl Read,
    output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    observer: &dyn Observer,
) -> Result<DecompressReport> {
    observer.begin(&[Phase::Decode], None);
    let events = StreamReader::new(input);
    unpack(Unpacker::new(events, models, options, observer)?, output)
}

/// As [`decompress`], for a file: a damaged header is survived through the footer's copy.
///
/// # Errors
/// As [`decompress`].
pub fn decompress_seekable(
    mut input: impl Read + Seek,
    output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    observer: &dyn Observer,
) -> Result<DecompressReport> {
    let (damaged, raw_len) = match IndexedReader::open(&mut input) {
        Ok(index) => {
            let mut members = index.members().iter();
            let damaged = members.any(|m| m.header_damaged || m.end_byte_damaged);
            (damaged, Some(index.raw_len()))
        }
        Err(error @ FormatError::Read { .. }) => return Err(error.into()),
        // The stream reader finds the place, and restores what comes before it.
        Err(_) => (false, None),
    };
    input.rewind().map_err(CodecError::Read)?;
    observer.begin(&[Phase::Decode], raw_len);
    if damaged {
        let events = Indexed::new(IndexedReader::open(input)?);
        let mut unpacker = Unpacker::new(events, models, options, observer)?;
        unpacker.report().header_damaged = true;
        return unpack(unpacker, output);
    }
    let events = StreamReader::new(BufReader::new(input));
    unpack(Unpacker::new(events, models, options, observer)?, output)
}

fn unpack<E: Events>(
    mut unpacker: Unpacker<E, &dyn ModelSource, &dyn Observer>,
    mut output: impl Write,
) -> Result<DecompressReport> {
    while let Some(raw) = unpacker.next_segment()? {
        output.write_all(&raw).map_err(CodecError::Write)?;
    }
    output.flush().map_err(CodecError::Write)?;
    Ok(std::mem::take(unpacker.report()))
}

/// Decompresses a file that is in memory.
///
/// # Errors
/// As [`decompress_seekable`].
pub fn decompress_to_vec(
    file: &[u8],
    models: &dyn ModelSource,
    options: &DecompressOptions,
) -> Result<Vec<u8>> {
    let mut raw = Vec::new();
    decompress_seekable(std::io::Cursor::new(file), &mut raw, models, options, &())?;
    Ok(raw)
}
