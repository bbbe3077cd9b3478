//! The vectors of docs/format.md, "Coded segments".

use lmz_coder::{Encoder, Interval};
use lmz_testkit::coder::{TextDecoder, TextEncoder};

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
