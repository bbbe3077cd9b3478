//! The range coder: against the text of docs/format.md, against constriction's own seal, and on
//! bytes that nobody coded.

use constriction::stream::Encode;
use constriction::stream::queue::RangeEncoder;
use lmz_coder::{CoderError, Decoder, Distribution, Encoder, Interval};
use lmz_testkit::Random;
use lmz_testkit::coder::{TextDecoder, TextEncoder};
use proptest::prelude::*;

/// Random intervals; those of `straddling` steps keep a carry possible as long as they can.
fn intervals(seed: u64, count: usize, straddling: u64) -> Vec<Interval> {
    let mut random = Random(seed);
    let mut text = TextEncoder::new();
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let straddle = random.below(100) < straddling;
        let interval = if text.straddles() && straddle {
            text.straddling_interval(&mut random)
        } else if straddle && random.below(2) == 0 {
            // Around a boundary between two words of the whole range.
            Some(Interval {
                start: 0x7fff_ffff,
                width: 2,
            })
        } else {
            None
        };
        let interval = interval.unwrap_or_else(|| {
            let start = random.next() as u32 >> random.below(32);
            let room = (1u64 << 32) - u64::from(start);
            let width =
                ((1 + random.below(room)) >> random.below(33)).clamp(1, room.min(u32::MAX.into()));
            Interval {
                start,
                width: width as u32,
            }
        });
        text.encode(interval);
        all.push(interval);
    }
    all
}

fn encode(intervals: &[Interval]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    for &interval in intervals {
        encoder.encode(interval).unwrap();
    }
    encoder.finish()
}

/// The length of the same intervals with constriction's own seal, zeros at the end dropped as ours
/// are.
fn library_length(intervals: &[Interval]) -> usize {
    let mut encoder = RangeEncoder::<u32, u128>::new();
    for &interval in intervals {
        encoder.encode_symbol((), interval).unwrap();
    }
    let words = encoder.into_compressed().unwrap();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes
        .iter()
        .rposition(|&b| b != 0)
        .map_or(0, |last| last + 1)
}

fn check(intervals: &[Interval]) -> usize {
    let bytes = encode(intervals);
    let mut text = TextEncoder::new();
    intervals.iter().for_each(|&interval| text.encode(interval));
    let carries = text.carries;
    assert_eq!(
        bytes,
        text.finish(),
        "the text and the crate disagree on {intervals:x?}"
    );
    assert!(
        bytes.len() <= library_length(intervals),
        "sealed longer than constriction does"
    );
    let mut decoder = TextDecoder::new(&bytes);
    for &interval in intervals {
        let quantile = decoder.quantile().expect("damaged");
        assert!(quantile >= interval.start && quantile - interval.start < interval.width);
        decoder.take(interval);
    }
    carries
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_those_of_the_text(seed: u64, count in 0usize..400, straddling in 0u64..=100) {
        check(&intervals(seed, count, straddling));
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64), seed: u64) {
        let mut random = Random(seed);
        let weights: Vec<u32> =
            (0..1 + random.below(300)).map(|_| (random.next() as u32) >> random.below(32)).chain([1]).collect();
        let distribution = Distribution::new(&weights, random.below(2) as u32 * 12);
        let mut decoder = Decoder::new(&bytes);
        for step in 0..200 {
            let result = if step % 7 == 6 {
                decoder.decode_byte().map(usize::from)
            } else {
                decoder.decode(&distribution)
            };
            match result {
                Ok(symbol) => prop_assert!(symbol <= weights.len().max(255)),
                Err(error) => prop_assert_eq!(error, CoderError::InvalidData),
            }
        }
    }
}

#[test]
fn carries_run_through_held_words() {
    let carries: usize = (0..300).map(|seed| check(&intervals(seed, 60, 95))).sum();
    assert!(
        carries > 100,
        "only {carries} carries: the generator misses its aim"
    );
}

#[test]
fn the_widest_and_the_narrowest() {
    for interval in [
        Interval {
            start: 0,
            width: u32::MAX,
        },
        Interval {
            start: 1,
            width: u32::MAX,
        },
        Interval { start: 0, width: 1 },
        Interval {
            start: u32::MAX,
            width: 1,
        },
        Interval {
            start: 0x7fff_ffff,
            width: 1,
        },
    ] {
        for count in [1, 2, 3, 4, 5, 100] {
            check(&vec![interval; count]);
        }
    }
    assert!(encode(&[]).is_empty());
    // The lowest share of all costs nothing: zeros follow the end.
    assert!(encode(&[Interval { start: 0, width: 1 }; 50]).is_empty());
}

#[test]
fn impossible_intervals_are_refused_and_leave_no_trace() {
    let good = [
        Interval {
            start: 17,
            width: 5,
        },
        Interval {
            start: u32::MAX,
            width: 1,
        },
    ];
    let mut encoder = Encoder::new();
    for interval in good {
        for (start, width) in [(0, 0), (5, 0), (u32::MAX, 0), (u32::MAX, 2), (2, u32::MAX)] {
            let error = encoder.encode(Interval { start, width }).unwrap_err();
            assert_eq!(error, CoderError::InvalidInterval { start, width });
        }
        encoder.encode(interval).unwrap();
    }
    assert_eq!(encoder.finish(), encode(&good));
}

#[test]
fn damage_is_reported_where_no_encoder_could_have_been() {
    // 2^128 - 1 lies beyond 2^32 times the first scale: no interval holds it.
    let weights = [1 << 30];
    let distribution = Distribution::new(&weights, 0);
    assert_eq!(
        Decoder::new(&[0xff; 16]).decode(&distribution),
        Err(CoderError::InvalidData)
    );
    assert_eq!(TextDecoder::new(&[0xff; 16]).quantile(), None);
}
