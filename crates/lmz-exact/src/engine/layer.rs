//! What a layer is made of, and reading it from a prepared model.

use lmz_model::{Activation, Blueprint, FeedForwardKind, HeadNorm, NormPlacement, Residual};

use super::shape::Shape;
use crate::error::{ExactError, Result};
use crate::kernel::{Bias, Linear, Nonlinearity, Softcap, Steps};
use crate::prepared::{Prepared, Rows};
use crate::tables::{padded_normal_table, padded_sigmoid_table, padded_tanh_table};

/// A norm of the residual stream.
#[derive(Debug)]
pub struct Norm {
    /// Gains `[width]`, magnitudes below 2^21.
    pub g: Vec<i32>,
    /// The exponent that all gains share.
    pub e: i32,
    /// Added to the output; `None` unless it is a layer norm with a bias.
    pub bias: Option<Bias>,
}

/// A norm of a linear layer's output (docs/numerics.md, 3.12).
#[derive(Debug)]
pub struct BlockNorm {
    /// Gains, magnitudes below 2^21: one for each normed element.
    pub g: Vec<i32>,
    /// The exponent that all gains share.
    pub e: i32,
    /// Epsilon times the width: a mantissa, not negative, and an exponent.
    pub eps: (i32, i32),
}

/// A transformer layer: an attention half and a feed-forward half, each from the residual stream and back to it.
#[derive(Debug)]
pub struct Layer {
    /// Norm before the attention; `None` where norms stand after the halves only.
    pub attn_norm: Option<Norm>,
    /// To queries, keys and values: their rows one below the other.
    pub qkv: Linear,
    /// Norms of the queries and of the keys; `None` where the model has none.
    pub head_norms: Option<[BlockNorm; 2]>,
    /// From the attention's output back to the residual stream.
    pub o: Linear,
    /// Norm of `o`'s output before it is added; `None` where norms stand before the halves only.
    pub attn_post_norm: Option<BlockNorm>,
    /// Norm before the feed-forward half; `None` where norms stand after, or where both halves share one.
    pub ffn_norm: Option<Norm>,
    /// To the gate and the inner elements, the gate's rows first; to the inner elements alone where there is no gate.
    pub up: Linear,
    /// From the inner elements back to the residual stream.
    pub down: Linear,
    /// Norm of `down`'s output before it is added; `None` where norms stand before the halves only.
    pub ffn_post_norm: Option<BlockNorm>,
    /// How many positions a row sees, its own included; `None` for all up to its own.
    pub window: Option<usize>,
    /// Whether it rotates by [`Parts::local_rotary`](super::parts::Parts::local_rotary).
    pub local: bool,
    /// Whether its scores are wide (docs/numerics.md, 3.16).
    pub wide: bool,
}

impl Layer {
    pub(crate) fn read(
        prepared: &Prepared,
        shape: &Shape,
        index: usize,
        wide: bool,
    ) -> Result<Self> {
        let b = &prepared.blueprint;
        let name = |part: &str| format!("layers.{index}.{part}");
        let (queries, keys) = (shape.queries(), shape.keys());
        let (before, after) = (
            b.block.norms != NormPlacement::After,
            b.block.norms != NormPlacement::Before,
        );
        let own = before && b.block.residual != Residual::ParallelSharedNorm;
        let pre = |has: bool, part: &str| -> Result<Option<Norm>> {
            has.then(|| norm(prepared, &name(part), b)).transpose()
        };
        let post = |part: &str| -> Result<Option<BlockNorm>> {
            let read = || block_norm(prepared, &name(part), b.hidden_size);
            after.then(read).transpose()
        };
        let (up, rows) = match b.feed_forward.kind {
            FeedForwardKind::Gated => ("gate_up", 2 * b.intermediate_size),
            _ => ("up", b.intermediate_size),
        };
        let head_norms = match b.attention.head_norm {
            HeadNorm::None => None,
            kind => {
                let whole = kind == HeadNorm::Whole;
                let sizes = if whole {
                    [queries, keys]
                } else {
                    [b.head_dim; 2]
                };
                Some([
                    block_norm(prepared, &name("q_norm"), sizes[0])?,
                    block_norm(prepared, &name("k_norm"), sizes[1])?,
                ])
            }
        };
        let window = b.attention.window.as_ref();
        let window = window.filter(|w| w.layers.is_empty() || w.layers[index]);
        let (attention, feed) = (&b.attention, b.feed_forward);
        let map = |part: &str, out, k, bias| linear(prepared, &name(part), out, k, bias);
        Ok(Self {
            attn_norm: pre(before, "attn_norm")?,
            qkv: map(
                "qkv",
                queries + 2 * keys,
                b.hidden_size,
                attention.input_bias,
            )?,
            head_norms,
            o: map("o", b.hidden_size, queries, attention.output_bias)?,
            attn_post_norm: post("attn_post_norm")?,
            ffn_norm: pre(own, "ffn_norm")?,
            up: map(up, rows, b.hidden_size, feed.bias)?,
            down: map("down", b.hidden_size, b.intermediate_size, feed.bias)?,
            ffn_post_norm: post("ffn_post_norm")?,
            window: window.map(|w| w.tokens),
            local: window.is_some_and(|w| w.theta.is_some()),
            wide,
        })
    }
}

/// The non-linearity that a blueprint asks for.
pub(crate) fn nonlinearity(activation: Activation) -> Result<Nonlinearity> {
    Ok(match activation {
        Activation::Silu => Nonlinearity::Gate(padded_sigmoid_table()),
        Activation::Gelu => Nonlinearity::Gate(padded_normal_table()),
        Activation::GeluTanh => Nonlinearity::Gate(padded_tanh_table()),
        Activation::Relu => Nonlinearity::Relu,
        other => {
            return Err(ExactError::Unsupported(format!("the activation {other:?}")));
        }
    })
}

pub(crate) fn scale_exponent(prepared: &Prepared, name: &str) -> Result<i32> {
    // Far beyond what a double's exponent can make of finite weights.
    Ok(prepared.i32s(name, 1, 2000)?[0])
}

/// A norm of the residual stream.
pub(crate) fn norm(prepared: &Prepared, name: &str, b: &Blueprint) -> Result<Norm> {
    let biased = matches!(b.norm, lmz_model::Norm::LayerNorm { .. });
    Ok(Norm {
        g: prepared.i32s(&format!("{name}.g"), b.hidden_size, (1 << 21) - 1)?,
        e: scale_exponent(prepared, &format!("{name}.e"))?,
        bias: biased
            .then(|| bias(prepared, name, b.hidden_size))
            .transpose()?,
    })
}

fn block_norm(prepared: &Prepared, name: &str, width: usize) -> Result<BlockNorm> {
    let eps = format!("{name}.eps");
    let values = prepared.i32s(&eps, 2, i32::MAX)?;
    if values[0] < 0 || values[1].unsigned_abs() > 2000 {
        return Err(ExactError::Damaged(format!(
            "{eps} holds a value out of range"
        )));
    }
    Ok(BlockNorm {
        g: prepared.i32s(&format!("{name}.g"), width, (1 << 21) - 1)?,
        e: scale_exponent(prepared, &format!("{name}.e"))?,
        eps: (values[0], values[1]),
    })
}

pub(crate) fn bias(prepared: &Prepared, name: &str, len: usize) -> Result<Bias> {
    Ok(Bias {
        b: prepared.i32s(&format!("{name}.b"), len, (1 << 29) - 1)?,
        e: scale_exponent(prepared, &format!("{name}.be"))?,
    })
}

/// The constants of a soft cap, where the blueprint has one.
pub(crate) fn cap(prepared: &Prepared, name: &str, has: bool) -> Result<Option<Softcap>> {
    if !has {
        return Ok(None);
    }
    let values = prepared.i32s(name, 2, i32::MAX)?;
    if values[0] < 1 || !(1..=1 << 30).contains(&values[1]) {
        return Err(ExactError::Damaged(format!(
            "{name} holds a value out of range"
        )));
    }
    Ok(Some(Softcap {
        inverse: values[0],
        cap: values[1],
    }))
}

pub(crate) fn scales(prepared: &Prepared, name: &str, len: usize) -> Result<Vec<i32>> {
    let m = prepared.i32s(name, len, i32::MAX)?;
    if m.iter().any(|&m| m < 0) {
        return Err(ExactError::Damaged(format!(
            "{name} holds a negative scale"
        )));
    }
    Ok(m)
}

/// A linear layer of `k` columns without a bias.
pub(crate) fn packed(rows: Rows, m: &[i32], k: usize, e: i32, c: &[u8]) -> Linear {
    match &rows.blocks {
        Some(blocks) => {
            let steps = Steps {
                size: blocks.size,
                half_bytes: blocks.half_bytes,
                factors: &blocks.factors,
                offsets: &blocks.offsets,
            };
            Linear::in_blocks(&rows.w, steps, m, k, e, c)
        }
        None => {
            let mut layer = Linear::new(&rows.w, m, k, e, c);
            layer.refine(rows.fine.rows, &rows.fine.w);
            layer
        }
    }
}

fn linear(prepared: &Prepared, name: &str, out: usize, k: usize, biased: bool) -> Result<Linear> {
    let rows = prepared.rows(name, [out, k])?;
    let m = scales(prepared, &format!("{name}.m"), out)?;
    let c = prepared.shifts(&format!("{name}.c"), k)?;
    let e = scale_exponent(prepared, &format!("{name}.e"))?;
    let mut layer = packed(rows, &m, k, e, &c);
    layer.bias = biased.then(|| bias(prepared, name, out)).transpose()?;
    Ok(layer)
}
