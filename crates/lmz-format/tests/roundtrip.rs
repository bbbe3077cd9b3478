//! What a writer wrote, both readers give back.

mod common;

use std::io::{self, Cursor, Write};

use common::*;
use lmz_format::*;
use proptest::prelude::*;

fn any_kind() -> impl Strategy<Value = SegmentKind> {
    prop_oneof![
        Just(SegmentKind::Model),
        Just(SegmentKind::Zstd),
        Just(SegmentKind::Stored),
    ]
}

fn any_header() -> impl Strategy<Value = Header> {
    let plan = prop_oneof![
        Just(SegmentPlan::Default),
        (1u32..300).prop_map(SegmentPlan::Fixed)
    ];
    let context = (1u32.., any::<u32>()).prop_map(|(context, k)| ContextPolicy {
        context,
        overlap: k % context,
    });
    (
        (any::<(u8, u8, [u8; 16], [u8; 16])>(), 0u8..3),
        "\\PC{0,20}",
        context,
        plan,
    )
        .prop_map(|((fixed, mixing), model_name, context, plan)| Header {
            numerics_version: fixed.0,
            recipe: fixed.1,
            mixing,
            model_id: ModelId::new(fixed.2),
            checkpoint: fixed.3,
            model_name,
            context,
            plan,
            prime: None,
            form: Form::Full,
        })
}

type AnyMember = (Header, Vec<u8>, Vec<SegmentKind>);

fn any_member() -> impl Strategy<Value = AnyMember> {
    (
        any_header(),
        prop::collection::vec(any::<u8>(), 0..1200),
        prop::collection::vec(any_kind(), 1..5),
    )
}

proptest! {
    #[test]
    fn concatenated_members_decode_to_the_concatenation(
        members in prop::collection::vec(any_member(), 1..4),
    ) {
        let mut file = Vec::new();
        let mut raw = Vec::new();
        let mut summaries = Vec::new();
        for (header, bytes, kinds) in &members {
            let (member, summary) = member(header, bytes, kinds);
            file.extend(member);
            raw.extend(bytes);
            summaries.push(summary);
        }
        prop_assert_eq!(&decode_stream(&file[..]).unwrap(), &raw);
        prop_assert_eq!(&decode_stream(Trickle(&file, 0)).unwrap(), &raw);
        prop_assert_eq!(decode_indexed(&file).unwrap(), (raw.clone(), false));

        let mut indexed = IndexedReader::open(Cursor::new(&file)).unwrap();
        let mut stream = StreamReader::new(&file[..]);
        prop_assert_eq!(indexed.raw_len(), raw.len() as u64);
        prop_assert_eq!(indexed.file_len(), file.len() as u64);
        for (number, (header, bytes, _)) in members.iter().enumerate() {
            let number = number as u64;
            let summary = summaries[number as usize];
            let member = indexed.members()[number as usize].clone();
            prop_assert_eq!(&member.header, header);
            prop_assert_eq!(member.raw_len, bytes.len() as u64);
            prop_assert_eq!(member.len, summary.compressed_len);
            prop_assert_eq!(member.raw_hash, Some(summary.raw_hash));
            prop_assert_eq!(indexed.container_bytes(number).unwrap(), summary.bytes);
            prop_assert_eq!(stream.next_event().unwrap(), Event::MemberStart(header.clone()));
            let infos: Vec<_> = indexed.segments(number).map(|info| info.unwrap()).collect();
            prop_assert_eq!(infos.len() as u64, summary.segments);
            for info in infos {
                let (again, coded) = indexed.read_coded(number, info.index).unwrap();
                prop_assert_eq!(again, info);
                prop_assert_eq!(stream.next_event().unwrap(), Event::Segment(info, coded));
            }
            prop_assert_eq!(stream.next_event().unwrap(), Event::MemberEnd {
                raw_len: summary.raw_len,
                raw_hash: Some(summary.raw_hash),
                bytes: summary.bytes,
            });
        }
        prop_assert_eq!(stream.next_event().unwrap(), Event::End);
        prop_assert_eq!(stream.offset(), file.len() as u64);

        for (offset, byte) in raw.iter().enumerate() {
            let found = indexed.locate(offset as u64).unwrap();
            let (info, coded) = indexed.read_coded(found.member, found.segment).unwrap();
            prop_assert_eq!(toy_code(info.kind, &coded)[found.within as usize], *byte);
        }
        prop_assert_eq!(indexed.locate(raw.len() as u64), None);
    }
}

#[test]
fn the_default_plan_is_followed_over_its_steps() {
    let raw: Vec<u8> = (0..9_000_000u32).map(|i| (i >> 3) as u8).collect();
    let (file, summary) = member(&header(SegmentPlan::Default), &raw, &[SegmentKind::Stored]);
    assert_eq!(summary.segments, 16 + 56 + 3);
    assert_eq!(decode_stream(&file[..]).unwrap(), raw);
    assert_eq!(decode_indexed(&file).unwrap(), (raw, false));
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let last = reader.segment(0, 74).unwrap();
    assert_eq!(last.raw_offset, (8 << 20) + 2 * (256 << 10));
    assert_eq!(u64::from(last.raw_len), 9_000_000 - last.raw_offset);
}

#[test]
fn an_empty_member_has_no_segment() {
    let (file, summary) = member(&header(SegmentPlan::Default), b"", &[SegmentKind::Stored]);
    assert_eq!((summary.segments, summary.raw_len), (0, 0));
    assert_eq!(decode_stream(&file[..]).unwrap(), b"");
    assert_eq!(decode_indexed(&file).unwrap(), (vec![], false));
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    assert_eq!(reader.locate(0), None);
    for (member, segment) in [(0, 0), (1, 0), (u64::MAX, u64::MAX)] {
        let error = reader.read_coded(member, segment).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_writer_refuses_what_the_format_cannot_say() {
    let mut writer = Writer::new(Vec::new(), &header(SegmentPlan::Fixed(4))).unwrap();
    let model = |coded, ideal_bits| Payload::Model { coded, ideal_bits };
    for (raw, payload) in [
        (&b""[..], Payload::Stored),
        (b"12345", Payload::Stored),
        (b"1234", Payload::Zstd(b"12345")),
        (b"1234", model(b"12345", 0)),
        (b"1234", model(b"1", 4 * MAX_IDEAL_PER_RAW_BYTE + 1)),
    ] {
        let error = writer.segment(raw, payload).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    writer.segment(b"123", model(b"", 20)).unwrap();
    let error = writer.segment(b"1234", Payload::Stored).unwrap_err();
    assert!(
        error.to_string().contains("shorter than the plan"),
        "{error}"
    );
    let (file, summary) = writer.finish().unwrap();
    assert_eq!((summary.raw_len, summary.ideal_bits), (3, 20));
    assert!(StreamReader::new(&file[..]).next_event().is_ok());
}

/// A disk that is full after some bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.0.min(bytes.len());
        self.0 -= room;
        match room {
            0 => Err(io::ErrorKind::StorageFull.into()),
            room => Ok(room),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_failed_stays_failed() {
    let header = header(SegmentPlan::Default);
    assert_eq!(
        Writer::new(Full(10), &header).err().map(|e| e.kind()),
        Some(ErrorKind::Io)
    );
    let mut writer = Writer::new(Full(70), &header).unwrap();
    let error = writer.segment(&[0; 100], Payload::Stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let error = writer.segment(&[0; 100], Payload::Stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(writer.finish().is_err());
}
