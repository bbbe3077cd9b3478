//! Writing a prepared model.

use std::borrow::Cow;
use std::collections::HashMap;

use lmz_model::Vocabulary;
use safetensors::{Dtype, View};

use super::file::{METADATA_KEY, Metadata};
use super::model::{LMZM_VERSION, NUMERICS_VERSION, Prepared, RECIPE};
use crate::error::{ExactError, Result};

/// Collects a prepared model's tensors.
#[derive(Default)]
pub(crate) struct Builder {
    tensors: Vec<(String, Tensor)>,
}

struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The header values of a prepared model.
pub(crate) struct Facts {
    pub name: String,
    pub checkpoint: [u8; 32],
    pub residual_frac_bits: i32,
    pub eps_fixed: u64,
    /// The blueprint's canonical JSON.
    pub blueprint: String,
}

impl Builder {
    fn put(&mut self, name: impl Into<String>, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.tensors.push((
            name.into(),
            Tensor {
                dtype,
                shape: shape.to_vec(),
                bytes,
            },
        ));
    }

    /// An int8 matrix.
    pub fn i8(&mut self, name: impl Into<String>, shape: [usize; 2], values: &[i8]) {
        self.put(
            name,
            Dtype::I8,
            &shape,
            values.iter().map(|&v| v as u8).collect(),
        );
    }

    /// A vector of 32-bit integers.
    pub fn i32(&mut self, name: impl Into<String>, values: &[i32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put(name, Dtype::I32, &[values.len()], bytes);
    }

    /// A vector of unsigned 32-bit integers.
    pub fn u32(&mut self, name: impl Into<String>, values: &[u32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put(name, Dtype::U32, &[values.len()], bytes);
    }

    /// Bytes.
    pub fn u8(&mut self, name: impl Into<String>, values: &[u8]) {
        self.put(name, Dtype::U8, &[values.len()], values.to_vec());
    }

    /// The vocabulary table.
    pub fn vocabulary(&mut self, vocabulary: &Vocabulary) -> Result<()> {
        let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
        for (id, token) in vocabulary.iter() {
            let token = token.unwrap_or_default();
            let length = u16::try_from(token.len()).map_err(|_| {
                ExactError::Unsupported(format!("token {id} is {} bytes long", token.len()))
            })?;
            lengths.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(token);
        }
        self.put("vocab.len", Dtype::U16, &[vocabulary.len()], lengths);
        self.u8("vocab.bytes", &bytes);
        Ok(())
    }

    /// The tokenizer, packed. The level is part of the recipe only in so far as the identity goes.
    pub fn tokenizer(&mut self, json: &[u8]) -> Result<()> {
        let packed = zstd::bulk::compress(json, 19)
            .map_err(|e| ExactError::Unsupported(format!("tokenizer: {e}")))?;
        self.u8("tokenizer", &packed);
        Ok(())
    }

    /// The finished model.
    pub fn finish(self, facts: Facts) -> Result<Prepared> {
        let metadata = Metadata {
            version: LMZM_VERSION,
            recipe: RECIPE.into(),
            numerics: NUMERICS_VERSION.into(),
            name: facts.name,
            checkpoint: blake3::Hash::from_bytes(facts.checkpoint)
                .to_hex()
                .to_string(),
            residual_frac_bits: facts.residual_frac_bits as u64,
            eps_fixed: facts.eps_fixed,
            blueprint: facts.blueprint,
        };
        let text =
            serde_json::to_string(&metadata).map_err(|e| ExactError::Damaged(e.to_string()))?;
        // One key only: a second one would make the order of a hash map part of the bytes.
        let info = HashMap::from([(METADATA_KEY.to_owned(), text)]);
        let views = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor));
        let bytes = safetensors::serialize(views, Some(info))
            .map_err(|e| ExactError::Damaged(e.to_string()))?;
        Prepared::from_bytes(bytes)
    }
}
