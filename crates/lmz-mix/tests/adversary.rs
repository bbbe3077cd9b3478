//! Inputs made to hurt: floods of hashes, certainty that is disappointed, texts that end inside what was expected.

mod common;

use common::{
    Noise, Watch, code_text, decode_bytes, decode_text, encode_bytes, lengths, vocabulary,
};
use lmz_coder::Encoder;
use lmz_mix::{Bytes, Symbol, Text, Version, Views, Walk};
use proptest::prelude::*;

/// As in docs/mixing.md, section 1.
fn hash(a: u32, b: u32) -> u32 {
    let mut h = a.wrapping_mul(0x9E37_79B1) ^ b.wrapping_add(0x7F4A_7C15).wrapping_mul(0x85EB_CA6B);
    h ^= h >> 15;
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 13)
}

fn cost_of_bytes(raw: &[u8], size: u32) -> Watch {
    let (mut model, mut watch) = (Bytes::new(size, Version::NEWEST), Watch::default());
    for &byte in raw {
        model.code(&mut watch, byte);
    }
    watch
}

#[test]
fn a_flood_of_one_slot_costs_little() {
    // Four bytes each, of which the context of order 4 falls into slot 0 of 256, with as many checks as there are.
    let mut noise = Noise(31);
    let mut raw = Vec::new();
    while raw.len() < 12_000 {
        let group = noise.next();
        if hash(group, 3) & 0xff == 0 {
            raw.extend(group.to_be_bytes());
        }
    }
    let coded = encode_bytes(&raw, 0, Version::NEWEST);
    assert!(decode_bytes(&coded, raw.len(), 0, Version::NEWEST) == raw);
    let watch = cost_of_bytes(&raw, 0);
    assert!(watch.bits < 8.2 * raw.len() as f64, "{}", watch.bits);
    assert!(watch.dearest <= 21.0);
    // What follows is learnt none the less.
    let again = [&raw[..], &b"as ever, ".repeat(300)].concat();
    let more = cost_of_bytes(&again, 0).bits - watch.bits;
    assert!(more < 1500.0, "{more}");
}

#[test]
fn certainty_that_is_disappointed_costs_what_it_may() {
    let walk = vocabulary(true);
    let (certain, other) = (walk.place(0), walk.place(255));
    let mut text = Text::new(&walk, 8);
    text.begin_round(1);
    let mut watch = Watch::default();
    for at in 0..6000 {
        let place = if at % 1500 == 1499 { other } else { certain };
        // The model is as sure as it can be that a 0 comes, always.
        let views = vec![-3071; 64];
        let mut views = Views::new(&views, certain as u32);
        let before = watch.bits;
        text.code(0, &mut views, &mut watch, Symbol::Token(place));
        // 9 decisions at most for one of 256 bytes, or its end.
        assert!(watch.bits - before <= 9.0 * 21.0);
    }
    assert!(
        watch.dearest <= 21.0 && watch.dearest > 8.0,
        "{}",
        watch.dearest
    );
}

#[test]
fn a_text_may_end_inside_what_was_expected() {
    let walk = vocabulary(true);
    let place = |bytes: &[u8]| {
        (0..walk.len())
            .find(|&p| walk.bytes(p) == bytes)
            .expect("a token")
    };
    let (there, the, t, h) = (place(b"there"), place(b"the"), place(b"t"), place(b"h"));
    let long = place(&[b'='; 80]);
    for end in [
        vec![the],
        vec![t],
        vec![t, h],
        vec![place(b"=")],
        vec![there, the],
    ] {
        for lanes in [1, 3] {
            let mut places = [there, long, there, there].repeat(30);
            places.extend(&end);
            let symbols: Vec<Symbol> = places.into_iter().map(Symbol::Token).collect();
            let blocks: Vec<Vec<Symbol>> = symbols.chunks(37).map(<[Symbol]>::to_vec).collect();
            let rounds: common::Rounds =
                blocks.chunks(lanes).map(<[Vec<Symbol>]>::to_vec).collect();
            let mut encoder = Encoder::new();
            code_text(&walk, 10, &[], &rounds, &mut encoder);
            let coded = encoder.finish();
            assert!(decode_text(&walk, 10, &[], &lengths(&rounds), &coded) == rounds);
        }
    }
}

#[test]
fn tokens_beyond_what_a_match_looks_at_come_back() {
    let tokens: Vec<Vec<u8>> = (1..=40).map(|n| vec![b'a'; n]).collect();
    let walk = Walk::new(tokens.iter().map(|token| &token[..]), 12);
    let mut noise = Noise(8);
    let symbols: Vec<Symbol> = (0..600)
        .map(|_| match noise.next() % 50 {
            0 => Symbol::Escape(b'a'),
            n => Symbol::Token(n as usize % 40),
        })
        .collect();
    let rounds: common::Rounds = symbols
        .chunks(64)
        .map(|block| vec![block.to_vec()])
        .collect();
    let mut encoder = Encoder::new();
    code_text(&walk, 8, &[], &rounds, &mut encoder);
    let coded = encoder.finish();
    assert!(decode_text(&walk, 8, &[], &lengths(&rounds), &coded) == rounds);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// `Watch` holds every share to its bounds.
    #[test]
    fn no_history_makes_a_bit_too_dear(
        runs in prop::collection::vec((prop::sample::select(vec![0u8, 1, 127, 128, 254, 255]), 1usize..400), 1..20),
        size in 0u32..12
    ) {
        let raw: Vec<u8> = runs.iter().flat_map(|&(byte, n)| vec![byte; n]).collect();
        let watch = cost_of_bytes(&raw, size);
        prop_assert_eq!(watch.decisions, 8 * raw.len() as u64);
        prop_assert!(watch.dearest <= 21.0);
    }

    #[test]
    fn no_view_makes_a_bit_too_dear(
        steps in prop::collection::vec((0usize..5, prop::sample::select(vec![-3071i16, -1, 0, 1, 3071]), any::<u32>()), 1..300)
    ) {
        let walk = vocabulary(false);
        let mut text = Text::new(&walk, 6);
        text.begin_round(5);
        let mut watch = Watch::default();
        for (lane, view, likely) in steps {
            let views = vec![view; 200];
            let mut views = Views::new(&views, likely % walk.len() as u32);
            let symbol = match likely % 7 {
                0 => Symbol::Escape(likely as u8),
                _ => Symbol::Token(likely as usize / 7 % walk.len()),
            };
            prop_assert_eq!(text.code(lane, &mut views, &mut watch, symbol), symbol);
        }
        prop_assert!(watch.dearest <= 21.0);
    }
}
