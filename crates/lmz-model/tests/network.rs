//! The weights of a directory part by part: cuts out of fused tensors, older names, refusals.

use std::fs;
use std::path::{Path, PathBuf};

use lmz_model::{
    Blueprint, Checkpoint, Dtype, ErrorKind, LayerPart, ModelError, Network, Part, Weights,
};
use lmz_testkit::models::ModelDirectory;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

/// A fixture, to be changed.
struct Fixture {
    config: Value,
    tensors: Vec<(String, safetensors::Dtype, Vec<usize>, Vec<u8>)>,
}

impl Fixture {
    fn read(name: &str) -> Self {
        let directory = fixture(name);
        let bytes = fs::read(directory.join("model.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.tensors().into_iter().map(|(name, view)| {
            (
                name,
                view.dtype(),
                view.shape().to_vec(),
                view.data().to_vec(),
            )
        });
        Self {
            config: serde_json::from_slice(&fs::read(directory.join("config.json")).unwrap())
                .unwrap(),
            tensors: tensors.collect(),
        }
    }

    fn add(&mut self, name: &str, dtype: safetensors::Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.tensors
            .push((name.into(), dtype, shape.to_vec(), bytes));
    }

    fn write(&self) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("config.json"),
            self.config.to_string(),
        )
        .unwrap();
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            (
                name.as_str(),
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        });
        let bytes = safetensors::serialize(views, None).unwrap();
        fs::write(directory.path().join("model.safetensors"), bytes).unwrap();
        directory
    }

    fn rename(&mut self, change: impl Fn(&str) -> String) {
        for (name, ..) in &mut self.tensors {
            *name = change(name);
        }
    }
}

fn fixture(name: &str) -> PathBuf {
    let families = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/families");
    families.join(name)
}

fn load_all(network: &Network) -> Vec<Vec<f32>> {
    let parts = network.blueprint.parts();
    parts
        .into_iter()
        .map(|part| network.load(part).unwrap())
        .collect()
}

/// A tensor as it is in a fixture's file: rows of numbers.
fn rows(network: &Network, name: &str, shape: &[usize]) -> Vec<Vec<f32>> {
    let values = network.tensors().unwrap().f32(name, shape).unwrap();
    let width = shape.get(1).copied().unwrap_or(1);
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

#[test]
fn every_part_has_its_shape_and_every_tensor_a_part() {
    let mut count = 0;
    for entry in fs::read_dir(fixture("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let network = Network::open(fixture(&name)).unwrap();
        let b = &network.blueprint;
        let mut loaded = 0;
        for part in b.parts() {
            assert!(b.has(part), "{name} {part:?}");
            let values = network.load(part).unwrap();
            let shape = b.part_shape(part);
            assert_eq!(
                values.len(),
                shape.iter().product::<usize>(),
                "{name} {part:?}"
            );
            loaded += values.len();
        }
        // Nothing is left out and nothing read twice.
        let stored: usize = b
            .tensors()
            .iter()
            .map(|t| t.shape.iter().product::<usize>())
            .sum();
        assert_eq!(loaded, stored, "{name}");
        assert_eq!(
            b.tensors().len(),
            network.tensors().unwrap().names().len(),
            "{name}"
        );
        assert_eq!(
            Blueprint::from_canonical_json(b.canonical_json().as_bytes()).unwrap(),
            *b
        );
        count += 1;
    }
    assert!(count >= 20);
}

/// The rows of fused tensors, by the formulas with which the published code takes them apart.
#[test]
fn fused_tensors_are_cut_as_published() {
    let at = |part| Part::Layer(1, part);
    let (weights, biases) = (
        [LayerPart::Query, LayerPart::Key, LayerPart::Value],
        [
            LayerPart::QueryBias,
            LayerPart::KeyBias,
            LayerPart::ValueBias,
        ],
    );
    // Sizes of all these fixtures.
    let (heads, size, width) = (4, 8, 32);
    let check =
        |name: &str, tensor: &str, kv: usize, row: &dyn Fn(usize, usize, usize) -> usize| {
            let network = Network::open(fixture(name)).unwrap();
            let all = (heads + 2 * kv) * size;
            let stored = rows(&network, &format!("{tensor}.weight"), &[all, width]);
            for (what, part) in weights.into_iter().enumerate() {
                let found = network.load(at(part)).unwrap();
                for (i, found) in found.chunks(width).enumerate() {
                    assert_eq!(
                        found,
                        stored[row(what, i / size, i % size)],
                        "{name} {part:?} {i}"
                    );
                }
            }
            if network.blueprint.attention.input_bias {
                let stored = rows(&network, &format!("{tensor}.bias"), &[all]);
                for (what, part) in biases.into_iter().enumerate() {
                    for (i, &found) in network.load(at(part)).unwrap().iter().enumerate() {
                        assert_eq!([found], *stored[row(what, i / size, i % size)]);
                    }
                }
            }
        };
    // view(heads, 3 * size).chunk(3)
    let by_head = |what: usize, head: usize, i: usize| head * 3 * size + what * size + i;
    check(
        "gpt_neox",
        "gpt_neox.layers.1.attention.query_key_value",
        4,
        &by_head,
    );
    check(
        "gpt_bigcode_heads",
        "transformer.h.1.attn.c_attn",
        4,
        &by_head,
    );
    let falcon = "transformer.h.1.self_attention.query_key_value";
    check("falcon_sequential", falcon, 4, &by_head);
    // split((width, size, size))
    let one = |what: usize, head: usize, i: usize| [head * size, width, width + size][what] + i;
    check("gpt_bigcode", "transformer.h.1.attn.c_attn", 1, &one);
    // view(heads + 2, size): [..-2], [-2], [-1]
    let last = |what: usize, head: usize, i: usize| [head, heads, heads + 1][what] * size + i;
    check("falcon", falcon, 1, &last);
    // view(kv, heads / kv + 2, size): [..-2], [-2], [-1]
    let grouped = |what: usize, head: usize, i: usize| match what {
        0 => (head / 2 * 4 + head % 2) * size + i,
        _ => (head * 4 + 1 + what) * size + i,
    };
    check("falcon40b", falcon, 2, &grouped);
    check("falcon11b", falcon, 2, &grouped);
}

#[test]
fn gpt2_is_transposed() {
    let network = Network::open(fixture("gpt2")).unwrap();
    let name = "transformer.h.1.attn.c_attn";
    let stored = rows(&network, &format!("{name}.weight"), &[32, 96]);
    let bias = rows(&network, &format!("{name}.bias"), &[96]);
    for (third, (weight, vector)) in [
        (LayerPart::Query, LayerPart::QueryBias),
        (LayerPart::Key, LayerPart::KeyBias),
        (LayerPart::Value, LayerPart::ValueBias),
    ]
    .into_iter()
    .enumerate()
    {
        let weight = network.load(Part::Layer(1, weight)).unwrap();
        let vector = network.load(Part::Layer(1, vector)).unwrap();
        for output in 0..32 {
            assert_eq!(vector[output], bias[third * 32 + output][0]);
            for input in 0..32 {
                assert_eq!(
                    weight[output * 32 + input],
                    stored[input][third * 32 + output]
                );
            }
        }
    }
    let up = network.load(Part::Layer(0, LayerPart::Up)).unwrap();
    let stored = rows(&network, "transformer.h.0.mlp.c_fc.weight", &[32, 128]);
    assert_eq!(up[100 * 32 + 7], stored[7][100]);
}

/// Files without the prefix, with masks and rotary tables, with a head beside a tied embedding.
#[test]
fn older_files_are_the_same_model() {
    for (name, prefix, buffers) in [
        (
            "gpt2",
            "transformer.",
            &["h.0.attn.bias", "h.1.attn.masked_bias"][..],
        ),
        ("gpt_bigcode", "transformer.", &["h.0.attn.bias"]),
        (
            "gpt_neox",
            "gpt_neox.",
            &[
                "layers.0.attention.bias",
                "layers.1.attention.masked_bias",
                "layers.1.attention.rotary_emb.inv_freq",
            ],
        ),
        (
            "falcon",
            "transformer.",
            &["h.1.self_attention.rotary.inv_freq"],
        ),
        (
            "llama",
            "model.",
            &["layers.0.self_attn.rotary_emb.inv_freq"],
        ),
        ("phi", "model.", &[]),
        ("mixtral", "model.", &[]),
    ] {
        let published = Network::open(fixture(name)).unwrap();
        for strip in [true, false] {
            let mut older = Fixture::read(name);
            for buffer in buffers {
                older.add(
                    &format!("{prefix}{buffer}"),
                    safetensors::Dtype::U8,
                    &[3],
                    vec![1; 3],
                );
            }
            if strip {
                older.rename(|name| name.strip_prefix(prefix).unwrap_or(name).to_owned());
            }
            let directory = older.write();
            let older = Network::open(directory.path()).unwrap();
            assert!(
                older.ignored_tensors.is_empty(),
                "{:?}",
                older.ignored_tensors
            );
            assert!(load_all(&older) == load_all(&published), "{name}");
            assert_eq!(
                older.weights_hash().unwrap(),
                published.weights_hash().unwrap()
            );
        }
    }
    let mut headed = Fixture::read("gpt2");
    let embedding = headed
        .tensors
        .iter()
        .find(|t| t.0 == "transformer.wte.weight");
    let (_, dtype, shape, bytes) = embedding.unwrap().clone();
    headed.add("lm_head.weight", dtype, &shape, bytes);
    let directory = headed.write();
    let network = Network::open(directory.path()).unwrap();
    assert_eq!(network.ignored_tensors, ["lm_head.weight"]);
    assert!(network.blueprint.tied_head);
    // A copy of the embedding is nothing to speak of, another head is.
    assert_eq!(network.notices(), Vec::<String>::new());
    let last = headed.tensors.len() - 1;
    headed.tensors[last].3[5] ^= 1;
    let directory = headed.write();
    let network = Network::open(directory.path()).unwrap();
    let notices = network.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("lm_head.weight"), "{notices:?}");
    assert!(notices[0].contains("tie_word_embeddings"), "{notices:?}");
    assert!(!network.chat_template);
    let template = r#"{ "chat_template": "{{ messages }}" }"#;
    fs::write(directory.path().join("tokenizer_config.json"), template).unwrap();
    assert!(Network::open(directory.path()).unwrap().chat_template);
}

#[test]
fn the_text_half_is_found_under_its_prefixes() {
    let published = Network::open(fixture("gemma3_text")).unwrap();
    for prefix in ["language_model.model.", "model.language_model."] {
        let mut larger = Fixture::read("gemma3_text");
        let mut text = larger.config.take();
        text.as_object_mut().unwrap().remove("architectures");
        larger.config = json!({ "architectures": ["Gemma3ForConditionalGeneration"],
            "model_type": "gemma3", "text_config": text, "vision_config": {} });
        larger.rename(|name| name.replacen("model.", prefix, 1));
        let sees = "vision_tower.patch_embedding.weight";
        larger.add(sees, safetensors::Dtype::I8, &[2], vec![0; 2]);
        let directory = larger.write();
        let larger = Network::open(directory.path()).unwrap();
        assert_eq!(larger.ignored_tensors, [sees]);
        assert_eq!(larger.blueprint, published.blueprint);
        assert!(load_all(&larger) == load_all(&published));
    }
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let network = Network::open(fixture("llama")).unwrap();
    for part in [
        Part::Head,
        Part::HeadBias,
        Part::PositionEmbedding,
        Part::FinalNormBias,
        Part::Layer(2, LayerPart::Query),
        Part::Layer(0, LayerPart::QueryBias),
        Part::Layer(0, LayerPart::ExpertUp(0)),
    ] {
        assert!(!network.blueprint.has(part));
        let error = network.load(part).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(&format!("{part:?}")), "{error}");
    }
    // Untied by its configuration, and without a head; experts under another name.
    let mut headless = Fixture::read("llama");
    headless.config["tie_word_embeddings"] = json!(false);
    let mut merged = Fixture::read("mixtral");
    merged.rename(|name| name.replace(".block_sparse_moe.", ".mlp."));
    let mut integer = Fixture::read("gpt_neox");
    integer.tensors[0].1 = safetensors::Dtype::I32;
    for (fixture, kind, name) in [
        (headless, ErrorKind::InsufficientData, "lm_head.weight"),
        (
            merged,
            ErrorKind::InsufficientData,
            "block_sparse_moe.gate.weight",
        ),
        (integer, ErrorKind::Compatibility, "I32"),
    ] {
        let directory = fixture.write();
        let error = Network::open(directory.path()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_network_needs_no_tokenizer() {
    let tiny = ModelDirectory::eighths_llama(Dtype::Bf16, false);
    let (single, sharded) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    tiny.write_single(single.path());
    tiny.write_sharded(sharded.path(), 3);
    let checkpoint = Checkpoint::open(single.path()).unwrap();
    fs::remove_file(sharded.path().join("tokenizer.json")).unwrap();
    assert!(matches!(
        Checkpoint::open(sharded.path()),
        Err(ModelError::MissingFile {
            file: "tokenizer.json",
            ..
        })
    ));
    let network = Network::open(sharded.path()).unwrap();
    assert_eq!(network.blueprint, checkpoint.blueprint);
    assert!(load_all(&network) == load_all(&checkpoint.network));
    let hash = network.weights_hash().unwrap();
    assert_eq!(hash, checkpoint.weights_hash().unwrap());
    assert_ne!(hash, checkpoint.content_hash().unwrap());
    // Another type, the same numbers: another network.
    let other = ModelDirectory::eighths_llama(Dtype::F32, false);
    other.write_single(single.path());
    let other = Network::open(single.path()).unwrap();
    assert!(load_all(&other) == load_all(&network));
    assert_ne!(hash, other.weights_hash().unwrap());
}
