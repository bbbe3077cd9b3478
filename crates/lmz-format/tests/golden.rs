//! The worked example of docs/format.md, byte for byte.

mod common;

use std::io::Cursor;

use lmz_format::*;

const DOC: &str = include_str!("../../../docs/format.md");

/// The hexadecimal digits of the example; what follows `#` on a line is a comment.
fn golden() -> Vec<u8> {
    let block = DOC
        .split("```golden\n")
        .nth(1)
        .expect("no example in docs/format.md");
    let block = block.split("```").next().unwrap();
    let digits: String = block
        .lines()
        .flat_map(|line| line.split('#').next().unwrap().split_whitespace())
        .collect();
    assert_eq!(digits.len() % 2, 0);
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

fn header() -> Header {
    Header {
        numerics_version: 0,
        recipe: 1,
        mixing: 0,
        model_id: ModelId::new(std::array::from_fn(|i| i as u8)),
        checkpoint: std::array::from_fn(|i| 0xf0 + i as u8),
        model_name: "example".into(),
        context: ContextPolicy::new(512, 64).unwrap(),
        plan: SegmentPlan::Fixed(32),
        prime: None,
        form: Form::Full,
    }
}

const MODEL_CODED: [u8; 4] = [0xc0, 0xde, 0xc0, 0xde];
const ZSTD_FRAME: [u8; 10] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x20, 0x03, 0x01, 0x00, 0x61];

#[test]
fn the_writer_writes_the_example() {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    let model = Payload::Model {
        coded: &MODEL_CODED,
        ideal_bits: 7777,
    };
    writer
        .segment(b"A segment coded under the model.", model)
        .unwrap();
    writer
        .segment(&[b'a'; 32], Payload::Zstd(&ZSTD_FRAME))
        .unwrap();
    writer.segment(b"\x00\xffend", Payload::Stored).unwrap();
    let (file, _) = writer.finish().unwrap();
    let hex: Vec<_> = file.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(file, golden(), "written: {}", hex.join(" "));
}

#[test]
fn the_readers_read_the_example() {
    let file = golden();
    let mut stream = StreamReader::new(&file[..]);
    let mut indexed = IndexedReader::open(Cursor::new(&file)).unwrap();
    assert_eq!(stream.next_event().unwrap(), Event::MemberStart(header()));
    let want = [
        (SegmentKind::Model, 32, Some(7777), &MODEL_CODED[..]),
        (SegmentKind::Zstd, 32, None, &ZSTD_FRAME),
        (SegmentKind::Stored, 5, None, b"\x00\xffend"),
    ];
    for (index, (kind, raw_len, ideal_bits, coded)) in want.into_iter().enumerate() {
        let (info, bytes) = indexed.read_coded(0, index as u64).unwrap();
        assert_eq!(
            (info.kind, info.raw_len, info.ideal_bits),
            (kind, raw_len, ideal_bits)
        );
        assert_eq!(bytes, coded);
        assert_eq!(stream.next_event().unwrap(), Event::Segment(info, bytes));
    }
    let Event::MemberEnd {
        raw_len,
        raw_hash,
        bytes,
    } = stream.next_event().unwrap()
    else {
        panic!()
    };
    assert_eq!((raw_len, bytes.total()), (69, file.len() as u64));
    assert_eq!(raw_hash, indexed.members()[0].raw_hash);
    assert_eq!(stream.next_event().unwrap(), Event::End);
}
