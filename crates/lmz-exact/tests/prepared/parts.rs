//! A prepared model taken apart, to be put together with something wrong.

use std::collections::{BTreeMap, HashMap};

use lmz_exact::{Engine, ExactError, Kernel, Prepared};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// A prepared model taken apart.
#[derive(Clone)]
pub struct Parts {
    pub metadata: Value,
    pub tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl Parts {
    pub fn new(prepared: &Prepared) -> Self {
        let bytes = prepared.as_bytes();
        let (_, index) = SafeTensors::read_metadata(bytes).unwrap();
        let text = &index.metadata().as_ref().unwrap()["lmzm"];
        let tensors = SafeTensors::deserialize(bytes).unwrap();
        let part = |(name, view): (String, TensorView<'_>)| {
            (
                name,
                (view.dtype(), view.shape().to_vec(), view.data().to_vec()),
            )
        };
        Self {
            metadata: serde_json::from_str(text).unwrap(),
            tensors: tensors.tensors().into_iter().map(part).collect(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let info = HashMap::from([("lmzm".to_owned(), self.metadata.to_string())]);
        let view = |(dtype, shape, bytes): &'_ (Dtype, Vec<usize>, Vec<u8>)| {
            (*dtype, shape.clone(), bytes.clone())
        };
        let owned: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, part)| (name, view(part)))
            .collect();
        let views = owned.iter().map(|(name, (dtype, shape, bytes))| {
            (
                name.as_str(),
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        });
        safetensors::serialize(views, Some(info)).unwrap()
    }

    pub fn data(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.tensors.get_mut(name).unwrap().2
    }

    pub fn put_i32(&mut self, name: &str, index: usize, value: i32) {
        self.data(name)[4 * index..4 * index + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// All that a program does with the bytes of a prepared model.
pub fn open(bytes: Vec<u8>) -> Result<(Prepared, Engine), ExactError> {
    let prepared = Prepared::from_bytes(bytes)?;
    prepared.vocabulary()?;
    prepared.tokenizer_json()?;
    let engine = Engine::new(&prepared, Kernel::detect())?;
    Ok((prepared, engine))
}

pub fn refused(what: &str, parts: &Parts) -> ExactError {
    match open(parts.bytes()) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            error
        }
        Ok(_) => panic!("accepted: {what}"),
    }
}
