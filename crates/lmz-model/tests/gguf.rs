//! GGUF files made by the `gguf` package (tools/parity/make_gguf.py) against the directories and
//! tokenizers that they were made from.

use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use lmz_model::{
    Activation, Blueprint, Checkpoint, ExactTokenizer, LayerPart, Network, Norm, Part, Symbol,
    Weights,
};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn families() -> Vec<String> {
    let entries = fs::read_dir(fixtures().join("gguf/families")).unwrap();
    let names = entries.map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = names
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 21);
    names
}

fn pair(name: &str) -> (Network, Network) {
    let file = fixtures().join(format!("gguf/families/{name}.gguf"));
    let directory = fixtures().join("families").join(name);
    (
        Network::open(file).unwrap(),
        Network::open(directory).unwrap(),
    )
}

/// What a GGUF file has no key for, and so has the family's published value.
fn without_what_is_lost(name: &str, mut blueprint: Blueprint) -> Blueprint {
    match name {
        // Always erf.
        "gpt_neox_sequential" => blueprint.activation = Activation::Gelu,
        // The converter writes 2048 for every Falcon.
        "falcon" | "falcon40b" | "falcon11b" => blueprint.max_positions = 2048,
        _ => {}
    }
    blueprint
}

#[test]
fn blueprints_are_those_of_the_directories() {
    for name in families() {
        let (file, directory) = pair(&name);
        let wanted = without_what_is_lost(&name, directory.blueprint.clone());
        assert_eq!(
            file.blueprint.canonical_json(),
            wanted.canonical_json(),
            "{name}"
        );
        assert!(file.ignored_fields.is_empty(), "{:?}", file.ignored_fields);
        assert!(
            file.ignored_tensors.is_empty(),
            "{name}: {:?}",
            file.ignored_tensors
        );
        assert_eq!(file.name, format!("Tiny {name}"));
        assert!(file.tensors().is_none() && file.notices().is_empty());
    }
}

#[test]
fn weights_are_those_of_the_directories() {
    for name in families() {
        let (file, directory) = pair(&name);
        let plus_one = matches!(file.blueprint.norm, Norm::RmsNormPlusOne { .. });
        for part in directory.blueprint.parts() {
            let wanted = directory.load(part).unwrap();
            let found = file.load(part).unwrap();
            assert_eq!(found.len(), wanted.len(), "{name} {part:?}");
            // As the converter has it.
            let kept = matches!(
                part,
                Part::PositionEmbedding | Part::Layer(_, LayerPart::Router)
            );
            let half = directory.blueprint.part_shape(part).len() > 1 && !kept;
            for (&found, &wanted) in found.iter().zip(&wanted) {
                if half {
                    assert_eq!(found, f16::from_f32(wanted).to_f32(), "{name} {part:?}");
                } else if plus_one {
                    // One was added, with rounding, and is taken off.
                    assert!((found - wanted).abs() < 1e-6, "{name} {part:?}");
                } else {
                    assert_eq!(found, wanted, "{name} {part:?}");
                }
            }
        }
        assert!(file.load(Part::Layer(99, LayerPart::Query)).is_err());
    }
}

fn tokens_of(json: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(json.clone()).unwrap()
}

#[test]
fn tokens_are_those_of_the_libraries() {
    let expected = fs::read(fixtures().join("gguf/tokens.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    for kind in ["bytes", "pieces"] {
        let path = fixtures().join(format!("gguf/{kind}.gguf"));
        let checkpoint = Checkpoint::open(&path).unwrap();
        let tokenizer =
            ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary).unwrap();
        for (text, wanted) in texts.iter().zip(tokens_of(&expected[kind])) {
            let found = tokenizer.encode(text.as_bytes());
            let wanted: Vec<Symbol> = wanted.into_iter().map(Symbol::Token).collect();
            assert_eq!(found, wanted, "{kind}: {text:?}");
        }
    }
}

/// The published tokenizer's own way, special tokens and all, from the same `tokenizer.json`.
#[test]
fn the_library_reads_what_is_made() {
    for (kind, first) in [("bytes", None), ("pieces", Some(1))] {
        let checkpoint = Checkpoint::open(fixtures().join(format!("gguf/{kind}.gguf"))).unwrap();
        let library = tokenizers::Tokenizer::from_bytes(&checkpoint.tokenizer_json).unwrap();
        let encoding = library.encode("under  the License", true).unwrap();
        let ids = encoding.get_ids();
        assert_eq!(ids.first() == Some(&1), first.is_some(), "{kind}: {ids:?}");
        assert_eq!(
            library.decode(ids, true).unwrap(),
            "under  the License",
            "{kind}"
        );
    }
}

#[test]
fn what_a_file_says_of_itself() {
    let path = fixtures().join("gguf/bytes.gguf");
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.name, "bytes fixture");
    assert!(checkpoint.chat_template && checkpoint.notices().is_empty());
    assert!(checkpoint.blueprint.tied_head);
    assert!(checkpoint.vocabulary.is_complete());
    // Special, padding.
    let end = checkpoint.blueprint.start_token;
    assert_eq!(checkpoint.vocabulary.get(end), None);
    assert_eq!(checkpoint.vocabulary.get(end + 2), None);
    let json: Value = serde_json::from_slice(&checkpoint.tokenizer_json).unwrap();
    assert_eq!(json["added_tokens"][0]["special"], true);
    assert_eq!(json["post_processor"], Value::Null);
    assert!(lmz_model::is_gguf(&path));
    assert!(!lmz_model::is_gguf(&fixtures()));
    assert!(!lmz_model::is_gguf(&fixtures().join("gguf/tokens.json")));
}

#[test]
fn the_hash_is_of_the_model_alone() {
    let bytes = fs::read(fixtures().join("gguf/bytes.gguf")).unwrap();
    let hash = |bytes: Vec<u8>| {
        let checkpoint = Checkpoint::from_gguf("memory", bytes).unwrap();
        (
            checkpoint.content_hash().unwrap(),
            checkpoint.weights_hash().unwrap(),
        )
    };
    let original = hash(bytes.clone());
    let opened = Checkpoint::open(fixtures().join("gguf/bytes.gguf")).unwrap();
    assert_eq!(opened.content_hash().unwrap(), original.0);
    // Another name, same length.
    let at = bytes.windows(5).position(|w| w == b"bytes").unwrap();
    let mut renamed = bytes.clone();
    renamed[at] = b'B';
    assert_eq!(hash(renamed), original);
    let mut other = bytes.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    let other = hash(other);
    assert_ne!(other.0, original.0);
    assert_ne!(other.1, original.1);
}
