//! Tokens of several lanes: a decoder with whole distributions finds what an encoder with reduced views has coded.

mod common;

use common::{Watch, code_text, decode_text, lengths, rounds, vocabulary};
use lmz_coder::Encoder;
use lmz_mix::{Kind, Opinion, Symbol, Text, Walk};
use proptest::prelude::*;

fn round_trip(walk: &Walk, taught: &[usize], rounds: &common::Rounds) {
    let mut encoder = Encoder::new();
    code_text(walk, 12, taught, rounds, &mut encoder);
    let coded = encoder.finish();
    assert!(&decode_text(walk, 12, taught, &lengths(rounds), &coded) == rounds);
}

#[test]
fn symbols_of_lanes_come_back() {
    for all_bytes in [true, false] {
        let walk = vocabulary(all_bytes);
        assert_eq!(walk.has_escape(), !all_bytes);
        for (lanes, block) in [(1, 100), (2, 70), (5, 33), (16, 8)] {
            round_trip(&walk, &[], &rounds(&walk, lanes, block, 500, lanes as u64));
        }
    }
}

#[test]
fn what_is_taught_is_known_to_both() {
    let walk = vocabulary(true);
    let taught: Vec<usize> = (0..200).map(|i| i * 7 % walk.len()).collect();
    let symbols: Vec<Symbol> = taught.iter().map(|&place| Symbol::Token(place)).collect();
    let same = vec![vec![symbols]];
    round_trip(&walk, &taught, &same);
    let cost = |taught: &[usize]| {
        let mut watch = Watch::default();
        code_text(&walk, 12, taught, &same, &mut watch);
        watch.bits
    };
    assert!(
        cost(&taught) < 0.5 * cost(&[]),
        "{} {}",
        cost(&taught),
        cost(&[])
    );
}

#[test]
fn a_vocabulary_of_one_token_takes_no_bits() {
    let walk = Walk::new([&b"x"[..]], 0);
    let mut watch = Watch::default();
    code_text(
        &walk,
        8,
        &[],
        &vec![vec![vec![Symbol::Token(0); 50]]],
        &mut watch,
    );
    assert_eq!(watch.decisions, 0);
}

#[test]
fn shares_keep_their_bounds() {
    for all_bytes in [true, false] {
        let walk = vocabulary(all_bytes);
        let mut watch = Watch::default();
        code_text(&walk, 10, &[], &rounds(&walk, 3, 50, 900, 9), &mut watch);
        assert!(watch.dearest <= 21.0 && watch.decisions > 2000);
    }
}

#[test]
fn a_walk_parts_the_tokens() {
    for all_bytes in [true, false] {
        let walk = vocabulary(all_bytes);
        // Every token has a path of its own, and the parts of each range are not empty.
        assert_eq!(walk.nodes().len(), walk.len() - 1);
        for place in 0..walk.len() {
            assert_eq!(walk.place(walk.token(place)), place);
            let (mut low, mut high, mut at) = (0, walk.len(), 0);
            while high - low > 1 {
                let node = walk.nodes()[at];
                let middle = node.middle as usize;
                assert!(low < middle && middle < high);
                let byte = usize::from(node.byte);
                let known = &walk.bytes(low)[..byte];
                assert!((low..high).all(|p| walk.bytes(p).starts_with(known)));
                for p in low..high {
                    let bytes = walk.bytes(p);
                    match node.kind {
                        Kind::Bit(bit) => {
                            assert_eq!(bytes[byte] >> (7 - bit) & 1 == 1, p >= middle)
                        }
                        Kind::End => assert_eq!(bytes.len() > byte, p >= middle),
                        Kind::Twin => assert_eq!(bytes, walk.bytes(low)),
                    }
                }
                let bit = place >= middle;
                (low, high) = if bit { (middle, high) } else { (low, middle) };
                at = node.next[usize::from(bit)] as usize;
            }
            assert_eq!(low, place);
        }
    }
}

#[test]
fn views_are_those_of_the_sums() {
    let walk = vocabulary(false);
    let weights: Vec<u32> = (0..walk.len() as u32).map(|i| i * i * 7919).collect();
    let mut buffer = Vec::new();
    let mut sums = walk.sums(&weights, &mut buffer);
    assert_eq!(walk.token(sums.likely() as usize), walk.len() - 1);
    // One in 2^16 for the escape: 11.09 nat.
    assert_eq!(sums.escape(), -2839);
    let middle = walk.nodes()[0].middle as usize;
    let (zeros, ones): (Vec<usize>, Vec<usize>) =
        (0..walk.len()).partition(|&place| place < middle);
    let sum = |places: &[usize]| -> f64 {
        places
            .iter()
            .map(|&place| f64::from(weights[walk.token(place)]) + 1.0)
            .sum()
    };
    let exact = (sum(&ones) / sum(&zeros)).ln() * 256.0;
    let view = sums.stretch(0, middle, walk.len());
    assert!((f64::from(view) - exact).abs() < 1.0, "{view} {exact}");
}

#[test]
fn memory_is_what_is_said() {
    assert!(Text::memory(0) < 16 << 20);
    assert!(Text::memory(40) < 160 << 20);
    assert_eq!(Text::memory(20), Text::memory(40));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_symbols_come_back(
        all_bytes: bool, lanes in 1usize..6, block in 1usize..30, symbols in 0usize..200, seed: u64
    ) {
        let walk = vocabulary(all_bytes);
        round_trip(&walk, &[], &rounds(&walk, lanes, block, symbols, seed));
    }

    #[test]
    fn damage_gives_other_symbols_and_no_panic(
        all_bytes: bool, coded in prop::collection::vec(any::<u8>(), 0..60), lanes in 1usize..4
    ) {
        let walk = vocabulary(all_bytes);
        let lengths = vec![vec![40; lanes]; 3];
        let found = decode_text(&walk, 8, &[], &lengths, &coded);
        prop_assert_eq!(common::lengths(&found), lengths);
    }
}
