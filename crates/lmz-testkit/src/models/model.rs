//! A checkpoint's numbers, to be changed before it is opened again.

use std::collections::BTreeMap;
use std::path::Path;

use lmz_model::{Blueprint, Checkpoint, Dtype, TensorSpec};
use serde_json::Value;

use super::{ModelDirectory, Tensor};

/// A checkpoint in memory, its tensors in f32.
#[derive(Clone, Debug)]
pub struct Model {
    /// Content of `config.json`.
    pub config: Value,
    /// Content of `tokenizer.json`.
    pub tokenizer: Value,
    /// Shape and values, by the names of the family.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Model {
    /// A copy of a model directory.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn read(directory: &Path) -> Self {
        let config = std::fs::read(directory.join("config.json")).expect("config.json");
        Self::of(&Checkpoint::open(directory).expect("a checkpoint"), &config)
    }

    /// A copy of an open checkpoint, whose `config.json` is given.
    ///
    /// # Panics
    ///
    /// If it is no directory's, or a tensor cannot be read.
    pub fn of(checkpoint: &Checkpoint, config: &[u8]) -> Self {
        let json = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
        let tensors = checkpoint.tensors().expect("a directory");
        let read = |spec: TensorSpec| {
            let values = tensors.f32(&spec.name, &spec.shape);
            (spec.name, (spec.shape, values.expect("a tensor")))
        };
        let specs = checkpoint.blueprint.tensors().into_iter();
        Self {
            config: json(config),
            tokenizer: json(&checkpoint.tokenizer_json),
            tensors: specs.map(read).collect(),
        }
    }

    /// The blueprint that `config.json` describes.
    ///
    /// # Panics
    ///
    /// If it describes nothing that lmz supports.
    pub fn blueprint(&self) -> Blueprint {
        let parsed = lmz_model::parse_config(self.config.to_string().as_bytes());
        parsed.expect("a supported configuration").blueprint
    }

    /// The values of a tensor.
    ///
    /// # Panics
    ///
    /// If there is none of this name.
    pub fn tensor(&mut self, name: &str) -> &mut Vec<f32> {
        let tensor = self.tensors.get_mut(name);
        &mut tensor.unwrap_or_else(|| panic!("no tensor {name}")).1
    }

    /// The files that hold it.
    pub fn directory(&self) -> ModelDirectory {
        let tensors = self.tensors.iter().map(|(name, (shape, values))| {
            let tensor = Tensor::new(Dtype::F32, shape, values.iter().copied());
            (name.clone(), tensor)
        });
        ModelDirectory {
            config: self.config.clone(),
            tokenizer: self.tokenizer.clone(),
            tensors: tensors.collect(),
        }
    }

    /// Writes it to a directory that is gone afterwards, and opens it: what is mapped stays readable.
    ///
    /// # Panics
    ///
    /// If lmz refuses it.
    #[track_caller]
    pub fn open(&self) -> Checkpoint {
        self.directory().open()
    }
}
