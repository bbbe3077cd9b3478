//! Damage is noticed and located; nothing wrong is handed out as right.
#![allow(missing_docs)]

mod common;

use std::io::Cursor;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use common::{nano, noise, packed, restored, small, text};
use lmz_codec::{
    CodecError, CompressOptions, DecompressOptions, ErrorKind, Kernel, Model, Observer, Phase,
    Reader, compress, decompress_seekable,
};

fn raw() -> Vec<u8> {
    [&text()[..500], &noise(250), &text()[500..900]].concat()
}

#[test]
fn every_truncation_is_an_error() {
    let file = packed(&raw(), &small());
    for n in 0..file.len() {
        let error = restored(&file[..n]).expect_err("a truncated file");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::InsufficientData | ErrorKind::Corruption
            ),
            "{n}: {error}"
        );
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let raw = raw();
    let file = packed(&raw, &small());
    for at in 0..file.len() {
        let mut broken = file.clone();
        broken[at] ^= [0x01, 0x80, 0x10][at % 3];
        match restored(&broken) {
            Err(_) => {}
            // The seal's last byte may have bits that no decision depends on.
            Ok(out) => assert!(out == raw, "byte {at} of {} gave other bytes", file.len()),
        }
    }
}

#[test]
fn a_damaged_segment_is_located() {
    let raw = raw();
    let mut file = packed(&raw, &small());
    let info = {
        let mut index = lmz_format::IndexedReader::open(Cursor::new(&file)).unwrap();
        index.segment(0, 1).unwrap()
    };
    let coded = info.record_offset as usize + (info.record_len - info.coded_len) as usize;
    file[coded + 3] ^= 0x10;
    match restored(&file).unwrap_err() {
        CodecError::Segment {
            place, from, to, ..
        } => {
            assert_eq!((place.segment, from, to), (Some(1), 200, 400));
        }
        other => panic!("{other}"),
    }
    // Random access to the other segments still works.
    let mut reader =
        Reader::open(Cursor::new(&file), nano(), &DecompressOptions::default()).unwrap();
    let mut buffer = [0; 100];
    assert_eq!(reader.read_at(450, &mut buffer).unwrap(), 100);
    assert!(buffer == raw[450..550]);
    assert!(reader.read_at(150, &mut buffer).is_err());
}

#[test]
fn a_damaged_header_is_survived_by_a_file() {
    let raw = raw();
    let mut file = packed(&raw, &small());
    file[9] ^= 0xff;
    assert!(restored(&file).is_err());
    let mut out = Vec::new();
    let report = decompress_seekable(
        Cursor::new(&file),
        &mut out,
        nano(),
        &DecompressOptions::default(),
        &(),
    )
    .unwrap();
    assert!(out == raw && report.header_damaged);
}

#[test]
fn another_model_of_the_same_name_is_refused() {
    let file = packed(&raw(), &small());
    let mut bytes = nano().prepared().as_bytes().to_vec();
    // Another weight: the same name, another identity.
    *bytes.last_mut().unwrap() ^= 1;
    let other = Model::from_lmzm(bytes, Kernel::detect()).expect("a model of another weight");
    let error = lmz_codec::decompress(
        &file[..],
        Vec::new(),
        &other,
        &DecompressOptions::default(),
        &(),
    )
    .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, CodecError::WrongModel { .. }), "{text}");
    assert!(text.contains("another model of the same name"), "{text}");
}

#[test]
fn garbage_terminates() {
    for n in [0, 1, 4, 60, 3000] {
        assert!(restored(&noise(n)).is_err());
        let mut file = packed(&raw(), &small());
        let from = file.len() / 3;
        for (to, from) in file[from..].iter_mut().zip(noise(n)) {
            *to = from;
        }
        let _ = restored(&file);
    }
}

#[derive(Default)]
struct Counts {
    phases: [AtomicU64; 3],
    looks: AtomicUsize,
    stop_after: usize,
}

impl Observer for Counts {
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        self.phases[phase as usize].fetch_add(raw_bytes, Ordering::Relaxed);
    }
    fn cancelled(&self) -> bool {
        self.looks.fetch_add(1, Ordering::Relaxed) >= self.stop_after
    }
}

#[test]
fn progress_adds_up_and_cancelling_stops() {
    let raw = raw();
    let options = CompressOptions {
        verify: true,
        ..small()
    };
    let counts = Counts {
        stop_after: usize::MAX,
        ..Default::default()
    };
    let mut file = Vec::new();
    compress(&raw[..], &mut file, nano(), &options, &counts).unwrap();
    lmz_codec::decompress(
        &file[..],
        std::io::sink(),
        nano(),
        &DecompressOptions::default(),
        &counts,
    )
    .unwrap();
    let sums = counts.phases.map(|n| n.load(Ordering::Relaxed));
    assert_eq!(sums, [raw.len() as u64; 3]);
    for stop_after in [0, 1, 3] {
        let counts = Counts {
            stop_after,
            ..Default::default()
        };
        let result = compress(&raw[..], std::io::sink(), nano(), &options, &counts);
        assert!(
            matches!(result, Err(CodecError::Cancelled)),
            "{stop_after}: {result:?}"
        );
    }
}

#[test]
fn impossible_options_are_refused() {
    for (context, overlap) in [(0, 0), (8, 8), (1 << 20, 0)] {
        let options = CompressOptions {
            context: Some(context),
            overlap: Some(overlap),
            ..small()
        };
        let error = compress(&b"x"[..], Vec::new(), nano(), &options, &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}
