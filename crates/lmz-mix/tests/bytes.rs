//! Bytes by contexts alone: what is coded comes back, whatever it is, and costs no more than it may.

mod common;

use common::{Noise, Watch, decode_bytes, encode_bytes};
use lmz_mix::{Bytes, Version};
use proptest::prelude::*;

fn round_trip(raw: &[u8], size: u32) -> usize {
    let sizes = [Version::V1, Version::V2].map(|version| {
        let coded = encode_bytes(raw, size, version);
        assert!(
            decode_bytes(&coded, raw.len(), size, version) == raw,
            "{version:?}"
        );
        coded.len()
    });
    sizes[1]
}

fn cost(raw: &[u8]) -> Watch {
    let (mut model, mut watch) = (Bytes::new(14, Version::NEWEST), Watch::default());
    for &byte in raw {
        model.code(&mut watch, byte);
    }
    watch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_bytes_come_back(raw in prop::collection::vec(any::<u8>(), 0..400), size in 0u32..16) {
        round_trip(&raw, size);
    }

    #[test]
    fn few_values_come_back(raw in prop::collection::vec(prop::sample::select(vec![0u8, 1, 10, 255]), 0..1500)) {
        round_trip(&raw, 10);
    }

    #[test]
    fn damage_gives_other_bytes_and_no_panic(coded in prop::collection::vec(any::<u8>(), 0..60), len in 0usize..600) {
        prop_assert_eq!(decode_bytes(&coded, len, 8, Version::NEWEST).len(), len);
    }
}

#[test]
fn what_is_made_to_confuse_comes_back() {
    let mut noise = Noise(1);
    let piece = noise.bytes(700);
    // Repeats that break off at every length; records of changing length; counters; runs.
    let broken: Vec<u8> = (1..120usize)
        .flat_map(|n| [&piece[..n], &[n as u8]].concat())
        .collect();
    let records: Vec<u8> = (1..60u8).flat_map(|n| vec![n; usize::from(n)]).collect();
    let counters: Vec<u8> = (0..2000u32).flat_map(|n| (n * 3).to_le_bytes()).collect();
    let far = [&piece[..], &[0; 9000], &piece, &[0xff; 300], &piece].concat();
    let lines = b"\n\n\n,,,\n;;;\n".repeat(300);
    for raw in [broken, records, counters, far, lines] {
        let len = round_trip(&raw, 12);
        assert!(len < raw.len(), "{len} of {}", raw.len());
        // Tables that are much too small lose bytes, not the way.
        round_trip(&raw, 0);
    }
}

#[test]
fn noise_costs_little_more_than_itself() {
    let raw = Noise(2).bytes(40_000);
    let watch = cost(&raw);
    assert_eq!(watch.decisions, 8 * 40_000);
    assert!(watch.bits < 8.1 * 40_000.0, "{}", watch.bits);
    assert!(watch.dearest <= 21.0);
}

#[test]
fn runs_cost_next_to_nothing() {
    let watch = cost(&[7; 40_000]);
    assert!(watch.bits < 2000.0, "{}", watch.bits);
    // A surprise after certainty costs what the bounds of a share allow.
    let mut raw = vec![0; 20_000];
    raw.push(255);
    assert!(cost(&raw).dearest <= 21.0);
}

#[test]
fn memory_is_what_is_said() {
    assert!(Bytes::memory(0) < 16 << 20);
    assert!(Bytes::memory(20) < 64 << 20);
    assert_eq!(Bytes::memory(22), Bytes::memory(40));
    assert!(Bytes::memory(40) < 160 << 20);
}
