//! tests/vectors/models.json: whole models. For 200 fixed tokens the BLAKE3 of all logits (positions in
//! order, 32-bit little endian) and a few of them; also the prepared identity, which pins the recipe.
//! tests/vectors/families.json: the same of the parity fixtures. tests/vectors/numerics2.json: of version 2 of the numerics.

use std::borrow::Cow;

use lmz_exact::{Engine, Prepared, prepare};
use lmz_testkit::engine::{family, hash, kernels, logits, prepared, under_numerics};
use lmz_testkit::models::{ODD, WIDE, coarse_rows, in_blocks, large_scores};
use lmz_testkit::read;
use serde_json::Value;

const FILE: &str = "tests/vectors/models.json";
const COUNT: usize = 200;

fn hex(hash: [u8; 32]) -> String {
    blake3::Hash::from_bytes(hash).to_hex().to_string()
}

/// The models of the file, made or read now.
fn model(name: &str) -> Prepared {
    let file = |path: &str| Prepared::from_bytes(Cow::Owned(read(path))).unwrap();
    match name {
        "bootstrap" => file("models/archive/bootstrap/bootstrap.lmzm"),
        "odd" => file("tests/vectors/odd.lmzm"),
        "wide" => prepared(WIDE, 2),
        _ => panic!("what is {name}?"),
    }
}

#[test]
fn whole_models_give_the_committed_logits() {
    let file: Value = serde_json::from_slice(&read(FILE)).unwrap();
    let models = file["models"].as_object().unwrap();
    assert_eq!(models.len(), 3);
    for (name, expected) in models {
        let prepared = model(name);
        assert_eq!(
            hex(prepared.identity()),
            expected["identity"],
            "{name} was prepared differently"
        );
        let tokens: Vec<u32> = expected["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t.as_u64().unwrap() as u32)
            .collect();
        assert_eq!(tokens.len(), COUNT);
        for kernel in kernels() {
            let engine = Engine::new(&prepared, kernel).unwrap();
            let logits = logits(&engine, &tokens);
            for shown in expected["logits"].as_array().unwrap() {
                let [position, symbol, z] = [0, 1, 2].map(|i| shown[i].as_i64().unwrap());
                let ours = logits[position as usize][symbol as usize];
                assert_eq!(
                    i64::from(ours),
                    z,
                    "{name}, {kernel:?}: position {position}, symbol {symbol}"
                );
            }
            assert_eq!(
                hash(&logits),
                expected["logits_blake3"],
                "{name}, {kernel:?}"
            );
        }
    }
}

/// The recipe: the checkpoint that the test writes becomes the committed file, byte for byte.
#[test]
fn preparing_gives_the_committed_file() {
    let committed = read("tests/vectors/odd.lmzm");
    assert!(
        prepared(ODD, 1).as_bytes() == committed,
        "recipe 1 gives another file"
    );
}

/// One of each kind of thing that a family does: tests/vectors/families/NAME.lmzm.
const FAMILIES: [&str; 10] = [
    "falcon",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_neox",
    "mistral",
    "olmo2",
    "phi",
    "qwen2",
    "qwen3",
];

/// Recipe and logits of other families than Llama; the independent decoder has the same numbers.
#[test]
fn families_give_the_committed_logits() {
    let file: Value = serde_json::from_slice(&read("tests/vectors/families.json")).unwrap();
    let families = file["families"].as_object().unwrap();
    assert!(families.keys().eq(FAMILIES));
    for (name, expected) in families {
        let committed = read(&format!("tests/vectors/families/{name}.lmzm"));
        let prepared = prepare(&family(name), name).unwrap();
        assert!(
            prepared.as_bytes() == committed,
            "recipe 1 gives another {name}"
        );
        assert_eq!(hex(prepared.identity()), expected["identity"]);
        let tokens: Vec<u32> = serde_json::from_value(expected["tokens"].clone()).unwrap();
        for kernel in kernels() {
            let engine = Engine::new(&prepared, kernel).unwrap();
            let found = hash(&logits(&engine, &tokens));
            assert_eq!(found, expected["logits_blake3"], "{name}, {kernel:?}");
        }
    }
}

/// Recipes 2 and 3 and version 2 of the numerics: a model with large scores, several forms of attention made wide, fine rows, and
/// blocks.
#[test]
fn version_2_gives_the_committed_logits() {
    let file: Value = serde_json::from_slice(&read("tests/vectors/numerics2.json")).unwrap();
    let models = file["models"].as_object().unwrap();
    assert_eq!(models.len(), 12);
    for (name, expected) in models {
        let prepared = match name.as_str() {
            "large" => {
                let prepared = prepare(&large_scores().open(), "large").unwrap();
                let committed = read("tests/vectors/large.lmzm");
                assert!(
                    prepared.as_bytes() == committed,
                    "recipe 2 gives another file"
                );
                prepared
            }
            "fine" => {
                let prepared = prepare(&coarse_rows().open(), "fine").unwrap();
                let committed = read("tests/vectors/fine.lmzm");
                assert!(
                    prepared.as_bytes() == committed,
                    "recipe 2 gives another file"
                );
                assert!(prepared.fine_weights() > 0);
                prepared
            }
            "blocks" => {
                let prepared = prepare(&in_blocks().open(), "blocks").unwrap();
                let committed = read("tests/vectors/blocks.lmzm");
                assert!(
                    prepared.as_bytes() == committed,
                    "recipe 3 gives another file"
                );
                assert_eq!(prepared.recipe, 3);
                prepared
            }
            name if name.contains('/') => {
                let file = read(&format!("tests/vectors/{name}.lmzm"));
                Prepared::from_bytes(file).unwrap()
            }
            name => under_numerics(&prepare(&family(name), name).unwrap(), 2),
        };
        assert_eq!(prepared.numerics, 2);
        assert_eq!(hex(prepared.identity()), expected["identity"], "{name}");
        let tokens: Vec<u32> = serde_json::from_value(expected["tokens"].clone()).unwrap();
        for kernel in kernels() {
            let engine = Engine::new(&prepared, kernel).unwrap();
            let found = hash(&logits(&engine, &tokens));
            assert_eq!(found, expected["logits_blake3"], "{name}, {kernel:?}");
        }
    }
}
