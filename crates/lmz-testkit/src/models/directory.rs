//! A Hugging Face model directory in memory, to be changed or damaged before it is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lmz_model::{Blueprint, Checkpoint, Dtype, parse_config};
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

/// A tensor as a file holds it.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// The type of its elements, supported by lmz or not.
    pub dtype: safetensors::Dtype,
    /// Rows first.
    pub shape: Vec<usize>,
    /// Little endian.
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// The first of `values` that fill the shape.
    pub fn new(dtype: Dtype, shape: &[usize], values: impl IntoIterator<Item = f32>) -> Self {
        let mut bytes = Vec::new();
        for value in values.into_iter().take(shape.iter().product()) {
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

/// What the files of a model directory hold.
#[derive(Clone, Debug)]
pub struct ModelDirectory {
    /// `config.json`.
    pub config: Value,
    /// `tokenizer.json`.
    pub tokenizer: Value,
    /// The weights, by the names of the family.
    pub tensors: BTreeMap<String, Tensor>,
}

impl ModelDirectory {
    /// A Llama 8 wide with 300 tokens ([`byte_level`](super::byte_level)), whose weights every supported type holds
    /// exactly: the eighths of [`ModelDirectory::eighths`], a seed for each tensor.
    pub fn eighths_llama(dtype: Dtype, tied: bool) -> Self {
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
        let specs = blueprint(&config).tensors().into_iter().enumerate();
        let tensor = |(i, spec): (usize, lmz_model::TensorSpec)| {
            let tensor = Tensor::new(dtype, &spec.shape, Self::eighths(i));
            (spec.name, tensor)
        };
        Self {
            tensors: specs.map(tensor).collect(),
            tokenizer: super::byte_level(),
            config,
        }
    }

    /// Eighths from -8 to 7.875, in an order that the seed decides, without end.
    pub fn eighths(seed: usize) -> impl Iterator<Item = f32> {
        (0..).map(move |i| ((i * 37 + seed * 11) % 128) as f32 / 8.0 - 8.0)
    }

    /// What `config.json` describes.
    ///
    /// # Panics
    ///
    /// If it describes nothing that lmz supports.
    pub fn blueprint(&self) -> Blueprint {
        blueprint(&self.config)
    }

    /// Writes `config.json` and `tokenizer.json`.
    ///
    /// # Panics
    ///
    /// If they cannot be written, as the next ones.
    pub fn write_texts(&self, directory: &Path) {
        write(directory, "config.json", self.config.to_string());
        write(directory, "tokenizer.json", self.tokenizer.to_string());
    }

    /// Writes everything, the weights in one file.
    pub fn write_single(&self, directory: &Path) {
        self.write_texts(directory);
        let bytes = serialize(self.tensors.iter());
        write(directory, "model.safetensors", bytes);
    }

    /// Writes everything, the tensors dealt to `shards` files, and returns the index, which is written as well.
    pub fn write_sharded(&self, directory: &Path, shards: usize) -> Value {
        self.write_texts(directory);
        let mut weight_map = serde_json::Map::new();
        for shard in 0..shards {
            let file = format!("model-{:05}-of-{shards:05}.safetensors", shard + 1);
            let part = self.tensors.iter().skip(shard).step_by(shards);
            for (name, _) in part.clone() {
                weight_map.insert(name.clone(), file.as_str().into());
            }
            write(directory, &file, serialize(part));
        }
        let index = json!({ "metadata": {}, "weight_map": weight_map });
        write_index(directory, &index);
        index
    }

    /// Writes it to a directory that is gone afterwards, and opens it: what is mapped stays readable.
    ///
    /// # Panics
    ///
    /// If lmz refuses it.
    #[track_caller]
    pub fn open(&self) -> Checkpoint {
        let directory = tempfile::tempdir().expect("a temporary directory");
        self.write_single(directory.path());
        Checkpoint::open(directory.path()).expect("a checkpoint")
    }
}

/// Writes `model.safetensors.index.json`.
///
/// # Panics
///
/// If it cannot be written.
pub fn write_index(directory: &Path, index: &Value) {
    write(directory, "model.safetensors.index.json", index.to_string());
}

fn write(directory: &Path, file: &str, content: impl AsRef<[u8]>) {
    let path = directory.join(file);
    fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

fn serialize<'a>(tensors: impl Iterator<Item = (&'a String, &'a Tensor)>) -> Vec<u8> {
    let views = tensors.map(|(name, t)| {
        let view = TensorView::new(t.dtype, t.shape.clone(), &t.bytes).expect("a whole tensor");
        (name, view)
    });
    safetensors::serialize(views, None).expect("tensors of different names")
}

fn blueprint(config: &Value) -> Blueprint {
    let parsed = parse_config(config.to_string().as_bytes());
    parsed.expect("a supported configuration").blueprint
}
