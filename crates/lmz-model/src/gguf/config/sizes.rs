//! The sizes of a model.

use super::architecture::Architecture;
use super::keys::Keys;
use crate::error::{ModelError, Result};

/// Sizes that all families have.
pub(super) struct Sizes {
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) head_dim: usize,
    pub(super) inner: usize,
    pub(super) vocabulary: usize,
    pub(super) context: usize,
}

/// The tensor of layer 0 that fuses queries, keys and values.
const FUSED: &str = "blk.0.attn_qkv.weight";

impl Sizes {
    /// Reads them from the metadata, and from tensors where those know better.
    pub(super) fn read(arch: Architecture, keys: &mut Keys<'_>) -> Result<Self> {
        let hidden = keys.required("embedding_length")?;
        let layers = keys.required("block_count")?;
        let heads = keys.required("attention.head_count")?;
        if hidden == 0 || heads == 0 {
            return Err(keys.invalid("attention.head_count", format!("is {heads}")));
        }
        let head_dim = keys.uint("attention.key_length")?.unwrap_or(hidden / heads);
        if let Some(values) = keys.uint("attention.value_length")?
            && values != head_dim
        {
            return Err(keys.unsupported("attention.value_length", values));
        }
        let gguf = keys.gguf;
        let missing = |tensor: &str| ModelError::MissingTensor {
            tensor: tensor.into(),
            file: gguf.file().into(),
        };
        // The width of a tensor's rows, or their number.
        let rows = |tensor: &str, from_last: usize| {
            let shape = gguf.shape(tensor)?;
            shape.get(shape.len().checked_sub(from_last)?).copied()
        };
        let vocabulary =
            rows("token_embd.weight", 2).ok_or_else(|| missing("token_embd.weight"))?;
        let kv_heads = keys.uint("attention.head_count_kv")?;
        // Falcon's and StarCoder's metadata may be wrong; the fused tensor is not.
        let fused = rows(FUSED, 2).filter(|_| head_dim > 0);
        let fused = fused.and_then(|rows| Some((rows / head_dim).checked_sub(heads)? / 2));
        let kv_heads = match arch {
            Architecture::Falcon | Architecture::Starcoder => fused.or(kv_heads),
            _ => kv_heads,
        };
        let ups = [
            "blk.0.ffn_up.weight",
            "blk.0.ffn_up_exps.weight",
            "blk.0.ffn_up.0.weight",
        ];
        let inner = match ups.iter().find_map(|up| rows(up, 2)) {
            Some(inner) => inner,
            None => keys.required("feed_forward_length")?,
        };
        let context = match arch {
            Architecture::Gpt2 | Architecture::Starcoder => {
                keys.uint("context_length")?;
                rows("position_embd.weight", 2).ok_or_else(|| missing("position_embd.weight"))?
            }
            _ => keys.required("context_length")?,
        };
        Ok(Self {
            hidden,
            layers,
            heads,
            kv_heads: kv_heads.unwrap_or(heads),
            head_dim,
            inner,
            vocabulary,
            context,
        })
    }
}
