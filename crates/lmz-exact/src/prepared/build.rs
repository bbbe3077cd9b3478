//! Writing a prepared model.

use std::borrow::Cow;
use std::collections::HashMap;

use lmz_model::Vocabulary;
use safetensors::{Dtype, View};

use super::file::{METADATA_KEY, Metadata};
use super::model::{LMZM_VERSION, Prepared};
use crate::error::{ExactError, Result};

/// Collects a prepared model's tensors.
#[derive(Default)]
pub(crate) struct Builder {
    tensors: Vec<(String, Tensor)>,
    /// Of all matrices, in the order in which they were added.
    pub remainders: Vec<Remainder>,
    /// Whether some matrix stands in blocks.
    pub in_blocks: bool,
}

/// What int8 leaves of the rows of a matrix.
pub(crate) struct Remainder {
    /// The name of the linear layer.
    pub name: String,
    /// Weights of a row.
    pub columns: usize,
    /// What int8 leaves of each weight, in 256ths of its row's scale.
    pub low: Vec<i8>,
    /// By row: the scale over the mean magnitude of its weights; 0 for a row of zeros.
    pub coarseness: Vec<f64>,
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
    pub recipe: u8,
    pub numerics: u8,
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

    /// Adds an int8 matrix `[rows, columns]`, row after row.
    pub fn i8(&mut self, name: impl Into<String>, shape: [usize; 2], values: &[i8]) {
        self.put(
            name,
            Dtype::I8,
            &shape,
            values.iter().map(|&v| v as u8).collect(),
        );
    }

    /// Adds a matrix of 16-bit integers, row after row.
    pub fn i16(&mut self, name: impl Into<String>, shape: [usize; 2], values: &[i16]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put(name, Dtype::I16, &shape, bytes);
    }

    /// Adds a matrix of integers of 4 bits, row after row, the even columns in the low halves of bytes.
    pub fn half_bytes(&mut self, name: impl Into<String>, shape: [usize; 2], values: &[i8]) {
        let pairs = values.as_chunks::<2>().0.iter();
        let bytes = pairs.map(|[low, high]| low & 15 | high << 4);
        let bytes = bytes.map(i8::cast_unsigned).collect();
        self.put(name, Dtype::U8, &[shape[0], shape[1] / 2], bytes);
    }

    /// Adds a vector of 32-bit integers.
    pub fn i32(&mut self, name: impl Into<String>, values: &[i32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put(name, Dtype::I32, &[values.len()], bytes);
    }

    /// Adds a vector of unsigned 32-bit integers.
    pub fn u32(&mut self, name: impl Into<String>, values: &[u32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put(name, Dtype::U32, &[values.len()], bytes);
    }

    /// Adds a vector of bytes.
    pub fn u8(&mut self, name: impl Into<String>, values: &[u8]) {
        self.put(name, Dtype::U8, &[values.len()], values.to_vec());
    }

    /// Adds the vocabulary: lengths by token id in `vocab.len`, 0 for a token without bytes, and the bytes joined.
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

    /// Adds the tokenizer as a zstd frame. The level changes no probability, but it changes the bytes and so the
    /// identity.
    pub fn tokenizer(&mut self, json: &[u8]) -> Result<()> {
        let packed = zstd::bulk::compress(json, 19)
            .map_err(|e| ExactError::Unsupported(format!("tokenizer: {e}")))?;
        self.u8("tokenizer", &packed);
        Ok(())
    }

    /// Writes header and tensors into one file, and reads it back as a model.
    pub fn finish(self, facts: Facts) -> Result<Prepared> {
        let metadata = Metadata {
            version: LMZM_VERSION.into(),
            recipe: facts.recipe.into(),
            numerics: facts.numerics.into(),
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
