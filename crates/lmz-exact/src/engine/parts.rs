//! What an engine is made of.

use lmz_model::{FeedForwardKind, HeadNorm, Norm as Kind, Position, Residual};
use safetensors::Dtype;

use super::layer::{self, Layer, Norm, scale_exponent, scales};
use super::rotary::Rotary;
use super::shape::Shape;
use super::symbols::Symbols;
use crate::error::{ExactError, Result};
use crate::kernel::{Linear, Nonlinearity, Softcap};
use crate::prepared::{Prepared, Rows, WIDE_NUMERICS};

/// What the forward pass reads of a model, all within the bounds of docs/numerics.md, section 2.
#[derive(Debug)]
pub struct Parts {
    /// Widths, numbers of heads, and bits of mantissas.
    pub shape: Shape,
    /// Which operations the forward pass is made of, and in which order.
    pub rules: Rules,
    /// F: fractional bits of the residual stream.
    pub residual_frac_bits: i32,
    /// d · eps · 2^(2F), rounded; at most 2^62.
    pub eps_fixed: u64,
    /// `[vocab_size][width]`: rows by token id.
    pub embed: Embedding,
    /// `[max_positions][width]`: rows by position; `None` where positions are not learned.
    pub positions: Option<Embedding>,
    /// In order; the first reads the embedding.
    pub layers: Vec<Layer>,
    /// The norm between the last layer and the head.
    pub norm: Norm,
    /// From the residual stream to the logits: a row for each symbol, in the symbols' order.
    pub head: Linear,
    /// Rotation of queries and keys in ordinary layers; `None` where positions are learned.
    pub rotary: Option<Rotary>,
    /// Rotation in windowed layers ([`Layer::local`]); `None` where it is that of ordinary ones.
    pub local_rotary: Option<Rotary>,
}

/// A table of rows of the residual stream (docs/numerics.md, 3.3).
#[derive(Debug)]
pub struct Embedding {
    /// `[rows][width]` weights.
    pub rows: Rows,
    /// Scale mantissas by row; not negative.
    pub m: Vec<i32>,
    /// The exponent that all scales share: an element is w · m · 2^(e + c), of a fine row a 256th of that.
    pub e: i32,
    /// Column shifts `[width]`, 0 to 20; empty where the file has none.
    pub c: Vec<u8>,
}

/// Which operations a forward pass is made of.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Norms of the residual stream take its mean away.
    pub centred: bool,
    /// Both halves of a layer read the same residual stream, and their outputs are added together.
    pub parallel: bool,
    /// A norm of queries or keys sees each head alone; if false, all heads together.
    pub per_head: bool,
    /// The feed-forward half multiplies by a gate.
    pub gated: bool,
    /// Of the gate, or of the inner elements where there is no gate.
    pub nonlinearity: Nonlinearity,
    /// Values have 15 bits: version 2 of the numerics.
    pub wide_values: bool,
    /// Soft cap of attention scores; `None` where the model has none.
    pub attention_softcap: Option<Softcap>,
    /// Soft cap of logits; `None` where the model has none.
    pub final_softcap: Option<Softcap>,
}

impl Rules {
    fn new(prepared: &Prepared) -> Result<Self> {
        let b = &prepared.blueprint;
        let cap = |name, has: Option<f64>| layer::cap(prepared, name, has.is_some());
        Ok(Self {
            centred: matches!(b.norm, Kind::LayerNorm { .. } | Kind::BareLayerNorm { .. }),
            parallel: b.block.residual != Residual::Sequential,
            per_head: b.attention.head_norm == HeadNorm::PerHead,
            gated: b.feed_forward.kind == FeedForwardKind::Gated,
            nonlinearity: layer::nonlinearity(b.activation)?,
            wide_values: prepared.numerics == WIDE_NUMERICS,
            attention_softcap: cap("scores.cap", b.attention.softcap)?,
            final_softcap: cap("head.cap", b.ends.softcap)?,
        })
    }
}

impl Parts {
    pub(super) fn read(prepared: &Prepared, symbols: &Symbols) -> Result<Self> {
        let b = &prepared.blueprint;
        let shape = Shape::new(b);
        within_bounds(prepared, &shape)?;
        let wide = wide_layers(prepared)?.into_iter().enumerate();
        let layers = wide.map(|(i, wide)| Layer::read(prepared, &shape, i, wide));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let embed = embedding(prepared, "embed", b.vocab_size)?;
        let learned = b.position == Position::Learned;
        let positions = learned.then(|| embedding(prepared, "positions", b.max_positions));
        let rotated = b.attention.rotary_dim.unwrap_or(b.head_dim);
        let rotary = |has: bool, name: &str| -> Result<Option<Rotary>> {
            let read = || prepared.u32s(name, rotated / 2).map(Rotary::new);
            has.then(read).transpose()
        };
        let local = layers.iter().any(|layer| layer.local);
        Ok(Self {
            shape,
            rules: Rules::new(prepared)?,
            residual_frac_bits: prepared.residual_frac_bits,
            eps_fixed: prepared.eps_fixed,
            head: head(prepared, &embed, symbols)?,
            embed,
            positions: positions.transpose()?,
            layers,
            norm: layer::norm(prepared, "norm", b)?,
            rotary: rotary(!learned, "rope.freq")?,
            local_rotary: rotary(local, "rope.local")?,
        })
    }

    /// The frequencies of ordinary layers and of windowed ones: turns per position in units of 2^-32, none where
    /// positions are learned.
    pub fn frequencies(&self) -> [&[u32]; 2] {
        let own = self.rotary.as_ref();
        let local = self.local_rotary.as_ref().or(own);
        [own, local].map(|rotary| rotary.map_or(&[][..], Rotary::frequencies))
    }

    /// Whether some layer sees less than all positions.
    pub fn windowed(&self) -> bool {
        self.layers.iter().any(|layer| layer.window.is_some())
    }
}

/// Refuses sizes of which a sum could overflow (docs/numerics.md, section 2).
fn within_bounds(prepared: &Prepared, shape: &Shape) -> Result<()> {
    let b = &prepared.blueprint;
    let normed = match b.attention.head_norm {
        HeadNorm::Whole => shape.queries(),
        _ => 0,
    };
    for (what, size, most) in [
        ("hidden_size", b.hidden_size, 1 << 15),
        ("intermediate_size", b.intermediate_size, 1 << 20),
        ("heads * head_dim", shape.queries(), 1 << 20),
        ("heads * head_dim, normed as a whole,", normed, 1 << 15),
        ("head_dim", b.head_dim, 512),
    ] {
        if size > most {
            return Err(ExactError::Unsupported(format!(
                "{what} is {size}, above {most}: sums would overflow"
            )));
        }
    }
    Ok(())
}

/// Which layers have wide scores: none in version 1 of the numerics.
fn wide_layers(prepared: &Prepared) -> Result<Vec<bool>> {
    let layers = prepared.blueprint.layers;
    if prepared.numerics < WIDE_NUMERICS {
        return Ok(vec![false; layers]);
    }
    let name = "scores.wide";
    let flags = prepared.bytes(name, Dtype::U8, Some(&[layers]))?;
    if flags.iter().any(|&flag| flag > 1) {
        return Err(prepared.damaged(name, "holds a value above 1"));
    }
    Ok(flags.iter().map(|&flag| flag == 1).collect())
}

/// A table of rows of the residual stream.
fn embedding(prepared: &Prepared, name: &str, rows: usize) -> Result<Embedding> {
    let width = prepared.blueprint.hidden_size;
    Ok(Embedding {
        rows: prepared.rows(name, [rows, width])?,
        m: scales(prepared, &format!("{name}.m"), rows)?,
        e: scale_exponent(prepared, &format!("{name}.e"))?,
        c: prepared.shifts(&format!("{name}.c"), width)?,
    })
}

/// The head's rows, in order of symbols.
fn head(prepared: &Prepared, embed: &Embedding, symbols: &Symbols) -> Result<Linear> {
    let b = &prepared.blueprint;
    let own;
    let (rows, c) = if b.tied_head {
        (&embed.rows, &embed.c)
    } else {
        own = (
            prepared.rows("head", [b.vocab_size, b.hidden_size])?,
            prepared.shifts("head.c", b.hidden_size)?,
        );
        (&own.0, &own.1)
    };
    let all = scales(prepared, "head.m", b.vocab_size)?;
    let tokens = symbols.tokens();
    let m: Vec<i32> = tokens.iter().map(|&token| all[token as usize]).collect();
    let rows = rows.chosen(tokens, b.hidden_size);
    let e = scale_exponent(prepared, "head.e")?;
    let mut head = layer::packed(rows, &m, b.hidden_size, e, c);
    if b.ends.head_bias {
        let mut bias = layer::bias(prepared, "head", b.vocab_size)?;
        let tokens = symbols.tokens().iter();
        bias.b = tokens.map(|&token| bias.b[token as usize]).collect();
        head.bias = Some(bias);
    }
    Ok(head)
}
