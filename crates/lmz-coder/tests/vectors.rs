//! The vectors of docs/format.md, "Coded segments".

mod common;

use common::{Random, TextDecoder, TextEncoder};
use lmz_coder::{Encoder, Interval};

const TEXT: &str = include_str!("../../../docs/format.md");

struct Vector {
    intervals: Vec<Interval>,
    bytes: Vec<u8>,
}

fn number(hex: &str) -> u32 {
    u32::from_str_radix(hex, 16).unwrap_or_else(|_| panic!("{hex:?} is not a number"))
}

/// The rows of the table behind the line that announces it.
fn vectors() -> Vec<Vector> {
    let (_, after) = TEXT
        .split_once("| intervals | coded bytes |")
        .expect("docs/format.md has no vectors");
    let rows = after
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row
            .trim_matches('|')
            .split('|')
            .map(|c| c.trim().trim_matches('`'))
            .collect();
        let [intervals, bytes] = cells[..] else {
            panic!("{row}")
        };
        let interval = |text: &str| {
            let (start, width) = text.split_once('+').expect("start+width");
            Interval {
                start: number(start),
                width: number(width),
            }
        };
        Vector {
            intervals: intervals
                .split_whitespace()
                .filter(|t| *t != "(none)")
                .map(interval)
                .collect(),
            bytes: bytes
                .split_whitespace()
                .filter(|t| *t != "(none)")
                .map(|b| number(b) as u8)
                .collect(),
        }
    })
    .collect()
}

#[test]
fn the_encoder_gives_the_bytes_of_the_text() {
    let vectors = vectors();
    assert!(vectors.len() >= 6, "{} vectors", vectors.len());
    for Vector { intervals, bytes } in &vectors {
        let mut encoder = Encoder::new();
        let mut text = TextEncoder::new();
        for &interval in intervals {
            encoder.encode(interval).unwrap();
            text.encode(interval);
        }
        assert_eq!(&encoder.finish(), bytes, "{intervals:x?}");
        assert_eq!(&text.finish(), bytes, "{intervals:x?}");
        let mut decoder = TextDecoder::new(bytes);
        for &interval in intervals {
            let quantile = decoder.quantile().unwrap();
            assert!(
                quantile.wrapping_sub(interval.start) < interval.width,
                "{intervals:x?}"
            );
            decoder.take(interval);
        }
    }
    assert!(vectors.iter().any(|v| v.intervals.is_empty()));
    assert!(vectors.iter().any(|v| v.intervals.len() >= 20));
}

/// Prints the table. The seeds are those that show a carry through held words, and its absence.
#[test]
#[ignore = "writes the table for docs/format.md to standard output"]
fn print_vectors() {
    let plain = |start, width| Interval { start, width };
    let straddle = [plain(0x7fff_ffff, 2), plain(0x8000_0000, 1)];
    let mut random = Random(20);
    let mut held = TextEncoder::new();
    let mut kept = straddle.to_vec();
    kept.iter().for_each(|&interval| held.encode(interval));
    for _ in 0..3 {
        let interval = held.straddling_interval(&mut random).expect("straddles");
        held.encode(interval);
        kept.push(interval);
    }
    let below = [&kept[..], &[plain(0, 1 << 16)]].concat();
    let above = [&kept[..], &[plain(u32::MAX, 1)]].concat();
    let sequence: Vec<Interval> = (0..20)
        .map(|_| {
            let start = random.next() as u32;
            let width = 1 + random.below(u64::from(u32::MAX - start)) as u32;
            plain(start, (width >> random.below(16)) | 1)
        })
        .collect();
    let rows = [
        vec![],
        vec![plain(0, 1)],
        vec![plain(0x1234_5678, 0x100)],
        kept,
        below,
        above,
        sequence,
    ];
    for intervals in rows {
        let mut text = TextEncoder::new();
        intervals.iter().for_each(|&interval| text.encode(interval));
        eprintln!("carries {} straddles {}", text.carries, text.straddles());
        let bytes = text.finish();
        let cell = |parts: Vec<String>| {
            if parts.is_empty() {
                "(none)".into()
            } else {
                format!("`{}`", parts.join(" "))
            }
        };
        println!(
            "| {} | {} |",
            cell(
                intervals
                    .iter()
                    .map(|i| format!("{:x}+{:x}", i.start, i.width))
                    .collect()
            ),
            cell(bytes.iter().map(|b| format!("{b:02x}")).collect()),
        );
    }
}
