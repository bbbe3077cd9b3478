//! Shared data, tiny random checkpoints that the tests write themselves, and engine runs.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use lmz_exact::{Cache, Engine, Isa, Kernel, Prepared, Run, Scratch, prepare};
use lmz_model::{Checkpoint, TensorSpec, parse_config};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

/// A path in the data shared between checkouts; `None`, with a message, where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(path);
    if full.exists() {
        return Some(full);
    }
    eprintln!("skipped: ../shared/{path} is absent");
    None
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// SplitMix64: the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Nearly normal, variance 1: additions of exact numbers, so the same on every machine.
    pub fn normal(&mut self) -> f64 {
        let sum: i64 = (0..12).map(|_| (self.next() >> 40) as i64).sum();
        (sum - 6 * (1 << 24)) as f64 / f64::from(1 << 24)
    }
}

/// A checkpoint in memory.
#[derive(Clone)]
pub struct Model {
    pub config: Value,
    pub tokenizer: Vec<u8>,
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Model {
    /// A copy of a checkpoint, to be changed.
    pub fn read(directory: &Path) -> Self {
        let config = std::fs::read(directory.join("config.json")).unwrap();
        Self::of(&Checkpoint::open(directory).unwrap(), &config)
    }

    /// A copy of a checkpoint whose `config.json` is given.
    pub fn of(checkpoint: &Checkpoint, config: &[u8]) -> Self {
        let config: Value = serde_json::from_slice(config).unwrap();
        let read = |spec: TensorSpec| {
            let values = checkpoint.tensors.f32(&spec.name, &spec.shape).unwrap();
            (spec.name, (spec.shape, values))
        };
        let tensors = checkpoint
            .blueprint
            .tensors()
            .into_iter()
            .map(read)
            .collect();
        Self {
            config,
            tokenizer: checkpoint.tokenizer_json.clone(),
            tensors,
        }
    }

    pub fn tensor(&mut self, name: &str) -> &mut Vec<f32> {
        &mut self
            .tensors
            .get_mut(name)
            .unwrap_or_else(|| panic!("no tensor {name}"))
            .1
    }

    /// Writes it as f32 and opens it. `name` is that of its directory, one for each test.
    pub fn open(&self, name: &str) -> Checkpoint {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("config.json"), self.config.to_string()).unwrap();
        std::fs::write(directory.join("tokenizer.json"), &self.tokenizer).unwrap();
        let bytes =
            |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let bytes: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, (shape, values))| (name, shape, bytes(values)))
            .collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            (
                name.as_str(),
                TensorView::new(Dtype::F32, (*shape).clone(), bytes).unwrap(),
            )
        });
        let file = directory.join("model.safetensors");
        std::fs::write(file, safetensors::serialize(views, None).unwrap()).unwrap();
        Checkpoint::open(directory).unwrap()
    }
}

/// The sizes of a tiny model.
#[derive(Clone, Copy)]
pub struct Tiny {
    pub hidden: usize,
    pub inner: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub tied: bool,
    pub llama3: bool,
}

/// Nothing is a multiple of anything that a kernel likes.
pub const ODD: Tiny = Tiny {
    hidden: 24,
    inner: 40,
    layers: 2,
    heads: 3,
    kv_heads: 1,
    head_dim: 6,
    tied: false,
    llama3: true,
};
/// Odd numbers of columns, and the smallest head.
pub const NARROW: Tiny = Tiny {
    hidden: 15,
    inner: 33,
    layers: 3,
    heads: 2,
    kv_heads: 2,
    head_dim: 2,
    tied: true,
    llama3: false,
};
/// Sums of more than one chunk of 512, in `o` and in `down`.
pub const WIDE: Tiny = Tiny {
    hidden: 40,
    inner: 1100,
    layers: 1,
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    tied: true,
    llama3: true,
};

/// Ids of the tiny models: special tokens (the start is 30) and padding rows among them.
pub const VOCABULARY: usize = 37;

impl Tiny {
    /// Random weights that give lively distributions.
    pub fn model(self, seed: u64) -> Model {
        let mut config = json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.hidden,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": 512,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "tie_word_embeddings": self.tied,
            "bos_token_id": 30,
        });
        if self.llama3 {
            config["rope_theta"] = json!(500000.0);
            config["rope_scaling"] = json!({
                "rope_type": "llama3",
                "factor": 4.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 128,
            });
        }
        let blueprint = parse_config(config.to_string().as_bytes())
            .unwrap()
            .blueprint;
        let mut random = Random(seed);
        let tensors = blueprint.tensors().into_iter().map(|spec| {
            let is_norm = spec.shape.len() == 1;
            let scale = match spec.name.as_str() {
                "lm_head.weight" => 0.6,
                "model.embed_tokens.weight" => 0.5,
                // Growth of 1 from layer to layer.
                _ => 1.6 / (*spec.shape.last().unwrap() as f64).sqrt(),
            };
            let value = |random: &mut Random| {
                if is_norm {
                    1.0 + 0.2 * random.normal()
                } else {
                    scale * random.normal()
                }
            };
            let values = (0..spec.shape.iter().product())
                .map(|_| value(&mut random) as f32)
                .collect();
            (spec.name, (spec.shape, values))
        });
        let tensors = tensors.collect();
        Model {
            config,
            tokenizer: tokenizer().to_string().into_bytes(),
            tensors,
        }
    }

    pub fn prepared(self, seed: u64, name: &str) -> Prepared {
        prepare(&self.model(seed).open(name), "tiny").unwrap()
    }
}

/// Byte-level, of few letters: most bytes need the escape.
fn tokenizer() -> Value {
    let words = "a b c d e f g h i l m n o p r s t u w y Ġ Ċ , . th in er Ġa Ġth Ġthe";
    let mut vocab = serde_json::Map::new();
    for (id, word) in words.split(' ').enumerate() {
        vocab.insert(word.into(), id.into());
    }
    vocab.insert("<|bos|>".into(), 30.into());
    vocab.insert("<|pad|>".into(), 31.into());
    vocab.insert("an".into(), 32.into());
    json!({
        "added_tokens": [
            { "id": 30, "content": "<|bos|>", "special": true },
            { "id": 31, "content": "<|pad|>", "special": true },
        ],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
        "decoder": { "type": "ByteLevel" },
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": ["t h", "i n", "e r", "Ġ a", "Ġ th", "Ġth e", "a n"],
        },
    })
}

/// The kernels of this machine, portable Rust first.
pub fn kernels() -> Vec<Kernel> {
    Isa::available()
        .into_iter()
        .filter_map(Kernel::new)
        .collect()
}

/// Tokens of a fixed sequence: the start token, then random ones.
pub fn tokens(engine: &Engine, count: usize, seed: u64) -> Vec<u32> {
    let mut random = Random(seed);
    let symbols = engine.symbols().tokens();
    let rest = (1..count).map(|_| symbols[random.below(symbols.len())]);
    std::iter::once(engine.start_token()).chain(rest).collect()
}

/// Logits of every position, in one parallel pass.
pub fn logits(engine: &Engine, tokens: &[u32]) -> Vec<Vec<i32>> {
    let mut cache = Cache::new(engine, tokens.len());
    let mut all = Vec::new();
    let run = Run {
        cache: &mut cache,
        start: 0,
        tokens,
        wanted: 0,
    };
    engine.forward(&mut Scratch::new(), &mut [run], &mut |_, _, scores| {
        all.push(scores.logits.to_vec())
    });
    all
}

/// A parity fixture (tests/fixtures/families) with a tokenizer, as a checkpoint.
pub fn family(name: &str) -> Checkpoint {
    with_tokenizer(&format!("families/{name}"))
}

/// A model of tests/fixtures with the tokenizer of 91 tokens that lies there.
pub fn with_tokenizer(name: &str) -> Checkpoint {
    // Tests run side by side, each with its own directory.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let process = std::process::id();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fixture-{process}-{number}"));
    std::fs::create_dir_all(&target).unwrap();
    let source = repository("tests/fixtures").join(name);
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(source.join(file), target.join(file)).unwrap();
    }
    let tokenizer = repository("tests/fixtures/text/tokenizer.json");
    std::fs::copy(tokenizer, target.join("tokenizer.json")).unwrap();
    let checkpoint = Checkpoint::open(&target).unwrap();
    // What is mapped stays readable.
    std::fs::remove_dir_all(target).ok();
    checkpoint
}
