//! Reading a prepared model: every length is checked before it is believed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use lmz_model::Blueprint;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::model::{Entry, LMZM_VERSION, NUMERICS, Prepared, RECIPES};
use crate::error::{ExactError, Result};

/// The file's one metadata text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    pub version: u64,
    pub recipe: u64,
    pub numerics: u64,
    pub name: String,
    pub checkpoint: String,
    pub residual_frac_bits: u64,
    pub eps_fixed: u64,
    pub blueprint: String,
}

/// Key of the metadata text in the safetensors header.
pub(super) const METADATA_KEY: &str = "lmzm";
const MAX_NAME: usize = 255;

impl Prepared {
    /// Reads a prepared model from the bytes of its file.
    ///
    /// # Errors
    /// [`ExactError::NotPrepared`], [`ExactError::Version`] or [`ExactError::Damaged`].
    pub fn from_bytes(data: impl Into<Cow<'static, [u8]>>) -> Result<Self> {
        let data = data.into();
        let not = |why: String| ExactError::NotPrepared(why);
        let (header, index) = SafeTensors::read_metadata(&data).map_err(|e| not(e.to_string()))?;
        let text = index
            .metadata()
            .as_ref()
            .and_then(|map| map.get(METADATA_KEY));
        let text =
            text.ok_or_else(|| not("a safetensors file, but without lmzm metadata".into()))?;
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let damaged = |e: serde_json::Error| ExactError::Damaged(format!("metadata: {e}"));
        // The version first: a later one may have other fields.
        let Version { version } = serde_json::from_str(text).map_err(damaged)?;
        check("file version", version, &(LMZM_VERSION..=LMZM_VERSION))?;
        let metadata: Metadata = serde_json::from_str(text).map_err(damaged)?;
        check("recipe", metadata.recipe, &RECIPES)?;
        check("numerics version", metadata.numerics, &NUMERICS)?;
        let blueprint = Blueprint::from_canonical_json(metadata.blueprint.as_bytes())?;
        crate::prepare::check(&blueprint)?;
        if metadata.name.len() > MAX_NAME
            || metadata.residual_frac_bits > 24
            || metadata.eps_fixed > 1 << 62
        {
            return Err(ExactError::Damaged(
                "a metadata value is out of range".into(),
            ));
        }
        let checkpoint = blake3::Hash::from_hex(&metadata.checkpoint)
            .map_err(|_| ExactError::Damaged("metadata: checkpoint is not 64 hex digits".into()))?;
        let start = header + 8;
        let tensors: BTreeMap<String, Entry> = index
            .tensors()
            .into_iter()
            .map(|(name, info)| {
                let (from, to) = info.data_offsets;
                let range = start + from..start + to;
                (
                    name,
                    Entry {
                        dtype: info.dtype,
                        shape: info.shape.clone(),
                        range,
                    },
                )
            })
            .collect();
        let mut prepared = Self {
            name: metadata.name,
            checkpoint: checkpoint.into(),
            recipe: metadata.recipe as u8,
            numerics: metadata.numerics as u8,
            blueprint,
            residual_frac_bits: metadata.residual_frac_bits as i32,
            eps_fixed: metadata.eps_fixed,
            identity: [0; 32],
            data,
            tensors,
        };
        prepared.identity = prepared.hash(prepared.numerics);
        Ok(prepared)
    }

    pub(super) fn hash(&self, numerics: u8) -> [u8; 32] {
        let blueprint = self.blueprint.canonical_json();
        let mut hash = blake3::Hasher::new();
        let mut put = |bytes: &[u8]| {
            hash.update(bytes);
        };
        put(b"lmz prepared model v1\n");
        for n in [
            u64::from(self.recipe),
            u64::from(numerics),
            self.residual_frac_bits as u64,
            self.eps_fixed,
        ] {
            put(&n.to_le_bytes());
        }
        put(&(blueprint.len() as u64).to_le_bytes());
        put(blueprint.as_bytes());
        for (name, entry) in &self.tensors {
            let dtype = entry.dtype.to_string();
            put(&(name.len() as u64).to_le_bytes());
            put(name.as_bytes());
            put(&(dtype.len() as u64).to_le_bytes());
            put(dtype.as_bytes());
            put(&(entry.shape.len() as u64).to_le_bytes());
            for &dimension in &entry.shape {
                put(&(dimension as u64).to_le_bytes());
            }
            put(&self.data[entry.range.clone()]);
        }
        hash.finalize().into()
    }

    pub(crate) fn damaged(&self, tensor: &str, why: &str) -> ExactError {
        ExactError::Damaged(format!("{tensor} {why}"))
    }

    /// Whether a tensor is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The bytes of a tensor of the given type and, where one is given, shape.
    pub(crate) fn bytes(&self, name: &str, dtype: Dtype, shape: Option<&[usize]>) -> Result<&[u8]> {
        let entry = self
            .tensors
            .get(name)
            .ok_or_else(|| self.damaged(name, "is missing"))?;
        if entry.dtype != dtype {
            return Err(self.damaged(name, &format!("is {}, not {dtype}", entry.dtype)));
        }
        if shape.is_some_and(|shape| shape != entry.shape) {
            return Err(self.damaged(
                name,
                &format!("has the shape {:?}, not {shape:?}", entry.shape),
            ));
        }
        Ok(&self.data[entry.range.clone()])
    }

    /// An int8 tensor. Weights of -128 are refused: the bounds of the sums exclude them.
    pub(crate) fn weights_i8(&self, name: &str, shape: [usize; 2]) -> Result<Vec<i8>> {
        let bytes = self.bytes(name, Dtype::I8, Some(&shape))?;
        if bytes.contains(&0x80) {
            return Err(self.damaged(name, "holds the weight -128"));
        }
        Ok(bytes.iter().map(|&b| b as i8).collect())
    }

    /// A vector of 32-bit integers, each with a magnitude of at most `limit`.
    pub(crate) fn i32s(&self, name: &str, len: usize, limit: i32) -> Result<Vec<i32>> {
        let bytes = self.bytes(name, Dtype::I32, Some(&[len]))?;
        let values: Vec<i32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| i32::from_le_bytes(*b))
            .collect();
        if values
            .iter()
            .any(|v| v.unsigned_abs() > limit.unsigned_abs())
        {
            return Err(self.damaged(name, "holds a value out of range"));
        }
        Ok(values)
    }

    /// A vector of unsigned 32-bit integers.
    pub(crate) fn u32s(&self, name: &str, len: usize) -> Result<Vec<u32>> {
        let bytes = self.bytes(name, Dtype::U32, Some(&[len]))?;
        Ok(bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| u32::from_le_bytes(*b))
            .collect())
    }

    /// A vector of unsigned 16-bit integers.
    pub(crate) fn u16s(&self, name: &str, len: usize) -> Result<Vec<u16>> {
        let bytes = self.bytes(name, Dtype::U16, Some(&[len]))?;
        Ok(bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| u16::from_le_bytes(*b))
            .collect())
    }

    /// Column shifts, empty if the layer has none.
    pub(crate) fn shifts(&self, name: &str, len: usize) -> Result<Vec<u8>> {
        if !self.has(name) {
            return Ok(Vec::new());
        }
        let shifts = self.bytes(name, Dtype::U8, Some(&[len]))?.to_vec();
        if shifts.iter().any(|&c| c > 20) {
            return Err(self.damaged(name, "holds a shift above 20"));
        }
        Ok(shifts)
    }
}

fn check(what: &'static str, found: u64, supported: &RangeInclusive<u8>) -> Result<()> {
    let [first, last] = [*supported.start(), *supported.end()].map(u64::from);
    if (first..=last).contains(&found) {
        return Ok(());
    }
    Err(ExactError::Version {
        what,
        found,
        supported: last,
    })
}
