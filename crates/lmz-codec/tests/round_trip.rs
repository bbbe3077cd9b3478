//! What goes in comes out.
#![allow(missing_docs)]

mod common;

use common::{alone, bootstrap, noise, packed, restored, small, text};
use lmz_codec::{CompressOptions, DecompressOptions, compress, decompress};
use proptest::prelude::*;

fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let zipped = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        std::io::Write::write_all(&mut encoder, &text()[..20_000]).unwrap();
        encoder.finish().unwrap()
    };
    vec![
        ("empty", vec![]),
        ("one byte", vec![b'x']),
        ("a zero", vec![0]),
        ("all bytes", (0..=255).collect()),
        (
            "invalid UTF-8",
            b"abc \xff\xfe\xc3( \xe2\x82 \xf0\x9f end".repeat(9),
        ),
        ("CRLF", b"one\r\ntwo\r\n\r\nthree\r".repeat(20)),
        ("BOM", "\u{feff}with a mark".into()),
        (
            "combining",
            "e\u{301}a\u{308}\u{304} n\u{303}o\u{302}\u{323}"
                .repeat(12)
                .into(),
        ),
        (
            "CJK",
            "圧縮は知能を線形に表す。压缩代表智能。압축은 지능이다."
                .repeat(4)
                .into(),
        ),
        (
            "Arabic",
            "الضغط يمثل الذكاء خطيا، ‏مع علامات".repeat(4).into(),
        ),
        ("emoji", "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇫🇷".repeat(6).into()),
        (
            "JSON",
            br#"{"a":[1,2.5e-3,null,true],"b":{"c":"\u00e9\n"}}"#.repeat(10),
        ),
        ("source", include_bytes!("round_trip.rs").to_vec()),
        (
            "special spellings",
            b"<|bos|><s></s><unk> <0x41> <|endoftext|>".repeat(10),
        ),
        ("SentencePiece's space", "▁a ▁▁ b▁".repeat(30).into()),
        ("spaces", b"    \t\t  \n\n   ".repeat(40)),
        ("one letter", vec![b'a'; 3000]),
        ("compressed", zipped),
        ("noise", noise(5000)),
        (
            "text with noise",
            [&text()[..900], &noise(700), &text()[900..1800]].concat(),
        ),
    ]
}

#[test]
fn every_kind_of_bytes_round_trips() {
    for (name, raw) in cases() {
        for options in [
            small(),
            CompressOptions {
                verify: true,
                ..alone()
            },
        ] {
            let file = packed(&raw, &options);
            assert!(restored(&file).unwrap() == raw, "{name} with {options:?}");
        }
    }
}

#[test]
fn the_embedded_model_restores_text() {
    let model = bootstrap();
    let raw = &text()[..12_000];
    let mut file = Vec::new();
    let report = compress(raw, &mut file, &model, &alone(), &()).unwrap();
    assert_eq!(report.segments, [1, 0, 0, 0]);
    let mut out = Vec::new();
    decompress(
        &file[..],
        &mut out,
        &model,
        &DecompressOptions::default(),
        &(),
    )
    .unwrap();
    assert!(out == raw);
    let bits = file.len() as f64 * 8.0 / raw.len() as f64;
    assert!(bits < 2.4, "{bits} bits/byte");
}

#[test]
fn noise_grows_by_at_most_a_thousandth() {
    for n in [1, 100, 65_536, 300_000] {
        let file = packed(
            &noise(n),
            &CompressOptions {
                verify: false,
                ..alone()
            },
        );
        assert!(file.len() <= n + n / 1000 + 200, "{n} -> {}", file.len());
    }
}

#[test]
fn concatenated_files_decode_to_the_concatenation() {
    let (a, b) = (b"first file. ".repeat(30), text()[..700].to_vec());
    let file = [
        packed(&a, &small()),
        packed(&[], &small()),
        packed(&b, &small()),
    ]
    .concat();
    assert!(restored(&file).unwrap() == [a, b].concat());
    let error = restored(&[&file[..], b"x"].concat())
        .unwrap_err()
        .to_string();
    assert!(error.contains("trailing garbage"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_round_trip(
        raw in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..900),
            "\\PC{0,400}".prop_map(String::into_bytes),
            "[a-z .,\n]{0,900}".prop_map(String::into_bytes),
        ],
        context in 1u32..40,
        overlap in 0u32..40,
        segment in 1u64..300,
    ) {
        let overlap = overlap.min(context - 1);
        let plan = lmz_codec::SegmentPlan::fixed(segment).unwrap();
        let options = CompressOptions { context: Some(context), overlap: Some(overlap), plan, ..small() };
        prop_assert_eq!(restored(&packed(&raw, &options)).unwrap(), raw);
    }
}
