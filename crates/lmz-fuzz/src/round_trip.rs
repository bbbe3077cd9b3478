//! Any bytes, compressed with any options, come back.

use std::io::Cursor;

use lmz_codec::{
    CompressOptions, DecompressOptions, Fill, Mix, Reader, SegmentPlan, compress, decompress,
    decompress_seekable, salvage,
};

use crate::models::{prime, tiny, tiny_portable};

/// Bytes of the input that are compressed: the model takes some ten thousand a second.
const MAX_RAW: usize = 600;

/// Bits of the fourth byte.
const PRIMED: u8 = 1;
const VERIFY: u8 = 2;
/// Compress with portable kernels as well: the files must be the same.
const PORTABLE: u8 = 4;
const TWO_THREADS: u8 = 8;
/// Mix, in as many lanes as the two highest bits say: 1, 2, 3, or as many as the writer likes.
const MIXED: u8 = 16;
const LANES_SHIFT: u32 = 6;

/// Four bytes choose: context and overlap, 0 for the default; segments' size, 0 for the default plan; and
/// the bits above. The others are compressed, and must come back in every way there is.
pub fn round_trip(bytes: &[u8]) {
    let Some(([context, overlap, segment, bits], raw)) = bytes.split_first_chunk() else {
        return;
    };
    let has = |bit: u8| bits & bit != 0;
    let raw = &raw[..raw.len().min(MAX_RAW)];
    let plan = match segment {
        0 => SegmentPlan::Default,
        n => SegmentPlan::fixed((*n).into()).expect("a small plan"),
    };
    let chosen = |byte: u8| (byte > 0).then_some(u32::from(byte));
    let threads = 1 + usize::from(has(TWO_THREADS));
    let options = CompressOptions {
        context: chosen(*context),
        overlap: chosen(*overlap),
        plan,
        mix: if has(MIXED) { Mix::Auto } else { Mix::None },
        lanes: match bits >> LANES_SHIFT {
            3 => None,
            lanes => Some(usize::from(lanes) + 1),
        },
        full: false,
        threads,
        verify: has(VERIFY),
        prime: has(PRIMED).then(prime),
    };
    let mut file = Vec::new();
    if let Err(error) = compress(raw, &mut file, tiny(), &options, &()) {
        let kind = error.kind();
        assert_eq!(kind, lmz_codec::ErrorKind::InvalidArgument, "{error}");
        return;
    }
    if has(PORTABLE) {
        let mut other = Vec::new();
        compress(raw, &mut other, tiny_portable(), &options, &()).expect("as above");
        assert_eq!(file, other, "kernels disagree");
    }
    let options = DecompressOptions {
        threads,
        prime: options.prime,
    };
    restore(&file, raw, &options);
}

fn restore(file: &[u8], raw: &[u8], options: &DecompressOptions) {
    let mut out = Vec::new();
    decompress(file, &mut out, tiny(), options, &()).expect("a file made just now");
    assert_eq!(out, raw);
    out.clear();
    let seekable = decompress_seekable(Cursor::new(file), &mut out, tiny(), options, &());
    assert!(!seekable.expect("a file made just now").header_damaged);
    assert_eq!(out, raw);
    out.clear();
    let report = salvage(
        Cursor::new(file),
        &mut out,
        tiny(),
        options,
        Fill::Zero,
        &(),
    );
    let report = report.expect("a file made just now");
    assert!(report.is_whole() && !report.repaired, "{report:?}");
    assert_eq!(out, raw);
    let mut reader =
        Reader::open(Cursor::new(file), tiny(), options).expect("a file made just now");
    let (from, to) = (raw.len() / 3, raw.len() / 2);
    let mut part = vec![0; to - from];
    let read = reader.read_at(from as u64, &mut part);
    assert_eq!(read.expect("a range"), part.len());
    assert_eq!(part, raw[from..to]);
}
