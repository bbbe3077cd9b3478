//! Damage is detected and located; nothing that is read makes a reader panic or loop.

mod common;

use std::io::Cursor;

use common::*;
use lmz_format::*;
use proptest::prelude::*;

#[test]
fn every_truncation_is_insufficient_data() {
    let (file, raw) = small();
    assert_eq!(decode_stream(&file[..]).unwrap(), raw);
    for len in 0..file.len() {
        let cut = &file[..len];
        for failure in [
            decode_stream(cut).unwrap_err(),
            decode_stream(Trickle(cut, 0)).unwrap_err(),
            decode_indexed(cut).unwrap_err(),
        ] {
            assert_eq!(
                failure.kind(),
                ErrorKind::InsufficientData,
                "{len} {failure:?}"
            );
            let Failure::Format(error) = failure else {
                panic!()
            };
            assert_eq!(error.place().unwrap().offset, len as u64);
        }
    }
}

#[test]
fn truncation_names_the_segment() {
    let (file, _) = small();
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let info = reader.segment(0, 3).unwrap();
    let cut = info.record_offset as usize + info.record_len as usize - 1;
    let Err(Failure::Format(error)) = decode_indexed(&file[..cut]) else {
        panic!()
    };
    assert_eq!(
        error.to_string(),
        format!(
            "truncated: the input ends inside a segment's coded bytes \
             (byte {cut}, segment 3 of member 0)"
        )
    );
}

#[test]
fn every_changed_byte_is_detected() {
    let (file, raw) = small();
    let mut damaged = file.clone();
    for at in 0..file.len() {
        for change in 1..=255 {
            damaged[at] = file[at] ^ change;
            let failure = decode_stream(&damaged[..]).unwrap_err();
            // No single flip may pass for a file of another version.
            assert_ne!(
                failure.kind(),
                ErrorKind::Compatibility,
                "{at} {change} {failure:?}"
            );
            match decode_indexed(&damaged) {
                // The redundant parts: the content is whole and the reader says so.
                Ok((bytes, flagged)) => {
                    assert!(flagged && bytes == raw, "{at} {change}");
                }
                Err(failure) => assert_ne!(failure.kind(), ErrorKind::Io),
            }
        }
        damaged[at] = file[at];
    }
}

#[test]
fn a_damaged_segment_is_located_and_costs_itself_alone() {
    let (mut file, raw) = small();
    let info = IndexedReader::open(Cursor::new(&file))
        .unwrap()
        .segment(0, 2)
        .unwrap();
    file[info.record_offset as usize + 2] ^= 1;
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    for segment in [0, 1, 3, 4] {
        let (info, coded) = reader.read_coded(0, segment).unwrap();
        let at = info.raw_offset as usize;
        let want = &raw[at..at + info.raw_len as usize];
        assert_eq!(toy_code(info.kind, &coded), want);
    }
    let error = reader.read_coded(0, 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert_eq!(error.place(), Some(info.place()));
}

#[test]
fn a_damaged_header_is_replaced_by_its_copy() {
    let (first, raw) = small();
    let mut file = [&first[..], &first].concat();
    // All of the second member's header is wiped out.
    let second = first.len();
    file[second..second + 56].fill(0xee);
    let reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let [a, b] = reader.members() else { panic!() };
    assert_eq!((a.header_damaged, b.header_damaged), (false, true));
    assert_eq!(a.header, b.header);
    let both = [&raw[..], &raw].concat();
    assert_eq!(decode_indexed(&file).unwrap(), (both, true));
    assert_eq!(
        decode_stream(&file[..]).unwrap_err().kind(),
        ErrorKind::Corruption
    );
}

#[test]
fn header_and_footer_that_contradict_each_other_are_refused() {
    let (file, raw) = small();
    let mut other = header(SegmentPlan::Fixed(16));
    other.model_id = ModelId::new([0; 16]);
    let (spliced, _) = member(&other, &raw, &[SegmentKind::Stored]);
    let mut mixed = spliced;
    let header_len = 6 + usize::from(file[5]) + 4;
    mixed[..header_len].copy_from_slice(&file[..header_len]);
    for failure in [
        decode_stream(&mixed[..]).unwrap_err(),
        decode_indexed(&mixed).unwrap_err(),
    ] {
        assert_eq!(failure.kind(), ErrorKind::Corruption);
        let Failure::Format(error) = failure else {
            panic!()
        };
        assert!(error.to_string().contains("copy of the header"), "{error}");
    }
}

#[test]
fn swapped_segments_are_detected() {
    let raw = [[1u8; 16], [2; 16], [3; 16]].concat();
    let (file, _) = member(
        &header(SegmentPlan::Fixed(16)),
        &raw,
        &[SegmentKind::Stored],
    );
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let a = reader.segment(0, 0).unwrap();
    let b = reader.segment(0, 1).unwrap();
    assert_eq!(a.record_len, b.record_len);
    let range = |i: SegmentInfo| {
        let start = i.record_offset as usize;
        start..start + i.record_len as usize
    };
    let mut swapped = file.clone();
    swapped[range(a)].copy_from_slice(&file[range(b)]);
    swapped[range(b)].copy_from_slice(&file[range(a)]);
    assert!(decode_stream(&swapped[..]).is_err());
    assert!(decode_indexed(&swapped).is_err());
}

#[test]
fn what_follows_the_last_member_is_garbage() {
    let (file, _) = small();
    for tail in [&b"\0x"[..], b"garbage", b"\x89LMX", b"ZML\x89"] {
        let bytes = [&file[..], tail].concat();
        for failure in [
            decode_stream(&bytes[..]).unwrap_err(),
            decode_indexed(&bytes).unwrap_err(),
        ] {
            let Failure::Format(error) = failure else {
                panic!()
            };
            let FormatError::TrailingGarbage { place } = error else {
                panic!("{error}")
            };
            assert_eq!((place.offset, place.member), (file.len() as u64, 1));
        }
    }
    // The beginning of a member is a member that was cut short.
    let bytes = [&file[..], &file[..3]].concat();
    assert_eq!(
        decode_stream(&bytes[..]).unwrap_err().kind(),
        ErrorKind::InsufficientData
    );
    assert_eq!(
        decode_indexed(&bytes).unwrap_err().kind(),
        ErrorKind::InsufficientData
    );
}

#[test]
fn other_files_are_told_apart() {
    for (bytes, kind, words) in [
        (&b""[..], ErrorKind::InsufficientData, "empty"),
        (
            b"PK\x03\x04 something else",
            ErrorKind::NotLmz,
            "not an .lmz file",
        ),
        (b"x", ErrorKind::NotLmz, "not an .lmz file"),
    ] {
        for failure in [
            decode_stream(bytes).unwrap_err(),
            decode_indexed(bytes).unwrap_err(),
        ] {
            assert_eq!(failure.kind(), kind);
            let Failure::Format(error) = failure else {
                panic!()
            };
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

/// Changes bytes of a member made of `header + rest` and mends the header's checksum.
fn with_header(file: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let body_len = usize::from(file[5]);
    let (header, rest) = file.split_at(6 + body_len + 4);
    let mut header = header[..6 + body_len].to_vec();
    change(&mut header);
    header[5] = (header.len() - 6) as u8;
    let crc = crc32(&header);
    [&header[..], &crc, rest].concat()
}

/// CRC-32 bit by bit, as docs/format.md defines it.
fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).to_le_bytes()
}

#[test]
fn a_newer_version_and_a_needed_extension_name_themselves() {
    let (file, _) = small();
    assert_eq!(with_header(&file, |_| ()), file);
    let newer = with_header(&file, |h| h[4] = 7);
    let needed = with_header(&file, |h| h.extend([5, 1, 0]));
    for (bytes, words) in [
        (
            newer,
            "written by a newer lmz (format version 7); this build reads 1",
        ),
        (needed, "extension 5"),
    ] {
        let error = StreamReader::new(&bytes[..]).next_event().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compatibility);
        assert!(error.to_string().contains(words), "{error}");
    }
    let skipped = with_header(&file, |h| h.extend([4, 1, 0]));
    let event = StreamReader::new(&skipped[..]).next_event().unwrap();
    assert_eq!(event, Event::MemberStart(header(SegmentPlan::Fixed(16))));
}

#[test]
fn a_newer_segment_kind_names_itself() {
    let (file, _) = small();
    let header_len = 6 + usize::from(file[5]) + 4;
    let fields = [&[9, 1, 1][..], &[0; 4]].concat();
    let check = crc32(&[&[0; 8], &fields[..]].concat());
    let bytes = [&file[..header_len], &fields, &check[..2], &[0]].concat();
    let mut reader = StreamReader::new(&bytes[..]);
    reader.next_event().unwrap();
    let error = reader.next_event().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Compatibility);
    assert!(error.to_string().contains("kind 9"), "{error}");
    assert_eq!(error.place().unwrap().segment, Some(0));
}

proptest! {
    #[test]
    fn garbage_terminates(
        prefix in 0usize..120,
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        tail in 0usize..120,
    ) {
        let (file, _) = small();
        let garbage = [&file[..prefix], &bytes, &file[file.len() - tail..]].concat();
        prop_assert!(decode_stream(&garbage[..]).is_err());
        if let Ok((_, flagged)) = decode_indexed(&garbage) {
            prop_assert!(flagged);
        }
    }

    #[test]
    fn spliced_files_terminate(cuts in prop::collection::vec((0usize..400, 0usize..400), 1..6)) {
        let (file, raw) = small();
        let mut spliced = Vec::new();
        for (a, b) in cuts {
            let (a, b) = (a.min(b).min(file.len()), a.max(b).min(file.len()));
            spliced.extend_from_slice(&file[a..b]);
        }
        match decode_stream(&spliced[..]) {
            // Only whole copies decode.
            Ok(bytes) => prop_assert_eq!(bytes.len() % raw.len(), 0),
            Err(failure) => prop_assert_ne!(failure.kind(), ErrorKind::Io),
        }
        let _ = decode_indexed(&spliced);
    }
}
