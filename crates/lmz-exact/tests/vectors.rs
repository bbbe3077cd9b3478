//! tests/vectors/models.json: whole models. For 200 fixed tokens the BLAKE3 of all logits (positions in
//! order, 32-bit little endian) and a few of them; also the prepared identity, which pins the recipe.
//! tests/vectors/families.json: the same of the parity fixtures.

mod common;

use std::borrow::Cow;

use common::{ODD, WIDE, family, kernels, logits, repository, tokens};
use lmz_exact::{Engine, Kernel, Prepared, prepare};
use serde_json::{Value, json};

const FILE: &str = "tests/vectors/models.json";
const COUNT: usize = 200;
/// (position, symbol) of the logits that are written out.
const SHOWN: [(usize, usize); 8] = [
    (0, 0),
    (0, 5),
    (1, 1),
    (63, 7),
    (64, 7),
    (128, 11),
    (199, 2),
    (199, 20),
];

fn hex(hash: [u8; 32]) -> String {
    blake3::Hash::from_bytes(hash).to_hex().to_string()
}

/// The models of the file, made or read now.
fn model(name: &str) -> Prepared {
    let read = |path: &str| -> Prepared {
        let bytes: Cow<'static, [u8]> = std::fs::read(repository(path)).unwrap().into();
        Prepared::from_bytes(bytes).unwrap()
    };
    match name {
        "bootstrap" => read("models/archive/bootstrap/bootstrap.lmzm"),
        "odd" => read("tests/vectors/odd.lmzm"),
        "wide" => WIDE.prepared(2, "vectors-wide"),
        _ => panic!("what is {name}?"),
    }
}

fn hash(logits: &[Vec<i32>]) -> String {
    let bytes: Vec<u8> = logits
        .iter()
        .flatten()
        .flat_map(|z| z.to_le_bytes())
        .collect();
    blake3::hash(&bytes).to_hex().to_string()
}

#[test]
fn whole_models_give_the_committed_logits() {
    let file: Value = serde_json::from_slice(&std::fs::read(repository(FILE)).unwrap()).unwrap();
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
    let committed = std::fs::read(repository("tests/vectors/odd.lmzm")).unwrap();
    assert!(
        ODD.prepared(1, "vectors-odd").as_bytes() == committed,
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
/// Twice a window of the fixtures, and more than their tables of positions.
const FAMILY_TOKENS: usize = 52;

/// Recipe and logits of other families than Llama; the independent decoder has the same numbers.
#[test]
fn families_give_the_committed_logits() {
    let file = std::fs::read(repository("tests/vectors/families.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let families = file["families"].as_object().unwrap();
    assert_eq!(families.len(), FAMILIES.len());
    for (name, expected) in families {
        let path = repository(&format!("tests/vectors/families/{name}.lmzm"));
        let committed = std::fs::read(path).unwrap();
        let prepared = prepare(&family(name), name).unwrap();
        assert!(
            prepared.as_bytes() == committed,
            "recipe 1 gives another {name}"
        );
        assert_eq!(hex(prepared.identity()), expected["identity"]);
        let read: Vec<u32> = serde_json::from_value(expected["tokens"].clone()).unwrap();
        for kernel in kernels() {
            let engine = Engine::new(&prepared, kernel).unwrap();
            let found = hash(&logits(&engine, &read));
            assert_eq!(found, expected["logits_blake3"], "{name}, {kernel:?}");
        }
    }
}

#[test]
#[ignore = "writes tests/vectors/families.json and families/*.lmzm from what the engine says now"]
fn write_the_families() {
    std::fs::create_dir_all(repository("tests/vectors/families")).unwrap();
    let families = FAMILIES.map(|name| {
        let prepared = prepare(&family(name), name).unwrap();
        let path = repository(&format!("tests/vectors/families/{name}.lmzm"));
        std::fs::write(path, prepared.as_bytes()).unwrap();
        let engine = Engine::new(&prepared, Kernel::detect()).unwrap();
        let tokens = tokens(&engine, FAMILY_TOKENS, 78);
        let logits = hash(&logits(&engine, &tokens));
        let fields = [
            ("identity", json!(hex(prepared.identity()))),
            ("tokens", json!(tokens)),
            ("logits_blake3", json!(logits)),
        ];
        let fields = fields.map(|(field, value)| format!("      \"{field}\": {value}"));
        format!("    \"{name}\": {{\n{}\n    }}", fields.join(",\n"))
    });
    let text = format!(
        "{{\n  \"numerics\": {},\n  \"recipe\": {},\n  \"families\": {{\n{}\n  }}\n}}\n",
        lmz_exact::NUMERICS_VERSION,
        lmz_exact::RECIPE,
        families.join(",\n")
    );
    std::fs::write(repository("tests/vectors/families.json"), text).unwrap();
}

#[test]
#[ignore = "writes tests/vectors/models.json and odd.lmzm from what the engine says now"]
fn write_the_vectors() {
    std::fs::write(
        repository("tests/vectors/odd.lmzm"),
        ODD.prepared(1, "vectors-odd").as_bytes(),
    )
    .unwrap();
    let models = ["bootstrap", "odd", "wide"].map(|name| {
        let prepared = model(name);
        let engine = Engine::new(&prepared, Kernel::detect()).unwrap();
        let tokens = tokens(&engine, COUNT, 77);
        let logits = logits(&engine, &tokens);
        let shown =
            SHOWN.map(|(position, symbol)| json!([position, symbol, logits[position][symbol]]));
        let fields = [
            ("identity", json!(hex(prepared.identity()))),
            ("tokens", json!(tokens)),
            ("logits_blake3", json!(hash(&logits))),
            ("logits", json!(shown)),
        ];
        let fields = fields.map(|(field, value)| format!("      \"{field}\": {value}"));
        format!("    \"{name}\": {{\n{}\n    }}", fields.join(",\n"))
    });
    let text = format!(
        "{{\n  \"numerics\": {},\n  \"recipe\": {},\n  \"models\": {{\n{}\n  }}\n}}\n",
        lmz_exact::NUMERICS_VERSION,
        lmz_exact::RECIPE,
        models.join(",\n")
    );
    std::fs::write(repository(FILE), text).unwrap();
}
