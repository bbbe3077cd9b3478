//! The forward pass in integers (docs/numerics.md, section 4).

mod attention;
mod cache;
mod forward;
mod layer;
mod parts;
mod rotary;
mod scores;
mod symbols;

use lmz_model::{Blueprint, FeedForwardKind, HeadNorm, Norm as Kind, Position, Residual};

use crate::error::{ExactError, Result};
use crate::kernel::{Cap, Kernel, Linear, Nonlinearity};
use crate::prepared::Prepared;
pub use cache::Cache;
pub use forward::{Run, Scratch};
pub use layer::{BlockNorm, Layer, Norm};
use layer::{scale_exponent, scales};
pub use parts::Parts;
use rotary::Rotary;
pub use scores::Scores;
pub use symbols::Symbols;

/// Longest context: sums of attention stay below 2^41.
pub const MAX_CONTEXT: usize = 1 << 17;

/// A model, ready to run. Immutable: threads share it.
#[derive(Debug)]
pub struct Engine {
    kernel: Kernel,
    shape: Shape,
    identity: [u8; 32],
    start_token: u32,
    residual_frac_bits: i32,
    eps_fixed: u64,
    /// Rows of the embedding by token id, as they stand in the file.
    embed: Embedding,
    /// Rows of learned positions.
    positions: Option<Embedding>,
    layers: Vec<Layer>,
    norm: Norm,
    /// Rows are symbols.
    head: Linear,
    rules: Rules,
    /// Of ordinary layers; none where positions are learned.
    rotary: Option<Rotary>,
    /// Of windowed layers, where they differ.
    local_rotary: Option<Rotary>,
    symbols: Symbols,
}

/// The sizes of a forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Of the residual stream, d.
    pub width: usize,
    /// Of the feed-forward layer, f.
    pub inner: usize,
    /// Of queries, H.
    pub heads: usize,
    /// Of keys and values, G.
    pub kv_heads: usize,
    /// Elements of a head, D.
    pub head_dim: usize,
    /// Bits of a query's mantissas.
    pub query_bits: i32,
    /// Bits of a key's mantissas.
    pub key_bits: i32,
}

/// Bits of a value's mantissas.
pub const VALUE_BITS: i32 = 9;

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
    pub score_cap: Option<Cap>,
    /// On logits.
    pub logit_cap: Option<Cap>,
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
            score_cap: cap("scores.cap", b.attention.softcap)?,
            logit_cap: cap("head.cap", b.ends.softcap)?,
        })
    }
}

impl Shape {
    fn new(b: &Blueprint) -> Self {
        let products = b.head_dim.next_power_of_two().trailing_zeros() as i32;
        let bits = (31 - products).min(30);
        Self {
            width: b.hidden_size,
            inner: b.intermediate_size,
            heads: b.heads,
            kv_heads: b.kv_heads,
            head_dim: b.head_dim,
            query_bits: (bits + 1) / 2,
            key_bits: bits / 2,
        }
    }

    /// Rows of the queries' part of `qkv`.
    pub fn queries(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Rows of the keys' part of `qkv`, and of the values'.
    pub fn keys(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}

impl Engine {
    /// Loads a prepared model for the given kernels.
    ///
    /// # Errors
    /// A damaged model, or one that breaks the bounds of docs/numerics.md, section 2.
    pub fn new(prepared: &Prepared, kernel: Kernel) -> Result<Self> {
        let b = &prepared.blueprint;
        let shape = Shape::new(b);
        within_bounds(b, &shape)?;
        let symbols = Symbols::new(prepared.vocabulary()?)?;
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
            kernel,
            shape,
            identity: prepared.identity(),
            start_token: b.start_token,
            residual_frac_bits: prepared.residual_frac_bits,
            eps_fixed: prepared.eps_fixed,
            head: head(prepared, &embed, &symbols)?,
            embed,
            positions: positions.transpose()?,
            layers,
            norm: layer::norm(prepared, "norm", b)?,
            rules: Rules::new(prepared)?,
            rotary: rotary(!learned, "rope.freq")?,
            local_rotary: rotary(local, "rope.local")?,
            symbols,
        })
    }

    /// The prepared model's identity.
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// What the model can code.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The token that every block starts with.
    pub fn start_token(&self) -> u32 {
        self.start_token
    }

    /// The kernels in use.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Multiply-adds per token outside attention.
    pub fn multiply_adds(&self) -> u64 {
        let layer = |l: &Layer| {
            [&l.qkv, &l.o, &l.up, &l.down]
                .map(|l| (l.out * l.k) as u64)
                .iter()
                .sum::<u64>()
        };
        self.layers.iter().map(layer).sum::<u64>() + (self.head.out * self.head.k) as u64
    }
}

/// Refuses sizes of which a sum could overflow (docs/numerics.md, section 2).
fn within_bounds(b: &Blueprint, shape: &Shape) -> Result<()> {
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
