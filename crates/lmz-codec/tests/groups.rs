//! Files of mixed groups: what goes in comes out, whole or in part, whatever the threads; what damage costs.
#![allow(missing_docs)]

mod common;

use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{alone, nano, noise, restored, small, text};
use lmz_codec::{
    CodecError, CompressOptions, DecompressOptions, ErrorKind, Fill, Mix, Observer, Phase, Prime,
    Reader, SegmentPlan, Writer, compress, decompress, decompress_to_vec, salvage,
};
use lmz_format::{FormatVersion, Header, IndexedReader, Payload, SegmentKind};

/// Groups of 1,500 bytes in blocks of a few tokens.
fn mixing(lanes: Option<usize>) -> CompressOptions {
    CompressOptions {
        plan: SegmentPlan::fixed(1500).unwrap(),
        mix: Mix::Auto,
        lanes,
        ..small()
    }
}

/// Text, noise, text, zeros, a repeat: groups of each kind, and groups of several parts.
fn raw() -> Vec<u8> {
    let text = text();
    [
        &text[..4000],
        &noise(2300),
        &text[4000..5100],
        &[0; 1800],
        &text[300..1500],
    ]
    .concat()
}

fn packed(raw: &[u8], options: &CompressOptions) -> Vec<u8> {
    common::packed(raw, options)
}

fn headers(file: &[u8]) -> Vec<Header> {
    let index = IndexedReader::open(Cursor::new(file)).unwrap();
    index.members().iter().map(|m| m.header.clone()).collect()
}

#[test]
fn files_come_back() {
    for lanes in [Some(1), Some(3), Some(16), None] {
        let options = CompressOptions {
            verify: true,
            ..mixing(lanes)
        };
        let mut file = Vec::new();
        let report = compress(&raw()[..], &mut file, nano(), &options, &()).unwrap();
        assert!(
            report.segments[3] > 3 && report.segments[0] == 0,
            "{report:?}"
        );
        assert_eq!(report.segments.iter().sum::<u64>(), 7);
        assert_eq!(report.compressed_len, file.len() as u64);
        let header = &headers(&file)[0];
        assert_eq!(header.version(), FormatVersion::V2);
        assert_eq!(header.plan, options.plan);
        assert!(restored(&file).unwrap() == raw(), "{lanes:?}");
        let again = decompress_to_vec(&file, nano(), &DecompressOptions::default());
        assert!(again.unwrap() == raw(), "{lanes:?}");
    }
}

#[test]
fn threads_change_nothing() {
    let of = |threads| {
        let options = CompressOptions {
            threads,
            ..mixing(None)
        };
        packed(&raw(), &options)
    };
    let file = of(1);
    assert!(of(2) == file && of(3) == file);
    for threads in [1, 2, 3, 5] {
        let options = DecompressOptions {
            threads,
            ..Default::default()
        };
        let mut again = Vec::new();
        decompress(&file[..], &mut again, nano(), &options, &()).unwrap();
        assert!(again == raw(), "{threads}");
    }
}

#[test]
fn any_part_is_read() {
    let (file, raw) = (packed(&raw(), &mixing(Some(2))), raw());
    let options = DecompressOptions::default();
    let mut reader = Reader::open(Cursor::new(file), nano(), &options).unwrap();
    for (from, len) in [(0, 10), (1490, 20), (4499, 1), (2000, 5000), (10_000, 999)] {
        let mut part = vec![0; len];
        let n = reader.read_at(from, &mut part).unwrap();
        assert_eq!(n, len.min(raw.len() - from as usize));
        assert_eq!(part[..n], raw[from as usize..from as usize + n]);
    }
}

#[test]
fn a_small_file_has_a_small_container() {
    // What repeats is copied.
    let text = text().repeat(7);
    for len in [0, 1, 80, 4096, 4097, 65_536, 65_537, 1 << 20, (1 << 20) + 1] {
        let options = CompressOptions {
            context: Some(256),
            overlap: Some(32),
            plan: SegmentPlan::Default,
            ..mixing(None)
        };
        let raw = &text[..len];
        let mut file = Vec::new();
        let report = compress(raw, &mut file, nano(), &options, &()).unwrap();
        let container = file.len() as u64 - report.container.coded;
        let header = &headers(&file)[0];
        assert_eq!(header.is_small(), len <= 1 << 20, "{len}");
        let named = header.is_small() && len > 65_536;
        assert!(!named || header.model_name == nano().name(), "{len}");
        let name = if named {
            1 + header.model_name.len()
        } else {
            0
        };
        let most = 40 + name as u64;
        assert!(
            !header.is_small() || container <= most,
            "{len}: {container}"
        );
        assert!(restored(&file).unwrap() == raw, "{len}");
        if len <= 4096 {
            // The smaller of both, with blocks as large as they may be.
            let plain = packed(raw, &alone());
            let auto = packed(
                raw,
                &CompressOptions {
                    mix: Mix::Auto,
                    ..alone()
                },
            );
            assert!(auto.len() <= plain.len(), "{len}");
        }
    }
}

#[test]
fn without_mixing_nothing_is_new() {
    let file = packed(&raw(), &small());
    assert_eq!(headers(&file)[0].version(), FormatVersion::V1);
    assert_eq!(file[4], 1);
    let file = packed(b"a note", &alone());
    assert_eq!(file[4], 0x81);
}

#[test]
fn members_of_both_versions_follow_each_other() {
    let raw = raw();
    let parts: Vec<Vec<u8>> = vec![
        packed(&raw[..3000], &mixing(Some(1))),
        packed(b"a note", &alone()),
        packed(&raw[3000..5000], &small()),
        packed(&raw[5000..5900], &mixing(Some(4))),
        packed(&raw[5900..], &mixing(None)),
    ];
    let file = parts.concat();
    let expected = [&raw[..3000], b"a note", &raw[3000..]].concat();
    assert!(restored(&file).unwrap() == expected);
    let again = decompress_to_vec(&file, nano(), &DecompressOptions::default()).unwrap();
    assert!(again == expected);
}

#[test]
fn a_damaged_group_is_lost_alone() {
    let (file, raw) = (packed(&raw(), &mixing(Some(3))), raw());
    let mut index = IndexedReader::open(Cursor::new(&file)).unwrap();
    let infos: Vec<_> = index.segments(0).map(|info| info.unwrap()).collect();
    for info in infos.iter().filter(|info| info.kind == SegmentKind::Mixed) {
        let coded = info.record_offset + u64::from(info.record_len - info.coded_len);
        let (from, to) = (info.raw_offset, info.raw_offset + u64::from(info.raw_len));
        for at in [0, 1, 2, info.coded_len / 2, info.coded_len - 2] {
            let mut damaged = file.clone();
            damaged[(coded + u64::from(at)) as usize] ^= 0x11;
            let error = restored(&damaged).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
            let CodecError::Segment { place, .. } = error else {
                panic!("{error}")
            };
            assert_eq!(place.segment, Some(info.index));
            let mut saved = Vec::new();
            let options = DecompressOptions::default();
            let input = Cursor::new(&damaged);
            let report = salvage(input, &mut saved, nano(), &options, Fill::Zero, &()).unwrap();
            assert_eq!(report.lost.len(), 1, "{report:?}");
            assert_eq!((report.lost[0].from, report.lost[0].to), (from, Some(to)));
            let (from, to) = (from as usize, to as usize);
            assert!(saved[..from] == raw[..from] && saved[to..] == raw[to..]);
        }
    }
}

#[test]
fn another_version_of_mixing_is_listed_and_refused() {
    let mut header = headers(&packed(&raw(), &mixing(None)))[0].clone();
    header.mixing = lmz_mix::Version::NEWEST.number() + 1;
    let mut writer = lmz_format::Writer::new(Vec::new(), &header).unwrap();
    let payload = Payload::Mixed {
        coded: b"later",
        ideal_bits: 300,
    };
    writer.segment(b"what nobody reads", payload).unwrap();
    let (file, _) = writer.finish().unwrap();
    let mut index = IndexedReader::open(Cursor::new(&file)).unwrap();
    assert_eq!(index.segment(0, 0).unwrap().kind, SegmentKind::Mixed);
    let error = restored(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Compatibility);
    assert!(error.to_string().contains("mixing version 3"), "{error}");
}

#[test]
fn a_prime_teaches() {
    let text = text();
    let options = |prime| CompressOptions {
        context: Some(512),
        overlap: Some(64),
        plan: SegmentPlan::Default,
        prime,
        ..mixing(None)
    };
    let prime = Prime::new("a beginning", &text[..3000]).unwrap();
    let (with, without) = (options(Some(prime.clone())), options(None));
    // Naming the prime takes some twenty bytes, which a shorter text does not win back from so small a model.
    for raw in [&text[3000..5500], &text[3000..9000]] {
        let file = packed(raw, &with);
        assert!(file.len() < packed(raw, &without).len());
        assert!(headers(&file)[0].prime.is_some());
        let error = restored(&file).unwrap_err();
        assert!(matches!(error, CodecError::PrimeMissing { .. }), "{error}");
        let options = DecompressOptions {
            prime: Some(prime.clone()),
            ..Default::default()
        };
        assert!(decompress_to_vec(&file, nano(), &options).unwrap() == raw);
    }
}

#[test]
fn impossible_lanes_are_refused() {
    for lanes in [0, 65] {
        let options = mixing(Some(lanes));
        let error = Writer::new(Vec::new(), nano(), &options, ()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

/// Adds up what passes, and stops at so many bytes.
struct Watch {
    passed: [AtomicU64; 3],
    stop_at: u64,
}

impl Watch {
    fn new(stop_at: u64) -> Self {
        Self {
            passed: Default::default(),
            stop_at,
        }
    }

    fn passed(&self) -> [u64; 3] {
        [0, 1, 2].map(|phase: usize| self.passed[phase].load(Ordering::Relaxed))
    }
}

impl Observer for Watch {
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        let phase = match phase {
            Phase::Encode => 0,
            Phase::Verify => 1,
            Phase::Decode => 2,
        };
        self.passed[phase].fetch_add(raw_bytes, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.passed().iter().sum::<u64>() >= self.stop_at
    }
}

#[test]
fn every_byte_passes_each_phase_once() {
    let raw = raw();
    let len = raw.len() as u64;
    let options = CompressOptions {
        verify: true,
        ..mixing(None)
    };
    for (raw, options) in [
        (&raw[..], options),
        (&raw[..900], CompressOptions::default()),
    ] {
        let len = raw.len() as u64;
        let watch = Watch::new(u64::MAX);
        let mut file = Vec::new();
        compress(raw, &mut file, nano(), &options, &watch).unwrap();
        assert_eq!(watch.passed(), [len, len, 0]);
        let watch = Watch::new(u64::MAX);
        let decoding = DecompressOptions::default();
        decompress(&file[..], Vec::new(), nano(), &decoding, &watch).unwrap();
        assert_eq!(watch.passed(), [0, 0, len]);
    }
    for stop_at in [1, len / 2, len + 2000] {
        let options = CompressOptions {
            verify: true,
            ..mixing(None)
        };
        let watch = Watch::new(stop_at);
        let error = compress(&raw[..], Vec::new(), nano(), &options, &watch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    }
}
