//! Members of version 2: what they hold, both readers, damage, and what the versions do not share.

mod common;

use std::io::Cursor;

use common::*;
use lmz_format::*;

const KINDS: [SegmentKind; 3] = [SegmentKind::Mixed, SegmentKind::Zstd, SegmentKind::Stored];

fn raw() -> Vec<u8> {
    (0..70u8).map(|i| i.wrapping_mul(37)).collect()
}

fn full() -> Vec<u8> {
    member(&mixed_header(SegmentPlan::Fixed(16)), &raw(), &KINDS).0
}

/// A small member of `raw` in blocks of `context` tokens.
fn small_member(raw: &[u8], kind: SegmentKind, context: u32, primed: bool) -> (Vec<u8>, Summary) {
    let prime = PrimeId {
        hash: *b"0123456789abcdef",
        len: 3000,
        tokens: 256,
    };
    let header = Header {
        context: ContextPolicy::new(context, context / 8).unwrap(),
        prime: primed.then_some(prime),
        ..mixed_header(SegmentPlan::Fixed(1 << 20))
    };
    let coded = toy_code(kind, raw);
    let payload = Some(toy_payload(kind, &coded)).filter(|_| !raw.is_empty());
    let mut file = Vec::new();
    let summary = write_small(&mut file, &header, raw, payload).unwrap();
    assert_eq!(summary.bytes.total(), file.len() as u64);
    (file, summary)
}

#[test]
fn a_member_says_what_it_holds() {
    let file = full();
    assert_eq!(decode_stream(&file[..]).unwrap(), raw());
    assert_eq!(decode_indexed(&file).unwrap(), (raw(), false));
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let header = reader.members()[0].header.clone();
    assert_eq!(header, mixed_header(SegmentPlan::Fixed(16)));
    assert_eq!(header.version(), FormatVersion::V2);
    let first = reader.segment(0, 0).unwrap();
    assert_eq!(first.kind, SegmentKind::Mixed);
    assert_eq!(first.ideal_bits, Some(16 * 8 * 256));
}

#[test]
fn a_small_member_takes_at_most_40_bytes() {
    for (len, context, most) in [
        (0, 1024, 23),
        (100, 1024, 23),
        (1024, 1024, 25),
        (4096, 1024, 29),
        (65_536, 1024, 31),
        (65_536, 1 << 14, 32),
        // And the model's name.
        (65_537, 1024, 31 + 10),
        (1 << 20, 1024, 31 + 10),
    ] {
        let raw = vec![7; len];
        for kind in KINDS {
            let (file, summary) = small_member(&raw, kind, context, false);
            let container = summary.bytes.total() - summary.bytes.coded;
            assert_eq!(container, most, "{len}");
            assert_eq!(decode_stream(&file[..]).unwrap(), raw);
            assert_eq!(decode_indexed(&file).unwrap(), (raw.clone(), false));
            let reader = IndexedReader::open(Cursor::new(&file)).unwrap();
            let name = &reader.members()[0].header.model_name;
            assert_eq!(name, if len > 65_536 { "bootstrap" } else { "" });
        }
        let (_, primed) = small_member(&raw, SegmentKind::Mixed, context, true);
        let named = if len > 65_536 { 10 } else { 0 };
        assert!(primed.bytes.total() - primed.bytes.coded <= 40 + 1 + named);
    }
}

#[test]
fn a_small_member_has_blocks_where_it_needs_them() {
    for (len, expected) in [(300, (300, 0)), (700, (512, 64))] {
        let (file, _) = small_member(&vec![7; len], SegmentKind::Mixed, 512, false);
        let reader = IndexedReader::open(Cursor::new(&file)).unwrap();
        let header = &reader.members()[0].header;
        assert_eq!((header.context.context, header.context.overlap), expected);
        assert_eq!((header.mixing, header.is_small()), (1, true));
    }
    let header = mixed_header(SegmentPlan::Fixed(1 << 21));
    assert!(header.fits_small(1 << 20) && !header.fits_small((1 << 20) + 1));
    let plain = Header {
        mixing: 0,
        ..header.clone()
    };
    assert!(plain.fits_small(512) && !plain.fits_small(513));
    let much = Header {
        mixing: 128,
        ..header
    };
    assert!(!much.fits_small(1));
}

#[test]
fn no_version_has_the_other_s_segments() {
    for (header, kind) in [
        (header(SegmentPlan::Default), SegmentKind::Mixed),
        (mixed_header(SegmentPlan::Default), SegmentKind::Model),
    ] {
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        let error = writer.segment(b"x", toy_payload(kind, b"y")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let small = write_small(Vec::new(), &header, b"x", Some(toy_payload(kind, b"y")));
        assert_eq!(small.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_detected() {
    let small = |primed| small_member(b"a small message", SegmentKind::Mixed, 8, primed).0;
    // A block must have room for more than the prime.
    let primed = small_member(b"a small message", SegmentKind::Mixed, 260, true).0;
    for (file, raw) in [
        (full(), raw()),
        (small(false), b"a small message".to_vec()),
        (primed, b"a small message".to_vec()),
    ] {
        assert_eq!(decode_stream(&file[..]).unwrap(), raw);
        for len in 0..file.len() {
            let failure = decode_stream(&file[..len]).unwrap_err();
            assert_eq!(failure.kind(), ErrorKind::InsufficientData, "{len}");
        }
        let mut damaged = file.clone();
        for at in 0..file.len() {
            for change in 1..=255 {
                damaged[at] = file[at] ^ change;
                let failure = decode_stream(&damaged[..]).unwrap_err();
                let wrong = [ErrorKind::Compatibility, ErrorKind::Io];
                assert!(
                    !wrong.contains(&failure.kind()),
                    "{at} {change} {failure:?}"
                );
            }
            damaged[at] = file[at];
        }
    }
}

#[test]
fn damage_costs_one_segment() {
    let (file, raw) = (full(), raw());
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let infos: Vec<SegmentInfo> = reader.segments(0).map(|info| info.unwrap()).collect();
    for lost in &infos {
        // Without the footer, too.
        for end in [file.len(), file.len() - 20] {
            let mut damaged = file[..end].to_vec();
            damaged[lost.record_offset as usize] ^= 0x40;
            let mut salvage = Salvage::open(Cursor::new(&damaged)).unwrap();
            let [Part::Member(remains)] = &salvage.parts().to_vec()[..] else {
                panic!("not one member")
            };
            let mut found = 0;
            for slot in &remains.slots {
                if let Slot::Found(info) = slot {
                    let coded = salvage.read_coded(info).unwrap();
                    let from = info.raw_offset as usize;
                    let own = &raw[from..from + info.raw_len as usize];
                    assert_eq!(toy_code(info.kind, &coded), own);
                    found += 1;
                }
            }
            assert_eq!(found, infos.len() - 1, "{}", lost.index);
        }
    }
}

#[test]
fn a_header_of_version_2_without_mixing_is_refused() {
    let mut file = full();
    // Magic, version, length, numerics, recipe.
    let at = 8;
    assert_eq!(file[at], 1);
    file[at] = 0;
    let end = 6 + usize::from(file[5]);
    let crc = crc32fast::hash(&file[..end]);
    file[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    let error = StreamReader::new(&file[..]).next_event().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("mixing"), "{error}");
}
