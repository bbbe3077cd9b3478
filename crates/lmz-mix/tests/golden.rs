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
    assert_eq!(
        found,
        [
            (2545, 11_138_343_707_295_158_413),
            (515, 14_714_755_922_007_125_419),
            (3004, 17_535_085_878_985_176_636),
            (2, 763_972_597_950_378_319),
            (1144, 244_001_858_789_531_293)
        ]
    );
}

/// Records of five bytes.
fn counters(n: u32) -> Vec<u8> {
    (0..n)
        .flat_map(|i| [(i >> 8) as u8, i as u8, 0, (i * i % 7) as u8, 255])
        .collect()
}

/// `tools/decoder/test_mixing.py` reads these, too.
#[test]
#[rustfmt::skip]
fn short_inputs_are_coded_as_ever() {
    let rows = [
        (b"a table, a table, a table".to_vec(), 10, "9ee0581cfe60ebcf19c23e"),
        (b"one line\nand one more line; one line\nand one more line, and 12, 13, 14, 15\none line\n".to_vec(), 4, "908b61915b03c8e54581a1977effe8b2cda3249c7f7572cc6bd1ad5e31dae325496cacee28"),
        (vec![7; 3000], 12, "f8e2"),
        (counters(400), 11, "ff0faa3e4a6132bdca2ed110b9c6bf6870dbca806f6ee59be5c659f987309788eb0a029fda38ef6263864a5a02b64fd4a1c0f7d323d86e42484c45f0d217ce23a3b79cabed53a458be0b6ebf0ca9d8e31257d8957a3114bfc4c92d3437f0bb24f8dc809ade61f482eb50beddcbb285e9f206544184406fd0ca80047498a3122da8e3e786496f80d02e86fbaea795b5f4019d110499f8e5b0cdce007f75a174bccb14b74589d07ebb63610e375e05326cbf74b76fdc9766e06bead942b4cac399f4d7a647ab851c3705fdda622a55985502ccc9f9a3f2d6b9496cf52369b36cda292aac"),
    ];
    let found = rows.clone().map(|(raw, size, _)| {
        let coded = encode_bytes(&raw, size);
        coded.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    assert_eq!(found, rows.map(|(_, _, hex)| hex.to_owned()));
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
    assert_eq!(
        found,
        [
            (483, 15_284_725_307_009_096_196),
            (636, 2_118_974_713_739_167_641),
            (535, 11_037_443_065_446_045_902),
            (698, 14_383_227_991_065_758_576)
        ]
    );
}
