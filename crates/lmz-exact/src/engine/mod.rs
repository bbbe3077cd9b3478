//! The forward pass in integers (docs/numerics.md, section 4).

mod attention;
mod cache;
mod forward;
mod rotary;
mod symbols;

use lmz_model::Blueprint;

use crate::error::{ExactError, Result};
use crate::kernel::{Kernel, Linear};
use crate::prepared::Prepared;
pub use cache::Cache;
pub use forward::{Run, Scores, Scratch};
use rotary::Rotary;
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
    layers: Vec<Layer>,
    norm: Norm,
    /// Rows are symbols.
    head: Linear,
    rotary: Rotary,
    symbols: Symbols,
}

/// The sizes of a forward pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub width: usize,
    pub inner: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Bits of a query's mantissas.
    pub query_bits: i32,
    /// Bits of a key's mantissas.
    pub key_bits: i32,
}

/// Bits of a value's mantissas.
pub(crate) const VALUE_BITS: i32 = 9;

#[derive(Debug)]
struct Embedding {
    w: Vec<i8>,
    m: Vec<i32>,
    e: i32,
    c: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Norm {
    pub g: Vec<i32>,
    pub e: i32,
}

#[derive(Debug)]
pub(crate) struct Layer {
    pub attn_norm: Norm,
    pub qkv: Linear,
    pub o: Linear,
    pub ffn_norm: Norm,
    pub gate_up: Linear,
    pub down: Linear,
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
        let widest = [b.hidden_size, b.intermediate_size, shape.queries()]
            .into_iter()
            .max()
            .unwrap_or(0);
        if b.hidden_size > 1 << 15 || widest > 1 << 20 {
            return Err(ExactError::Unsupported(format!(
                "a layer is {widest} wide; sums would overflow"
            )));
        }
        let symbols = Symbols::new(prepared.vocabulary()?)?;
        let (queries, keys) = (shape.queries(), shape.keys());
        let layers = (0..b.layers).map(|i| {
            let name = |part: &str| format!("layers.{i}.{part}");
            Ok(Layer {
                attn_norm: norm(prepared, &name("attn_norm"), b.hidden_size)?,
                qkv: linear(prepared, &name("qkv"), queries + 2 * keys, b.hidden_size)?,
                o: linear(prepared, &name("o"), b.hidden_size, queries)?,
                ffn_norm: norm(prepared, &name("ffn_norm"), b.hidden_size)?,
                gate_up: linear(
                    prepared,
                    &name("gate_up"),
                    2 * b.intermediate_size,
                    b.hidden_size,
                )?,
                down: linear(prepared, &name("down"), b.hidden_size, b.intermediate_size)?,
            })
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let embed = Embedding {
            w: prepared.weights_i8("embed.w", [b.vocab_size, b.hidden_size])?,
            m: scales(prepared, "embed.m", b.vocab_size)?,
            e: scale_exponent(prepared, "embed.e")?,
            c: prepared.shifts("embed.c", b.hidden_size)?,
        };
        Ok(Self {
            kernel,
            shape,
            identity: prepared.identity(),
            start_token: b.start_token,
            residual_frac_bits: prepared.residual_frac_bits,
            eps_fixed: prepared.eps_fixed,
            head: head(prepared, &embed, &symbols)?,
            embed,
            layers,
            norm: norm(prepared, "norm", b.hidden_size)?,
            rotary: Rotary::new(prepared.u32s("rope.freq", b.head_dim / 2)?),
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
            [&l.qkv, &l.o, &l.gate_up, &l.down]
                .map(|l| (l.out * l.k) as u64)
                .iter()
                .sum::<u64>()
        };
        self.layers.iter().map(layer).sum::<u64>() + (self.head.out * self.head.k) as u64
    }
}

fn scale_exponent(prepared: &Prepared, name: &str) -> Result<i32> {
    // Far beyond what a double's exponent can make of finite weights.
    Ok(prepared.i32s(name, 1, 2000)?[0])
}

fn norm(prepared: &Prepared, name: &str, width: usize) -> Result<Norm> {
    Ok(Norm {
        g: prepared.i32s(&format!("{name}.g"), width, (1 << 21) - 1)?,
        e: scale_exponent(prepared, &format!("{name}.e"))?,
    })
}

fn scales(prepared: &Prepared, name: &str, len: usize) -> Result<Vec<i32>> {
    let m = prepared.i32s(name, len, i32::MAX)?;
    if m.iter().any(|&m| m < 0) {
        return Err(ExactError::Damaged(format!(
            "{name} holds a negative scale"
        )));
    }
    Ok(m)
}

fn linear(prepared: &Prepared, name: &str, out: usize, k: usize) -> Result<Linear> {
    let w = prepared.weights_i8(&format!("{name}.w"), [out, k])?;
    let m = scales(prepared, &format!("{name}.m"), out)?;
    let c = prepared.shifts(&format!("{name}.c"), k)?;
    Ok(Linear::new(
        &w,
        &m,
        k,
        scale_exponent(prepared, &format!("{name}.e"))?,
        &c,
    ))
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
    Ok(Linear::new(
        &rows,
        &m,
        b.hidden_size,
        scale_exponent(prepared, "head.e")?,
        c,
    ))
}
