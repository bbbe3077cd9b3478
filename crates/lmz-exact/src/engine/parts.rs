//! What an engine is made of.

use lmz_model::{FeedForwardKind, HeadNorm, Norm as Kind, Position, Residual};

use super::layer::{self, Layer, Norm, scale_exponent, scales};
use super::rotary::Rotary;
use super::shape::Shape;
use super::symbols::Symbols;
use crate::error::{ExactError, Result};
use crate::kernel::{Linear, Nonlinearity, Softcap};
use crate::prepared::Prepared;

/// The constants of a model, all within the bounds of docs/numerics.md, section 2.
#[derive(Debug)]
pub struct Parts {
    /// Sizes.
    pub shape: Shape,
    /// How the parts are put together.
    pub rules: Rules,
    /// F: fractional bits of the residual stream.
    pub residual_frac_bits: i32,
    /// d · eps · 2^(2F).
    pub eps_fixed: u64,
    /// Rows by token id, as they stand in the file.
    pub embed: Embedding,
    /// Rows by position, where positions are learned.
    pub positions: Option<Embedding>,
    /// From the embedding to the last norm.
    pub layers: Vec<Layer>,
    /// The last one.
    pub norm: Norm,
    /// A row for each symbol.
    pub head: Linear,
    /// Of ordinary layers; none where positions are learned.
    pub rotary: Option<Rotary>,
    /// Of windowed layers ([`Layer::local`]), where they differ.
    pub local_rotary: Option<Rotary>,
}

/// A table of rows of the residual stream (docs/numerics.md, 3.3).
#[derive(Debug)]
pub struct Embedding {
    /// Weights, row after row.
    pub w: Vec<i8>,
    /// Row scale mantissas.
    pub m: Vec<i32>,
    /// Their exponent.
    pub e: i32,
    /// Column shifts, or nothing.
    pub c: Vec<u8>,
}

/// How the parts of a forward pass are put together.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Norms of the residual stream take its mean away.
    pub centred: bool,
    /// Both halves of a layer read the same residual stream.
    pub parallel: bool,
    /// A norm of queries and keys sees each head alone.
    pub per_head: bool,
    /// The feed-forward layer has a gate.
    pub gated: bool,
    /// The gate's, or that between the feed-forward layer's two maps.
    pub nonlinearity: Nonlinearity,
    /// On attention scores.
    pub attention_softcap: Option<Softcap>,
    /// On logits.
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
        let layers = (0..b.layers).map(|i| Layer::read(prepared, &shape, i));
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

/// A table of rows of the residual stream.
fn embedding(prepared: &Prepared, name: &str, rows: usize) -> Result<Embedding> {
    let width = prepared.blueprint.hidden_size;
    Ok(Embedding {
        w: prepared.weights_i8(&format!("{name}.w"), [rows, width])?,
        m: scales(prepared, &format!("{name}.m"), rows)?,
        e: scale_exponent(prepared, &format!("{name}.e"))?,
        c: prepared.shifts(&format!("{name}.c"), width)?,
    })
}

/// The head's rows, in order of symbols.
fn head(prepared: &Prepared, embed: &Embedding, symbols: &Symbols) -> Result<Linear> {
    let b = &prepared.blueprint;
    let (own, own_c);
    let (w, c) = if b.tied_head {
        (&embed.w, &embed.c)
    } else {
        own = prepared.weights_i8("head.w", [b.vocab_size, b.hidden_size])?;
        own_c = prepared.shifts("head.c", b.hidden_size)?;
        (&own, &own_c)
    };
    let all = scales(prepared, "head.m", b.vocab_size)?;
    let mut rows = Vec::with_capacity(symbols.len() * b.hidden_size);
    let mut m = Vec::with_capacity(symbols.len());
    for &token in symbols.tokens() {
        let row = token as usize * b.hidden_size;
        rows.extend_from_slice(&w[row..row + b.hidden_size]);
        m.push(all[token as usize]);
    }
    let e = scale_exponent(prepared, "head.e")?;
    let mut head = Linear::new(&rows, &m, b.hidden_size, e, c);
    if b.ends.head_bias {
        let mut bias = layer::bias(prepared, "head", b.vocab_size)?;
        let tokens = symbols.tokens().iter();
        bias.b = tokens.map(|&token| bias.b[token as usize]).collect();
        head.bias = Some(bias);
    }
    Ok(head)
}
