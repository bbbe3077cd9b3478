//! Distributions: the formula of docs/numerics.md, section 6, its inverse, and whole round trips.

use lmz_coder::{Cost, Decoder, Distribution, Encoder, Interval, WEIGHT_ONE, exp2_weights};
use lmz_testkit::Random;
use proptest::prelude::*;

/// Shapes that real and hostile models have.
fn weights(kind: u8, len: usize, random: &mut Random) -> Vec<u32> {
    let one = u64::from(WEIGHT_ONE) + 1;
    match kind {
        0 => vec![WEIGHT_ONE; len],
        1 => {
            // One dominates: all others vanish, or nearly.
            let rest = random.below(2) as u32;
            let mut weights = vec![rest; len];
            weights[random.below(len as u64) as usize] = WEIGHT_ONE;
            weights
        }
        2 => (0..len)
            .map(|_| random.below(one) as u32)
            .chain([1])
            .skip(1)
            .collect(),
        3 => (0..len)
            .map(|_| (WEIGHT_ONE >> random.below(31)) * random.below(2) as u32)
            .chain([7])
            .skip(1)
            .collect(),
        // The largest numbers that a caller can give.
        4 => vec![u32::MAX; len],
        _ => (0..len).map(|_| 1).collect(),
    }
}

/// F of the text at 0..=V'.
fn boundaries(weights: &[u32], escape_shift: u32) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
    let escape = if escape_shift == 0 {
        0
    } else {
        (sum >> escape_shift) + 1
    };
    let total = sum + escape;
    let symbols = weights.len() as u128 + 1;
    let mut before = 0u128;
    let mut all = Vec::new();
    for (s, weight) in weights
        .iter()
        .map(|&w| u128::from(w))
        .chain([escape, 0])
        .enumerate()
    {
        all.push((before * ((1 << 32) - symbols) / total + s as u128) as u64);
        before += weight;
    }
    all
}

fn check_shares(weights: &[u32], escape_shift: u32, symbols: impl Iterator<Item = usize>) {
    let distribution = Distribution::new(weights, escape_shift);
    let boundaries = boundaries(weights, escape_shift);
    assert_eq!(boundaries[0], 0);
    assert_eq!(boundaries[weights.len() + 1], 1 << 32);
    assert!(
        boundaries.windows(2).all(|pair| pair[0] < pair[1]),
        "F is not strictly increasing"
    );
    for symbol in symbols {
        let share = distribution.interval(symbol);
        assert_eq!(
            u64::from(share.start),
            boundaries[symbol],
            "start of {symbol}"
        );
        assert_eq!(
            u64::from(share.width),
            boundaries[symbol + 1] - boundaries[symbol],
            "width of {symbol}"
        );
        assert_eq!(distribution.find(share.start), (symbol, share));
        assert_eq!(
            distribution.find(share.start + (share.width - 1)),
            (symbol, share)
        );
    }
}

/// A message of symbols and escapes; the escape is symbol V.
fn round_trip(weights: &[u32], escape_shift: u32, message: &[(usize, u8)]) {
    let distribution = Distribution::new(weights, escape_shift);
    let mut encoder = Encoder::new();
    let mut bits = 0.0;
    for &(symbol, byte) in message {
        let share = distribution.interval(symbol);
        bits += share.bits();
        encoder.encode(share).unwrap();
        if symbol == distribution.escape() {
            encoder.encode(Interval::of_byte(byte)).unwrap();
            bits += 8.0;
        }
    }
    let bytes = encoder.finish();
    let most = bits + 8.0 * 4.0 + 1e-3 * message.len() as f64;
    assert!(
        bytes.len() as f64 * 8.0 <= most,
        "{} bytes for {bits} bits",
        bytes.len()
    );
    let mut decoder = Decoder::new(&bytes);
    for &(symbol, byte) in message {
        assert_eq!(decoder.decode(&distribution).unwrap(), symbol);
        if symbol == distribution.escape() {
            assert_eq!(decoder.decode_byte().unwrap(), byte);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_are_those_of_the_text(kind in 0u8..6, len in 1usize..700, seed: u64, escape in 0u32..2) {
        let weights = weights(kind, len, &mut Random(seed));
        check_shares(&weights, escape * 12, 0..=weights.len());
    }

    #[test]
    fn messages_come_back(
        kind in 0u8..6, len in 1usize..400, seed: u64, escape in 0u32..2, count in 0usize..=2000,
    ) {
        let mut random = Random(seed);
        let weights = weights(kind, len, &mut random);
        let message: Vec<(usize, u8)> = (0..count)
            .map(|_| (random.below(weights.len() as u64 + 1) as usize, random.next() as u8))
            .collect();
        round_trip(&weights, escape * 12, &message);
    }

    #[test]
    fn a_point_is_found_in_its_share(kind in 0u8..6, len in 1usize..700, seed: u64, point: u32) {
        let weights = weights(kind, len, &mut Random(seed));
        let distribution = Distribution::new(&weights, 12);
        let (symbol, share) = distribution.find(point);
        prop_assert!(point >= share.start && point - share.start < share.width);
        prop_assert_eq!(share, distribution.interval(symbol));
    }
}

#[test]
fn one_symbol_and_many() {
    for kind in 0..6 {
        let mut random = Random(u64::from(kind));
        check_shares(&weights(kind, 1, &mut random), 0, 0..=1);
        check_shares(&weights(kind, 1, &mut random), 12, 0..=1);
        let many = weights(kind, 65_536, &mut random);
        let sample = (0..400).map(|i| i * 163).chain([65_535, 65_536]);
        check_shares(&many, 12 * u32::from(kind % 2), sample);
        let message: Vec<_> = (0..200)
            .map(|_| (random.below(65_537) as usize, 9))
            .collect();
        round_trip(&many, 12, &message);
    }
}

/// -log2 of the softmax probability in double precision, by log-sum-exp.
fn f64_cost(logits: &[i32], symbol: usize) -> f64 {
    let max = f64::from(*logits.iter().max().unwrap());
    let sum: f64 = logits
        .iter()
        .map(|&z| ((f64::from(z) - max) / 65536.0).exp2())
        .sum();
    sum.log2() + (max - f64::from(logits[symbol])) / 65536.0
}

/// The polynomial of the exponential is good to 1.3e-5, so a single cost to 1.9e-5 bit; what lies
/// 30 bits below the largest is left out of the sum, at most V · 2^-30 of it.
#[test]
fn ideal_costs_agree_with_a_softmax() {
    let mut random = Random(5);
    let (mut fixed, mut double, mut worst) = (0.0, 0.0, 0f64);
    for round in 0..400 {
        let len = 2 + random.below(if round % 20 == 0 { 30_000 } else { 3_000 }) as usize;
        let spread = 1 + random.below(40 << 16);
        let logits: Vec<i32> = (0..len)
            .map(|_| random.below(spread) as i32 - (random.below(spread) / 2) as i32)
            .collect();
        let max = *logits.iter().max().unwrap();
        let mut weights = vec![0; len];
        exp2_weights(&logits, max, &mut weights);
        let distribution = Distribution::new(&weights, 0);
        for _ in 0..8 {
            let symbol = random.below(len as u64) as usize;
            let cost: Cost = distribution.cost(max.wrapping_sub(logits[symbol]) as u32);
            let exact = f64_cost(&logits, symbol);
            worst = worst.max((cost.bits() - exact).abs());
            fixed += cost.bits();
            double += exact;
        }
    }
    let relative = (fixed - double).abs() / double;
    println!("worst cost off by {worst:.2e} bit; the sum by {relative:.2e}");
    assert!(worst < 5e-5, "a cost is off by {worst} bit");
    assert!(relative < 1e-6, "{fixed} against {double} bits");
}

#[test]
fn the_escape_costs_what_it_weighs() {
    let weights = vec![WEIGHT_ONE; 300];
    let costly = Distribution::new(&weights, 0);
    assert_eq!(costly.escape_cost(), Cost::from_bits(32));
    assert_eq!(costly.interval(300).width, 1);
    let cheap = Distribution::new(&weights, 12);
    let sum = 300.0 * f64::from(WEIGHT_ONE);
    let escape = (sum / 4096.0).floor() + 1.0;
    let exact = ((sum + escape) / escape).log2();
    assert!((cheap.escape_cost().bits() - exact).abs() < 1e-6);
    assert!((cheap.interval(300).bits() - exact).abs() < 1e-4);
}
