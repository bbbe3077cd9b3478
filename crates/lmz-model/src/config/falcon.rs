//! Falcon in its three forms: 7B (one key head, one norm), 40B and 180B (grouped, two norms), 11B
//! (grouped, one norm), and the sequential form of the first small ones.

use super::fields::Fields;
use super::table::{LLAMA, Table};
use crate::blueprint::{Blueprint, FeedForwardKind, Layout, Norm, Residual};
use crate::error::Result;

/// `FalconForCausalLM`.
pub(super) fn falcon(fields: &mut Fields) -> Result<Blueprint> {
    let table = Table {
        layout: Layout::Falcon,
        inner: "ffn_hidden_size",
        four_times: true,
        kv_heads: (Some("num_kv_heads"), None),
        head_dim: (false, None),
        norm: |eps| Norm::LayerNorm { eps },
        eps: ("layer_norm_epsilon", 1e-5),
        activation: ("activation", "gelu"),
        tied: true,
        bos: Some(11),
        ..LLAMA
    };
    let mut blueprint = table.read(fields)?;
    let newer = fields.flag("new_decoder_architecture")?.unwrap_or(false);
    let parallel = fields.flag("parallel_attn")?.unwrap_or(true);
    let norms = fields.uint("num_ln_in_parallel_attn")?;
    let one_key_head = fields.flag("multi_query")?.unwrap_or(true);
    blueprint.kv_heads = match (newer, one_key_head) {
        // Only the newer form reads the number of key heads.
        (true, _) => blueprint.kv_heads,
        (false, true) => 1,
        (false, false) => blueprint.heads,
    };
    blueprint.block.residual = match (newer, parallel, norms) {
        (true, true, None | Some(2)) => Residual::Parallel,
        (true, true, Some(1)) | (false, true, None | Some(1)) => Residual::ParallelSharedNorm,
        (false, false, _) => Residual::Sequential,
        (true, false, _) => return Err(fields.unsupported("parallel_attn", false)),
        (_, true, Some(other)) => {
            return Err(fields.unsupported("num_ln_in_parallel_attn", other));
        }
    };
    let bias = fields.flag("bias")?.unwrap_or(false);
    blueprint.feed_forward.kind = FeedForwardKind::Plain;
    blueprint.feed_forward.bias = bias;
    blueprint.attention.input_bias = bias;
    blueprint.attention.output_bias = bias;
    Ok(blueprint)
}
