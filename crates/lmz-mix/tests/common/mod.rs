//! What the tests share: sources of numbers, a coder that looks on, a vocabulary and a model that is none.
#![allow(dead_code, reason = "each test uses some of it")]

use lmz_coder::{BitDecoder, Encoder};
use lmz_mix::{Bytes, Coder, Symbol, Text, Version, Views, Walk};

/// Numbers that follow each other without order, the same in every run.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 24) as u8).collect()
    }
}

/// FNV-1a, 64 bits.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Counts what bits cost, and looks whether each share keeps its bounds.
#[derive(Default)]
pub struct Watch {
    pub bits: f64,
    pub decisions: u64,
    pub dearest: f64,
}

impl Coder for Watch {
    fn code(&mut self, one: u32, bit: bool) -> bool {
        assert!((2 << 10..=((1 << 22) - 2) << 10).contains(&one), "{one}");
        let p = f64::from(one) / 4_294_967_296.0;
        let cost = -(if bit { p } else { 1.0 - p }).log2();
        self.bits += cost;
        self.decisions += 1;
        self.dearest = self.dearest.max(cost);
        bit
    }
}

pub fn encode_bytes(raw: &[u8], size: u32, version: Version) -> Vec<u8> {
    let (mut model, mut encoder) = (Bytes::new(size, version), Encoder::new());
    for &byte in raw {
        model.code(&mut encoder, byte);
    }
    assert_eq!(model.history(), raw);
    encoder.finish()
}

pub fn decode_bytes(coded: &[u8], len: usize, size: u32, version: Version) -> Vec<u8> {
    let (mut model, mut decoder) = (Bytes::new(size, version), BitDecoder::new(coded));
    for _ in 0..len {
        model.code(&mut decoder, 0);
    }
    model.into_history()
}

/// What stands for a language model: weights that follow from the symbol before, the right one's neighbours among
/// the likely ones.
pub fn weights(seed: u32, before: Option<Symbol>, tokens: usize) -> Vec<u32> {
    let before = match before {
        None => 0,
        Some(Symbol::Token(place)) => place as u64 + 1,
        Some(Symbol::Escape(byte)) => 1 << 32 | u64::from(byte),
    };
    let mut noise = Noise(u64::from(seed) << 40 ^ before);
    noise.next();
    (0..tokens)
        .map(|_| match noise.next() % 8 {
            0 => 0,
            1 => u32::MAX,
            2..=4 => noise.next() >> 8,
            _ => noise.next() >> 24,
        })
        .collect()
}

/// Symbols by round, lane and time.
pub type Rounds = Vec<Vec<Vec<Symbol>>>;

/// Calls `work` with round, lane and time of each symbol, in the order in which they are coded.
fn in_order(rounds: &[Vec<usize>], mut work: impl FnMut(usize, usize, usize, bool)) {
    for (number, round) in rounds.iter().enumerate() {
        let longest = round.iter().copied().max().unwrap_or(0);
        let mut first = true;
        for at in 0..longest {
            for (lane, &len) in round.iter().enumerate() {
                if at < len {
                    work(number, lane, at, first);
                    first = false;
                }
            }
        }
    }
}

pub fn lengths(rounds: &Rounds) -> Vec<Vec<usize>> {
    let of = |round: &Vec<Vec<Symbol>>| round.iter().map(Vec::len).collect();
    rounds.iter().map(of).collect()
}

/// Codes through the reduced views, as an encoder does.
pub fn code_text<C: Coder>(
    walk: &Walk,
    size: u32,
    taught: &[usize],
    rounds: &Rounds,
    coder: &mut C,
) {
    let mut text = Text::new(walk, size);
    let mut buffer = Vec::new();
    in_order(&lengths(rounds), |number, lane, at, first| {
        if first {
            text.begin_round(rounds[number].len());
            if number == 0 {
                taught.iter().for_each(|&place| text.teach(0, place));
            }
        }
        let symbols = &rounds[number][lane];
        let before = (at > 0).then(|| symbols[at - 1]);
        let weights = weights(lane as u32, before, walk.len());
        let mut sums = walk.sums(&weights, &mut buffer);
        let place = match symbols[at] {
            Symbol::Token(place) => Some(place),
            Symbol::Escape(_) => None,
        };
        let mut views = Vec::new();
        let likely = walk.reduce(&mut sums, place, &mut views);
        let mut views = Views::new(&views, likely);
        let symbol = text.code(lane, &mut views, coder, symbols[at]);
        assert_eq!((symbol, views.left()), (symbols[at], 0));
    });
}

/// Decodes with whole distributions, as a decoder does.
pub fn decode_text(
    walk: &Walk,
    size: u32,
    taught: &[usize],
    lengths: &[Vec<usize>],
    coded: &[u8],
) -> Rounds {
    let mut text = Text::new(walk, size);
    let mut decoder = BitDecoder::new(coded);
    let mut buffer = Vec::new();
    let mut rounds: Rounds = lengths
        .iter()
        .map(|round| vec![Vec::new(); round.len()])
        .collect();
    in_order(lengths, |number, lane, at, first| {
        if first {
            text.begin_round(lengths[number].len());
            if number == 0 {
                taught.iter().for_each(|&place| text.teach(0, place));
            }
        }
        let symbols = &mut rounds[number][lane];
        let before = (at > 0).then(|| symbols[at - 1]);
        let weights = weights(lane as u32, before, walk.len());
        let mut sums = walk.sums(&weights, &mut buffer);
        symbols.push(text.code(lane, &mut sums, &mut decoder, Symbol::Token(0)));
    });
    rounds
}

/// A vocabulary: all bytes or some, words, one a part of another, and two that are spelled the same.
pub fn vocabulary(all_bytes: bool) -> Walk {
    let mut tokens: Vec<Vec<u8>> = match all_bytes {
        true => (0..=255u8).map(|byte| vec![byte]).collect(),
        false => (b'a'..=b'z').map(|byte| vec![byte]).collect(),
    };
    let words = "the then there them a an and answer in into inner is it its itself of off often on one once";
    tokens.extend(
        words
            .split(' ')
            .filter(|word| word.len() > 1)
            .map(|word| word.as_bytes().to_vec()),
    );
    tokens.push("\u{e4}\u{f6}\u{fc}".into());
    tokens.push(b"and".to_vec());
    tokens.push(b"and".to_vec());
    tokens.push(vec![b'='; 80]);
    let escape_shift = if all_bytes { 0 } else { 16 };
    Walk::new(tokens.iter().map(|token| &token[..]), escape_shift)
}

/// Texts in rounds of up to `lanes` lanes with blocks of `block` symbols: noise at first, then with repetition.
pub fn rounds(walk: &Walk, lanes: usize, block: usize, symbols: usize, seed: u64) -> Rounds {
    let mut noise = Noise(seed);
    let mut all: Vec<Symbol> = Vec::new();
    while all.len() < symbols {
        let random = noise.next();
        if all.len() > 40 && random.is_multiple_of(3) {
            let from = noise.next() as usize % (all.len() - 30);
            all.extend_from_within(from..from + 30);
        } else if walk.has_escape() && random % 16 == 1 {
            all.push(Symbol::Escape((noise.next() >> 24) as u8));
        } else {
            all.push(Symbol::Token(noise.next() as usize % walk.len()));
        }
    }
    all.truncate(symbols);
    let blocks: Vec<Vec<Symbol>> = all.chunks(block).map(<[Symbol]>::to_vec).collect();
    blocks.chunks(lanes).map(<[Vec<Symbol>]>::to_vec).collect()
}
