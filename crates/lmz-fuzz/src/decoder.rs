//! Hostile files, decoded in every way there is.

use std::io::{Cursor, Read};

use lmz_codec::trace::{TraceOptions, Tracer};
use lmz_codec::{
    Decoder, DecompressOptions, Fill, Reader, Result, decompress, decompress_seekable, salvage,
};

use crate::models::{ShortBlocks, prime};
use crate::sink::{Budget, Sink};

/// Raw bytes that one way of decoding may take.
const BUDGET: u64 = 256;
/// Bytes that it may write: filling a gap is cheap.
const LIMIT: usize = 1 << 18;

/// Bytes as a file. What decodes as a stream must decode to the same by its index, by ranges, by salvage and
/// under a trace; what does not must be refused without a panic.
pub fn decoder(bytes: &[u8]) {
    let options = DecompressOptions {
        threads: 1,
        prime: Some(prime()),
    };
    let whole = by_stream(bytes, &options);
    let same = |other: Option<Vec<u8>>, how: &str| {
        if let (Some(whole), Some(other)) = (&whole, other) {
            assert_eq!(*whole, other, "{how} and stream disagree");
        }
    };
    same(by_file(bytes, &options), "file");
    same(by_reading(bytes, &options), "a decoder that is read");
    same(by_ranges(bytes, &options, whole.as_deref()), "ranges");
    // Both take other ways through damage; one is enough for an input.
    let fill = [Fill::Zero, Fill::Skip][bytes.len() % 2];
    same(by_salvage(bytes, &options, fill), "salvage");
    if whole.is_some() {
        same(by_trace(bytes), "trace");
        let unprimed = DecompressOptions {
            prime: None,
            ..options
        };
        same(by_stream(bytes, &unprimed), "a decoder without the prime");
    }
}

/// `None` if the file is damaged, or takes more than the budget.
fn by_stream(bytes: &[u8], options: &DecompressOptions) -> Option<Vec<u8>> {
    let mut sink = Sink::new(LIMIT);
    let budget = Budget::new(BUDGET);
    let report = decompress(bytes, &mut sink, &ShortBlocks, options, &budget).ok()?;
    assert_eq!(report.raw_len, sink.bytes.len() as u64);
    Some(sink.bytes)
}

fn by_file(bytes: &[u8], options: &DecompressOptions) -> Option<Vec<u8>> {
    let mut sink = Sink::new(LIMIT);
    let budget = Budget::new(BUDGET);
    let input = Cursor::new(bytes);
    let report = decompress_seekable(input, &mut sink, &ShortBlocks, options, &budget).ok()?;
    assert_eq!(report.raw_len, sink.bytes.len() as u64);
    Some(sink.bytes)
}

fn by_reading(bytes: &[u8], options: &DecompressOptions) -> Option<Vec<u8>> {
    let budget = Budget::new(BUDGET);
    let mut decoder = Decoder::new(bytes, &ShortBlocks, options, &budget).ok()?;
    let mut whole = Vec::new();
    let mut portion = [0; 61];
    loop {
        match decoder.read(&mut portion).ok()? {
            0 => return Some(whole),
            n => whole.extend_from_slice(&portion[..n]),
        }
    }
}

/// Ranges are compared with what is known.
fn by_ranges(bytes: &[u8], options: &DecompressOptions, whole: Option<&[u8]>) -> Option<Vec<u8>> {
    let whole = whole?;
    let reader = Reader::open(Cursor::new(bytes), &ShortBlocks, options).ok()?;
    // Both reads below, and a segment that either begins in.
    let budget = Budget::new(4 * BUDGET);
    let mut reader = reader.observed(&budget);
    assert_eq!(reader.len(), whole.len() as u64);
    let middle = whole.len() / 2;
    let mut back = vec![0; whole.len() - middle + 7];
    let read = reader.read_at(middle as u64, &mut back).ok()?;
    assert_eq!(back[..read], whole[middle..]);
    let mut all = vec![0; whole.len()];
    let read = reader.read_at(0, &mut all).ok()?;
    assert_eq!(read, all.len());
    Some(all)
}

/// `None` if something is lost.
fn by_salvage(bytes: &[u8], options: &DecompressOptions, fill: Fill) -> Option<Vec<u8>> {
    let mut sink = Sink::new(LIMIT);
    let budget = Budget::new(BUDGET);
    let input = Cursor::new(bytes);
    let report = salvage(input, &mut sink, &ShortBlocks, options, fill, &budget).ok()?;
    assert_eq!(report.restored + report.filled, sink.bytes.len() as u64);
    for lost in &report.lost {
        assert!(lost.file.end <= bytes.len() as u64, "{lost:?}");
    }
    for pair in report.lost.windows(2) {
        assert!(pair[0].to.is_none_or(|to| to <= pair[1].from), "{report:?}");
    }
    report.is_whole().then_some(sink.bytes)
}

/// `None` if another program coded the segments, too.
fn by_trace(bytes: &[u8]) -> Option<Vec<u8>> {
    let options = TraceOptions {
        threads: 1,
        alternatives: 2,
        prime: Some(prime()),
    };
    let budget = Budget::new(BUDGET);
    let trace = || -> Result<Vec<u8>> {
        let mut tracer = Tracer::open(Cursor::new(bytes), &ShortBlocks, &options)?;
        let mut whole = Vec::new();
        while let Some(batch) = tracer.next_batch(&budget)? {
            for segment in batch {
                let symbols = segment.symbols.iter();
                let covered: u64 = symbols.map(|symbol| u64::from(symbol.raw_len)).sum();
                // A mixed group has more than symbols.
                let text = match &segment.mixed {
                    None => segment.raw.len() as u64,
                    Some(group) => {
                        let text = group.parts.iter().filter(|part| part.kind == "text");
                        text.map(|part| part.len as u64).sum()
                    }
                };
                assert!(segment.symbols.is_empty() || covered == text);
                whole.extend(segment.raw);
            }
        }
        Ok(whole)
    };
    trace().ok()
}
