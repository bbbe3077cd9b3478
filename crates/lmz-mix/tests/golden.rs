//! Coded bytes as they were and have to stay: a change here is a new version of the mixing (docs/mixing.md).

mod common;

use common::{
    Noise, code_text, decode_bytes, decode_text, encode_bytes, fnv, lengths, rounds, vocabulary,
};
use lmz_coder::Encoder;

fn text(n: usize) -> Vec<u8> {
    let words = [
        "one", "two", "Three", "lines;", "12", "0x3f", "{", "}\n", "\u{e4}", "the", "same",
    ];
    let mut noise = Noise(5);
    let mut text = String::new();
    while text.len() < n {
        text += words[noise.next() as usize % words.len()];
        text += if noise.next().is_multiple_of(9) {
            "\n"
        } else {
            " "
        };
    }
    text.into_bytes()
}

fn table(n: u32) -> Vec<u8> {
    (0..n)
        .flat_map(|i| [&i.to_be_bytes()[..], &(i * i % 97).to_le_bytes(), b"row\0"].concat())
        .collect()
}

#[test]
fn bytes_are_coded_as_ever() {
    let inputs = [
        (text(20_000), 15),
        (table(1500), 14),
        (Noise(3).bytes(3000), 12),
        (vec![0; 10_000], 14),
        ([text(3000), table(300), text(3000)].concat(), 9),
    ];
    let found = inputs.map(|(raw, size)| {
        let coded = encode_bytes(&raw, size);
        assert!(decode_bytes(&coded, raw.len(), size) == raw);
        (coded.len(), fnv(&coded))
    });
    assert_eq!(found, [(0, 0); 5]);
}

#[test]
fn a_short_text_is_coded_as_ever() {
    let coded = encode_bytes(b"a table, a table, a table", 10);
    let hex: String = coded.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "");
}

#[test]
fn symbols_are_coded_as_ever() {
    let found = [(true, 1), (false, 1), (true, 4), (false, 16)].map(|(all_bytes, lanes)| {
        let walk = vocabulary(all_bytes);
        let rounds = rounds(&walk, lanes, 40, 1500, 11);
        let mut encoder = Encoder::new();
        let taught = [3, 1, 4, 1, 5, 9, 2, 6];
        code_text(&walk, 12, &taught, &rounds, &mut encoder);
        let coded = encoder.finish();
        assert!(decode_text(&walk, 12, &taught, &lengths(&rounds), &coded) == rounds);
        (coded.len(), fnv(&coded))
    });
    assert_eq!(found, [(0, 0); 4]);
}
