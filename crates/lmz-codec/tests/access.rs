//! Random access, and the account of every byte.
#![allow(missing_docs)]

mod common;

use std::io::{Cursor, Read, Seek, SeekFrom};

use common::{alone, bootstrap, nano, packed, small, text};
use lmz_codec::{CompressOptions, DecompressOptions, Reader, compress};

#[test]
fn any_range_can_be_read() {
    let (a, b) = (text()[..1500].to_vec(), text()[5000..5900].to_vec());
    let raw = [&a[..], &b].concat();
    let file = [packed(&a, &small()), packed(&b, &small())].concat();
    let mut reader = Reader::open(
        Cursor::new(&file),
        nano(),
        &DecompressOptions {
            threads: 1,
            ..Default::default()
        },
    )
    .unwrap();
    assert_eq!(reader.len(), raw.len() as u64);
    assert_eq!(reader.members().len(), 2);
    for (from, n) in [
        (0, 10),
        (199, 2),
        (200, 1),
        (350, 700),
        (1400, 300),
        (2390, 100),
        (2400, 5),
        (9999, 5),
    ] {
        let mut buffer = vec![0; n];
        let got = reader.read_at(from as u64, &mut buffer).unwrap();
        let expected = &raw[from.min(raw.len())..(from + n).min(raw.len())];
        assert!(&buffer[..got] == expected, "{from}+{n}");
    }
    reader.seek(SeekFrom::End(-950)).unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!(rest == raw[raw.len() - 950..]);
    assert!(reader.seek(SeekFrom::Current(-100_000)).is_err());
}

/// Promise 3 of the README: real bits = ideal bits + coder overhead + container, all named.
#[test]
fn every_byte_of_a_file_is_accounted_for() {
    let raw = &text()[..20_000];
    let mut file = Vec::new();
    let plan = lmz_codec::SegmentPlan::fixed(4000).unwrap();
    let options = CompressOptions {
        verify: false,
        plan,
        ..alone()
    };
    let report = compress(raw, &mut file, &bootstrap(), &options, &()).unwrap();
    assert_eq!(report.segments, [5, 0, 0, 0]);
    let parts = report.container;
    assert_eq!(parts.total(), file.len() as u64);
    assert!(parts.fixed() <= 160, "{parts:?}");
    let sealing_bits = (parts.coded * 8) as f64 - report.ideal_bits;
    let per_segment = parts.per_segment() as f64 / 5.0 + (sealing_bits / 8.0 / 5.0).max(0.0);
    assert!(
        per_segment <= 24.0,
        "{per_segment} bytes a segment: {parts:?}"
    );
}

/// Coded bits against the model's ideal bits, sealing (at most four bytes a segment) left out.
fn overhead(raw: &[u8]) -> f64 {
    let options = CompressOptions {
        verify: false,
        ..alone()
    };
    let report = compress(raw, std::io::sink(), &bootstrap(), &options, &()).unwrap();
    assert_eq!(report.segments[1..], [0, 0, 0]);
    let sealing = 32 * report.segments[0];
    let coded = (report.container.coded * 8).saturating_sub(sealing) as f64;
    println!(
        "{} bytes: ideal {:.0} bits, coded {coded:.0}",
        raw.len(),
        report.ideal_bits
    );
    coded / report.ideal_bits - 1.0
}

#[test]
fn the_coder_adds_less_than_a_half_per_mille() {
    assert!(overhead(&text()[..16_000]) <= 0.0005);
}

#[test]
#[ignore = "slow: a 400 KB text"]
fn the_coder_adds_less_than_a_half_per_mille_to_a_long_text() {
    let raw = text().repeat(3);
    let overhead = overhead(&raw[..400_000]);
    println!("overhead {:.5} %", overhead * 100.0);
    assert!(overhead <= 0.0005);
}
