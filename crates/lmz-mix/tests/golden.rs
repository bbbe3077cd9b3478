//! Coded bytes as they were and have to stay: a change here is a new version of the mixing (docs/mixing.md).

mod common;

use common::{
    Noise, code_text, decode_bytes, decode_text, encode_bytes, fnv, lengths, rounds, vocabulary,
};
use lmz_coder::Encoder;
use lmz_mix::Version;

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
    let found = [Version::V1, Version::V2].map(|version| {
        inputs.clone().map(|(raw, size)| {
            let coded = encode_bytes(&raw, size, version);
            assert!(decode_bytes(&coded, raw.len(), size, version) == raw);
            (coded.len(), fnv(&coded))
        })
    });
    assert_eq!(
        found[0],
        [
            (2545, 221_110_804_892_852_317),
            (515, 5_011_618_510_971_898_499),
            (3004, 17_535_085_878_985_176_636),
            (2, 763_972_597_950_378_319),
            (1143, 1_704_530_770_535_172_355)
        ]
    );
    assert_eq!(
        found[1],
        [
            (2540, 6_844_978_836_814_540_442),
            (493, 1_437_925_729_792_587_332),
            (3006, 15_146_252_234_004_178_290),
            (2, 763_972_597_950_378_319),
            (1037, 7_927_912_427_464_911_566)
        ]
    );
}

/// Records of five bytes.
fn counters(n: u32) -> Vec<u8> {
    (0..n)
        .flat_map(|i| [(i >> 8) as u8, i as u8, 0, (i * i % 7) as u8, 255])
        .collect()
}

/// `tools/decoder/test_mixing.py` reads these, too: bytes, size, version, coded bytes.
#[test]
#[rustfmt::skip]
fn short_inputs_are_coded_as_ever() {
    let rows = [
        (b"a table, a table, a table".to_vec(), 10, 1, "9ee0581cfe60ebcf19c23e"),
        (b"one line\nand one more line; one line\nand one more line, and 12, 13, 14, 15\none line\n".to_vec(), 4, 1, "908b61915b03c8e54581a1977effe8b2cda3249c978735136adde6cd9880738a0d209db266dc"),
        (vec![7; 3000], 12, 1, "f8e2"),
        (counters(400), 11, 1, "ff0faa76d578b2a3cc30cdd07bf50dd61b6556a5c467710c2361323022f8420ccef13bf75d3f50e6e2b1ebe673f8a4dfde88b6ca0c1b8ea2a511447d1c1844dce2febf311eca2f7e81bbcc73e9d691fb224dd9cc51e70752b2bf81971c7b4bf67f1a0b126afe573bc56eab43fbe05a1d764cca1cc6a86cd3d9ccda536b806963cc16f561bd98c48ff20a53b5c4752aeb8f3c0b8c166958fc924fc5b497d666c43534c7dad1c0eed98ecd57e98dd97f6556c435e776d345977a762f6f0dd6b8d5d75615227361908177ea194c033ffc26928b89a6650b690debf28b39c688508051ac52"),
        (b"a table, a table, a table".to_vec(), 10, 2, "9ee0581cf6049ff48161aa"),
        (b"one line\nand one more line; one line\nand one more line, and 12, 13, 14, 15\none line\n".to_vec(), 4, 2, "908b619150069507b998ab315608e14d00dd99e8ea83770343c08f0b6c41491bd1ddafcf"),
        (vec![7; 3000], 12, 2, "f8e2"),
        (counters(400), 11, 2, "ff0faa37b77bb91737a136333a5404d8b659a060cb5ae45c782c6f6402cd6d9c07810882a8cdb32ff51e5203c7a0f0d154d0102fc6b8e321a63f1808ca0f903dbfd2408bc1be172f0eac89fde98fc4baf8ccd187b03bcbf92546838c3d62ee03b839cc737ad94b2bf36985ba4a2130d5207c8cea4f2ebad63556a30545cf8c63865d5a7a69dd14c01c841d64b269ff166d86b84f9c4b22cb3386c33852e4294ca48a127f5941c44eab80cfba7f4ba8d30f831aadd011b83481d1b05bde977893d2603a7d800dddca3671a09278a97f3be21e7b"),
    ];
    let found = rows.clone().map(|(raw, size, version, _)| {
        let coded = encode_bytes(&raw, size, Version::from_number(version).unwrap());
        coded.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    assert_eq!(found, rows.map(|(_, _, _, hex)| hex.to_owned()));
}

/// `tools/decoder/test_mixing.py` reads these, too: whether all bytes are tokens, lanes, block, symbols, seed.
#[test]
#[rustfmt::skip]
fn short_texts_are_coded_as_ever() {
    let rows = [
        (true, 1, 40, 260, 21, "7a5288141185a02a4b79fdd2f33d5487a9c26d7cbc11c2b1225c80f82b3d2b4a0a8fbf2394fbe98ca39a6dacecbc676e140e9579b55faf93186daae12dec77f314b1568e1b51ed55b79667b99e591baf8c7c1b2d42eb7fb62dcfdb62c6fb9ab8eb7cc845e554901e774bcda70ff04026d2a81fd064754e"),
        (false, 3, 17, 260, 22, "b7dadce05d4ac765c95ec6da75d5be8200fad5f58c96a7744ff14ec4aeb0c668bc5f5c312349cd371da3ea67cd32bf1e603e03c6f454a2346ad3bbc4c12253602e2e8fc029e35f7a5e3f772d654df529406a66587b9d9f7b28a7127cd60dfb280f0fbbe0dc048273feec6bc55e122896bbc685b76917ad814842aed5e5e50d57d291c969a700ab12f872ed186250478e798106164e3aad99904183957cf0f8521f1d12afeaf9d56e"),
    ];
    let found = rows.map(|(all_bytes, lanes, block, symbols, seed, _)| {
        let walk = vocabulary(all_bytes);
        let rounds = rounds(&walk, lanes, block, symbols, seed);
        let mut encoder = Encoder::new();
        code_text(&walk, 9, &TAUGHT, &rounds, &mut encoder);
        let coded = encoder.finish();
        assert!(decode_text(&walk, 9, &TAUGHT, &lengths(&rounds), &coded) == rounds);
        coded.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    assert_eq!(found, rows.map(|row| row.5.to_owned()));
}

/// What precedes the texts, by place.
const TAUGHT: [usize; 8] = [3, 1, 4, 1, 5, 9, 2, 6];

#[test]
fn symbols_are_coded_as_ever() {
    let found = [(true, 1), (false, 1), (true, 4), (false, 16)].map(|(all_bytes, lanes)| {
        let walk = vocabulary(all_bytes);
        let rounds = rounds(&walk, lanes, 40, 1500, 11);
        let mut encoder = Encoder::new();
        code_text(&walk, 12, &TAUGHT, &rounds, &mut encoder);
        let coded = encoder.finish();
        assert!(decode_text(&walk, 12, &TAUGHT, &lengths(&rounds), &coded) == rounds);
        (coded.len(), fnv(&coded))
    });
    assert_eq!(
        found,
        [
            (462, 9_379_893_443_103_004_530),
            (625, 11_105_751_046_795_393_657),
            (517, 10_161_267_705_377_221_023),
            (689, 4_249_997_884_425_263_913)
        ]
    );
}
