//! Which models the integer engine computes: those whose mathematics is a Llama's.

use lmz_model::{
    Activation, Attention, Block, Blueprint, Ends, FeedForward, FeedForwardKind, HeadNorm, Layout,
    Norm, NormPlacement, Position, Residual,
};

use crate::error::{ExactError, Result};

/// Checks that a model has nothing that this version of the numerics does not define.
///
/// # Errors
/// [`ExactError::Unsupported`] names the first such feature.
pub(crate) fn check(blueprint: &Blueprint) -> Result<()> {
    match beyond(blueprint) {
        None => Ok(()),
        Some(feature) => Err(ExactError::Unsupported(format!(
            "it has {feature}, which this version's integer engine does not do"
        ))),
    }
}

/// The first feature beyond a Llama's. Every field is looked at by name, so that a new one cannot
/// be forgotten here.
fn beyond(blueprint: &Blueprint) -> Option<String> {
    let Blueprint {
        hidden_size: _,
        intermediate_size: _,
        layers: _,
        heads: _,
        kv_heads: _,
        head_dim: _,
        vocab_size: _,
        max_positions: _,
        norm,
        position,
        activation,
        tied_head: _,
        start_token: _,
        layout,
        block: Block { norms, residual },
        attention,
        feed_forward: FeedForward { kind, bias },
        ends,
    } = blueprint;
    let Attention {
        input_bias,
        output_bias,
        head_norm,
        rotary_dim,
        scale,
        softcap,
        window,
    } = attention;
    let Ends {
        embedding_scale,
        head_bias,
        softcap: final_softcap,
    } = ends;
    let rms = matches!(norm, Norm::RmsNorm { .. });
    let rotary = matches!(position, Position::Rope { .. });
    let found = [
        (!rms, "a norm that is not a plain RMS norm"),
        (!rotary, "learned positions"),
        (
            *activation != Activation::Silu,
            "an activation that is not SiLU",
        ),
        (
            *norms != NormPlacement::Before,
            "norms after the halves of a layer",
        ),
        (*residual != Residual::Sequential, "a parallel residual"),
        (*input_bias, "biases of query, key and value"),
        (*output_bias, "a bias of the attention's output"),
        (*head_norm != HeadNorm::None, "norms of queries and keys"),
        (rotary_dim.is_some(), "a partial rotation of heads"),
        (scale.is_some(), "a scale of attention scores of its own"),
        (softcap.is_some(), "a soft cap on attention scores"),
        (window.is_some(), "sliding-window attention"),
        (
            matches!(kind, FeedForwardKind::Experts { .. }),
            "sparse experts",
        ),
        (
            *kind != FeedForwardKind::Gated,
            "a feed-forward layer without a gate",
        ),
        (*bias, "biases of the feed-forward layer"),
        (embedding_scale.is_some(), "scaled embeddings"),
        (*head_bias, "a bias of the output head"),
        (final_softcap.is_some(), "a soft cap on logits"),
    ];
    if let Some((_, feature)) = found.into_iter().find(|(has, _)| *has) {
        return Some(feature.to_owned());
    }
    // Tensors under other names would be found by a reader that asks for parts, but the identity
    // of a prepared model is defined for this layout alone.
    (*layout != Layout::Llama).then(|| format!("the tensor layout {layout:?}"))
}
