//! Every family that the repository has a fixture of: a tiny random checkpoint as transformers
//! writes it, and the logits that transformers gives it (tools/parity/make_fixtures.py).

#[path = "common/forward.rs"]
mod forward;

use std::path::{Path, PathBuf};

use forward::Forward;
use lmz_model::{
    Activation, Blueprint, FeedForwardKind, Network, Norm, Part, Position, Residual, Result,
    RopeScaling, Weights,
};
use safetensors::SafeTensors;

fn families() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/families")
}

fn open(name: &str) -> Network {
    Network::open(families().join(name)).unwrap()
}

/// `tokens` and `logits` of a fixture: sequences of token ids, and of rows.
fn expected(name: &str) -> (Vec<Vec<usize>>, Vec<f32>) {
    let bytes = std::fs::read(families().join(name).join("logits.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tokens = file.tensor("tokens").unwrap();
    let ids = tokens.data().as_chunks::<8>().0.iter();
    let ids: Vec<usize> = ids.map(|id| u64::from_le_bytes(*id) as usize).collect();
    let sequences = ids.chunks(tokens.shape()[1]).map(<[_]>::to_vec).collect();
    let logits = file.tensor("logits").unwrap();
    let logits = logits.data().as_chunks::<4>().0.iter();
    (sequences, logits.map(|x| f32::from_le_bytes(*x)).collect())
}

/// The largest difference between our logits and those of transformers.
fn difference(name: &str, weights: &impl Weights) -> f64 {
    let forward = Forward::new(weights);
    let (sequences, wanted) = expected(name);
    let rows = sequences.iter().flat_map(|tokens| forward.logits(tokens));
    let found: Vec<f64> = rows.flatten().collect();
    assert_eq!(found.len(), wanted.len(), "{name}");
    let off = found
        .iter()
        .zip(&wanted)
        .map(|(f, &w)| (f - f64::from(w)).abs());
    off.fold(0.0, f64::max)
}

/// Reading, mapping and cutting are right where a forward pass from the parts alone gives the
/// logits of transformers.
#[test]
fn logits_are_those_of_transformers() {
    let mut names: Vec<String> = std::fs::read_dir(families())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    let mut failures = Vec::new();
    for name in names {
        let network = open(&name);
        assert!(
            network.ignored_fields.is_empty(),
            "{name}: {:?}",
            network.ignored_fields
        );
        assert!(
            network.ignored_tensors.is_empty(),
            "{name}: {:?}",
            network.ignored_tensors
        );
        let worst = difference(&name, &network);
        eprintln!("{name}: {worst:.1e}");
        failures.extend((worst > 3e-5).then(|| format!("{name}: logits differ by {worst}")));
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The weights of one model under another's blueprint.
struct Altered(Network, Blueprint);

impl Weights for Altered {
    fn blueprint(&self) -> &Blueprint {
        &self.1
    }

    fn load(&self, part: Part) -> Result<Vec<f32>> {
        self.0.load(part)
    }
}

/// The fixtures tell features apart: with any one left out, logits are far off.
#[test]
fn every_feature_shows_in_the_logits() {
    type Change = fn(&mut Blueprint);
    let plain = |b: &mut Blueprint| {
        if let Position::Rope { scaling, .. } = &mut b.position {
            *scaling = RopeScaling::None;
        }
    };
    let changes: &[(&str, Change)] = &[
        ("llama", |b| b.norm = Norm::RmsNorm { eps: 1e-5 }),
        ("llama", |b| b.activation = Activation::GeluTanh),
        ("llama3", plain),
        ("llama3", |b| b.attention.input_bias = false),
        ("llama3", |b| b.attention.output_bias = false),
        ("llama3", |b| b.feed_forward.bias = false),
        ("llama_linear", plain),
        ("mistral", |b| b.attention.window = None),
        ("qwen2", |b| {
            b.attention.window.as_mut().unwrap().layers.clear();
        }),
        ("qwen3", |b| b.attention.head_norm = Default::default()),
        ("gpt_neox", |b| b.attention.rotary_dim = None),
        ("gpt_neox", |b| b.block.residual = Residual::Sequential),
        ("gpt_neox_sequential", |b| {
            b.block.residual = Residual::Parallel
        }),
        ("phi", |b| b.ends.head_bias = false),
        ("gemma2", |b| b.attention.softcap = None),
        ("gemma2", |b| b.attention.scale = None),
        ("gemma2", |b| b.ends.softcap = None),
        ("gemma2", |b| b.ends.embedding_scale = None),
        ("gemma3_text", |b| {
            b.attention.window.as_mut().unwrap().theta = None;
        }),
        ("gemma3_text", plain),
        ("mixtral", |b| {
            b.feed_forward.kind = FeedForwardKind::Experts {
                count: 4,
                chosen: 3,
            };
        }),
    ];
    for (i, (name, change)) in changes.iter().enumerate() {
        let network = open(name);
        let mut blueprint = network.blueprint.clone();
        change(&mut blueprint);
        let worst = difference(name, &Altered(network, blueprint));
        assert!(
            worst > 0.01,
            "{name}, change {i}: logits differ by {worst} only"
        );
    }
}
