//! A prepared model in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use lmz_model::{Blueprint, Vocabulary};
use safetensors::Dtype;

/// The version of numerics.md that new models and files name, unless scores of some layer have to be wide.
pub const NUMERICS_VERSION: u8 = 1;
/// The version with wide scores.
pub const WIDE_NUMERICS: u8 = 2;
/// The versions of numerics.md that this build computes. 0, the draft, has the arithmetic of 1.
pub const NUMERICS: RangeInclusive<u8> = 0..=WIDE_NUMERICS;
/// The recipe of models for [`NUMERICS_VERSION`].
pub const RECIPE: u8 = 1;
/// The recipe of models for [`WIDE_NUMERICS`].
pub const WIDE_RECIPE: u8 = 2;
/// The recipe of models whose weights stand in blocks, for [`WIDE_NUMERICS`].
pub const BLOCK_RECIPE: u8 = 3;
/// The recipe of models whose weights stand in blocks and some of whose scores are large, for [`WIDE_NUMERICS`].
pub const LEVEL_RECIPE: u8 = 4;
/// The recipes whose models this build reads.
pub const RECIPES: RangeInclusive<u8> = RECIPE..=LEVEL_RECIPE;
/// The version of lmzm.md that this build reads.
pub const LMZM_VERSION: u8 = 1;

/// A prepared model, as it stands in its file.
#[derive(Clone)]
pub struct Prepared {
    /// What people call it; not part of its identity.
    pub name: String,
    /// Content hash of the checkpoint it was made from.
    pub checkpoint: [u8; 32],
    /// Number of the recipe that made it.
    pub recipe: u8,
    /// The version of the numerics that it is meant for.
    pub numerics: u8,
    /// The model's architecture and sizes.
    pub blueprint: Blueprint,
    /// F: fractional bits of the residual stream.
    pub residual_frac_bits: i32,
    /// d · eps · 2^(2F), rounded; at most 2^62.
    pub eps_fixed: u64,
    pub(super) identity: [u8; 32],
    pub(super) data: Cow<'static, [u8]>,
    pub(super) tensors: BTreeMap<String, Entry>,
}

/// Where a tensor lies in the file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub range: Range<usize>,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("name", &self.name)
            .field(
                "identity",
                &blake3::Hash::from_bytes(self.identity).to_hex(),
            )
            .field("blueprint", &self.blueprint)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    /// BLAKE3 of all that can reach a probability (docs/lmzm.md, "Identity").
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// The identity by which files of version `numerics` of the numerics name this model. `None` if the arithmetic of
    /// that version is not that of the model's own, or is not known.
    pub fn identity_under(&self, numerics: u8) -> Option<[u8; 32]> {
        match numerics {
            own if own == self.numerics => Some(self.identity),
            other if other.max(self.numerics) <= NUMERICS_VERSION => Some(self.hash(other)),
            _ => None,
        }
    }

    /// The bytes of the `.lmzm` file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.data
    }

    /// Number of weights, the embedding counted once.
    pub fn weights(&self) -> u64 {
        let int8 = self.tensors.iter();
        let int8 = int8.filter(|(name, t)| t.dtype == Dtype::I8 && !is_low(name));
        let int8: u64 = int8.map(|(_, t)| t.range.len() as u64).sum();
        int8 + self.block_weights()[0]
    }

    /// The table from token ids to their bytes.
    pub fn vocabulary(&self) -> crate::Result<Vocabulary> {
        let lengths = self.u16s("vocab.len", self.blueprint.vocab_size)?;
        let mut bytes = self.bytes("vocab.bytes", Dtype::U8, None)?;
        let mut parts = Vec::with_capacity(lengths.len());
        for length in lengths {
            if usize::from(length) > bytes.len() {
                return Err(self.damaged("vocab.bytes", "is shorter than vocab.len says"));
            }
            let (token, rest) = bytes.split_at(usize::from(length));
            parts.push((length > 0).then(|| token.to_vec()));
            bytes = rest;
        }
        if !bytes.is_empty() {
            return Err(self.damaged("vocab.bytes", "is longer than vocab.len says"));
        }
        Ok(Vocabulary::from_parts(parts))
    }

    /// The reduced tokenizer.json that an encoder needs.
    #[cfg(feature = "prepare")]
    pub fn tokenizer_json(&self) -> crate::Result<Vec<u8>> {
        use std::io::Read;

        const LIMIT: u64 = 64 << 20;
        let packed = self.bytes("tokenizer", Dtype::U8, None)?;
        let no_frame = |_| self.damaged("tokenizer", "is not a zstd frame");
        let mut json = Vec::new();
        let frame = zstd::stream::read::Decoder::with_buffer(packed).map_err(no_frame)?;
        // No more than it has is asked for.
        let mut bounded = frame.single_frame().take(LIMIT + 1);
        bounded.read_to_end(&mut json).map_err(no_frame)?;
        match json.len() as u64 > LIMIT {
            true => Err(self.damaged("tokenizer", "is too large")),
            false => Ok(json),
        }
    }
}

/// Whether a tensor is the low plane of some rows.
pub(super) fn is_low(name: &str) -> bool {
    name.ends_with(".low")
}
