//! Shared data, and tiny checkpoints that the tests write themselves.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lmz_model::{Blueprint, Dtype, parse_config};
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

/// A checkpoint in memory, to be damaged before it is written.
#[derive(Clone)]
pub struct Tiny {
    pub config: Value,
    pub tokenizer: Value,
    pub tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone)]
pub struct Tensor {
    pub dtype: safetensors::Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    pub fn new(dtype: Dtype, shape: &[usize], values: impl Iterator<Item = f32>) -> Self {
        let mut bytes = Vec::new();
        for value in values.take(shape.iter().product()) {
            match dtype {
                Dtype::F32 => bytes.extend(value.to_le_bytes()),
                Dtype::F16 => bytes.extend(half::f16::from_f32(value).to_le_bytes()),
                Dtype::Bf16 => bytes.extend(half::bf16::from_f32(value).to_le_bytes()),
            }
        }
        let dtype = match dtype {
            Dtype::F32 => safetensors::Dtype::F32,
            Dtype::F16 => safetensors::Dtype::F16,
            Dtype::Bf16 => safetensors::Dtype::BF16,
        };
        Self {
            dtype,
            shape: shape.to_vec(),
            bytes,
        }
    }
}

/// Values that every supported type holds exactly: eighths from -8 to 7.875.
pub fn values(seed: usize) -> impl Iterator<Item = f32> {
    (0..).map(move |i| ((i * 37 + seed * 11) % 128) as f32 / 8.0 - 8.0)
}

impl Tiny {
    pub fn new(dtype: Dtype, tied: bool) -> Self {
        let config = json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": 8,
            "intermediate_size": 12,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "vocab_size": 300,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-5,
            "tie_word_embeddings": tied,
            "bos_token_id": 256,
        });
        let mut tensors = BTreeMap::new();
        for (i, spec) in blueprint(&config).tensors().into_iter().enumerate() {
            tensors.insert(spec.name, Tensor::new(dtype, &spec.shape, values(i)));
        }
        Self {
            config,
            tokenizer: byte_level_tokenizer(),
            tensors,
        }
    }

    pub fn write_texts(&self, directory: &Path) {
        fs::write(directory.join("config.json"), self.config.to_string()).unwrap();
        fs::write(directory.join("tokenizer.json"), self.tokenizer.to_string()).unwrap();
    }

    pub fn write_single(&self, directory: &Path) {
        self.write_texts(directory);
        let bytes = serialize(self.tensors.iter());
        fs::write(directory.join("model.safetensors"), bytes).unwrap();
    }

    /// Deals the tensors to `shards` files and returns the index, which is written as well.
    pub fn write_sharded(&self, directory: &Path, shards: usize) -> Value {
        self.write_texts(directory);
        let mut weight_map = serde_json::Map::new();
        for shard in 0..shards {
            let file = format!("model-{:05}-of-{shards:05}.safetensors", shard + 1);
            let part = self.tensors.iter().skip(shard).step_by(shards);
            for (name, _) in part.clone() {
                weight_map.insert(name.clone(), file.as_str().into());
            }
            fs::write(directory.join(file), serialize(part)).unwrap();
        }
        let index = json!({ "metadata": {}, "weight_map": weight_map });
        write_index(directory, &index);
        index
    }
}

pub fn write_index(directory: &Path, index: &Value) {
    let path = directory.join("model.safetensors.index.json");
    fs::write(path, index.to_string()).unwrap();
}

fn serialize<'a>(tensors: impl Iterator<Item = (&'a String, &'a Tensor)>) -> Vec<u8> {
    let views = tensors.map(|(name, t)| {
        let view = TensorView::new(t.dtype, t.shape.clone(), &t.bytes).unwrap();
        (name, view)
    });
    safetensors::serialize(views, None).unwrap()
}

pub fn blueprint(config: &Value) -> Blueprint {
    parse_config(config.to_string().as_bytes())
        .unwrap()
        .blueprint
}

/// GPT-2's character for a byte.
pub fn byte_char(byte: u8) -> char {
    let printable = |b: &u8| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if printable(&byte) {
        return char::from(byte);
    }
    let moved = (0..byte).filter(|b| !printable(b)).count() as u32;
    char::from_u32(0x100 + moved).unwrap()
}

/// All bytes, a special token (256), a few merges and nothing beyond id 261.
pub fn byte_level_tokenizer() -> Value {
    let mut vocab = serde_json::Map::new();
    for byte in 0..=255u8 {
        vocab.insert(byte_char(byte).to_string(), byte.into());
    }
    vocab.insert("<|bos|>".into(), 256.into());
    for (i, text) in ["th", "the", "Ġthe", "ĊĊ", "aa"].into_iter().enumerate() {
        vocab.insert(text.into(), (257 + i).into());
    }
    json!({
        "added_tokens": [{ "id": 256, "content": "<|bos|>", "special": true }],
        "normalizer": { "type": "NFC" },
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true },
        "decoder": { "type": "ByteLevel" },
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": ["t h", "th e", "Ġ the", "Ċ Ċ", "a a"],
        },
    })
}

/// SentencePiece style with all byte tokens, `<unk>`, a few characters and merges; 320 ids.
pub fn sentencepiece_tokenizer() -> Value {
    let mut vocab = serde_json::Map::new();
    for (id, text) in ["<unk>", "<s>", "</s>"].into_iter().enumerate() {
        vocab.insert(text.into(), id.into());
    }
    for byte in 0..=255u32 {
        vocab.insert(format!("<0x{byte:02X}>"), (3 + byte).into());
    }
    let words = [
        "▁", "t", "h", "e", "a", "é", "中", "th", "the", "▁the", "▁▁", "▁a",
    ];
    for (i, text) in words.into_iter().enumerate() {
        vocab.insert(text.into(), (259 + i).into());
    }
    json!({
        "added_tokens": [
            { "id": 0, "content": "<unk>", "special": true },
            { "id": 1, "content": "<s>", "special": true },
            { "id": 2, "content": "</s>", "special": true },
        ],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": "▁" },
            { "type": "Replace", "pattern": { "String": " " }, "content": "▁" },
        ]},
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": true,
            "byte_fallback": true,
            "vocab": vocab,
            "merges": [["t", "h"], ["th", "e"], ["▁", "the"], ["▁", "▁"], ["▁", "a"]],
        },
    })
}
