//! Which models the integer engine computes.

use lmz_model::{
    Activation, Attention, Block, Blueprint, Ends, FeedForward, FeedForwardKind, HeadNorm, Norm,
    NormPlacement, Position, Residual,
};

use crate::error::{ExactError, Result};

/// Soft caps whose constants fit (docs/numerics.md, 3.15).
const CAPS: std::ops::RangeInclusive<f64> = 3.0..=10_000.0;
/// Most elements of one norm: their sum of squares fits 63 bits.
const MAX_NORMED: usize = 1 << 15;

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

/// The first feature that the numerics do not have. Every field is looked at by name, so that a new
/// one cannot be forgotten here.
fn beyond(blueprint: &Blueprint) -> Option<String> {
    let Blueprint {
        hidden_size: _,
        intermediate_size: _,
        layers: _,
        heads,
        kv_heads: _,
        head_dim,
        vocab_size: _,
        max_positions: _,
        norm,
        position,
        activation,
        tied_head: _,
        start_token: _,
        // How a checkpoint stores its tensors: a prepared model's go by the names of docs/lmzm.md.
        layout: _,
        block: Block { norms, residual },
        attention,
        feed_forward: FeedForward { kind, bias: _ },
        ends,
    } = blueprint;
    let Attention {
        input_bias: _,
        output_bias: _,
        head_norm,
        rotary_dim: _,
        scale: _,
        softcap,
        window: _,
    } = attention;
    let Ends {
        embedding_scale: _,
        head_bias: _,
        softcap: final_softcap,
    } = ends;
    let rms = matches!(norm, Norm::RmsNorm { .. } | Norm::RmsNormPlusOne { .. });
    let layer = matches!(norm, Norm::LayerNorm { .. } | Norm::BareLayerNorm { .. });
    let activations = [
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Relu,
    ];
    let beyond_caps = |cap: &Option<f64>| cap.is_some_and(|cap| !CAPS.contains(&cap));
    let found = [
        (
            matches!(kind, FeedForwardKind::Experts { .. }),
            "sparse experts",
        ),
        (
            !matches!(kind, FeedForwardKind::Gated | FeedForwardKind::Plain),
            "a feed-forward layer of an unknown kind",
        ),
        (!rms && !layer, "a norm of an unknown kind"),
        (
            !matches!(position, Position::Rope { .. } | Position::Learned),
            "positions of an unknown kind",
        ),
        (
            !activations.contains(activation),
            "an activation of an unknown kind",
        ),
        (
            layer && *norms != NormPlacement::Before,
            "layer norms after the halves of a layer",
        ),
        (
            *norms != NormPlacement::Before && *residual != Residual::Sequential,
            "a parallel residual with norms after the halves",
        ),
        (
            layer && *head_norm != HeadNorm::None,
            "layer norms of queries and keys",
        ),
        (
            *head_norm == HeadNorm::Whole && heads * head_dim > MAX_NORMED,
            "norms of queries over more than 2^15 elements",
        ),
        (
            beyond_caps(softcap),
            "a soft cap on attention scores outside 3..10000",
        ),
        (
            beyond_caps(final_softcap),
            "a soft cap on logits outside 3..10000",
        ),
    ];
    let (_, feature) = found.into_iter().find(|(has, _)| *has)?;
    Some(feature.to_owned())
}
