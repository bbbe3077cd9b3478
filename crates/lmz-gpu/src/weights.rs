//! A model's constants on a device.

use cubecl::prelude::*;
use lmz_exact::parts::{Bias, BlockNorm, Embedding, Layer, Nonlinearity, Norm, Parts, Softcap};
use lmz_exact::tables::{Gate, sigmoid_table};
use lmz_exact::{ExactError, Linear, Result};

use crate::buffer::Buffer;
use crate::kernel::norm::NormKind;

/// The numbers that are added to a linear layer's output or a norm's.
#[derive(Debug)]
pub struct BiasOn {
    pub b: Buffer<i32>,
    pub e: i32,
    pub some: bool,
}

impl BiasOn {
    fn new<R: Runtime>(client: &ComputeClient<R>, bias: Option<&Bias>) -> Self {
        Self {
            b: Buffer::new(client, bias.map_or(&[], |bias| &bias.b)),
            e: bias.map_or(0, |bias| bias.e),
            some: bias.is_some(),
        }
    }
}

/// Column shifts of a table or of the activations of a linear layer.
#[derive(Debug)]
pub struct ShiftsOn {
    pub c: Buffer<i32>,
    pub most: i32,
}

impl ShiftsOn {
    fn new<R: Runtime>(client: &ComputeClient<R>, c: &[u8]) -> Self {
        let wide: Vec<i32> = c.iter().map(|&c| c.into()).collect();
        Self {
            c: Buffer::new(client, &wide),
            most: wide.iter().copied().max().unwrap_or(0),
        }
    }

    /// Whether there are any.
    pub fn some(&self) -> bool {
        self.most > 0
    }
}

/// A linear layer's weights, scales, bias and column shifts.
#[derive(Debug)]
pub struct LinearOn {
    /// [words][out], four columns in a word.
    pub w: Buffer<u32>,
    pub m: Buffer<i32>,
    pub bias: BiasOn,
    pub shifts: ShiftsOn,
    pub out: usize,
    /// Words of four columns; a row of activations has twice as many words of two.
    pub words: usize,
    pub sum_shift: i32,
    /// Added to an input row's exponent, it gives the output row's.
    pub exponent: i32,
}

impl LinearOn {
    pub fn new<R: Runtime>(client: &ComputeClient<R>, layer: &Linear) -> Self {
        let (out, k) = (layer.out, layer.k);
        let words = k.div_ceil(4);
        let weights = layer.weights();
        let mut packed = vec![0u32; words * out];
        for (row, weights) in weights.chunks_exact(k.max(1)).enumerate() {
            for (word, weights) in weights.chunks(4).enumerate() {
                packed[word * out + row] = pack_bytes(weights);
            }
        }
        Self {
            w: Buffer::new(client, &packed),
            m: Buffer::new(client, layer.mantissas()),
            bias: BiasOn::new(client, layer.bias.as_ref()),
            shifts: ShiftsOn::new(client, &layer.c),
            out,
            words,
            sum_shift: layer.sum_shift(),
            exponent: layer.out_exponent(0),
        }
    }

    /// Words of a row of activations.
    pub fn stride(&self) -> usize {
        2 * self.words
    }

    /// Bytes of the weights of a layer.
    pub fn bytes(layer: &Linear) -> u64 {
        (layer.k.div_ceil(4) * 4 * layer.out) as u64
    }
}

fn pack_bytes(weights: &[i8]) -> u32 {
    let mut bytes = [0u8; 4];
    for (byte, &weight) in bytes.iter_mut().zip(weights) {
        *byte = weight as u8;
    }
    u32::from_le_bytes(bytes)
}

/// A norm of the residual stream, or none.
#[derive(Debug)]
pub struct NormOn {
    pub kind: NormKind,
    pub g: Buffer<i32>,
    pub e: i32,
    pub bias: BiasOn,
    /// The epsilon, shifted right by twice `eps_shift`.
    pub eps: u64,
    pub eps_shift: i32,
}

impl NormOn {
    pub fn new<R: Runtime>(client: &ComputeClient<R>, parts: &Parts, norm: Option<&Norm>) -> Self {
        let kind = match (norm, parts.rules.centred) {
            (None, _) => NormKind::None,
            (Some(_), false) => NormKind::Rms,
            (Some(_), true) => NormKind::Layer,
        };
        let (eps, eps_shift) = match kind {
            NormKind::Layer => {
                let width = parts.shape.width as u128;
                let eps = u128::from(parts.eps_fixed) * width * width;
                // The least shift that leaves 62 bits; what is shifted more goes the same way.
                let bits = 128 - eps.leading_zeros() as i32;
                let shift = ((bits - 61) >> 1).max(0);
                ((eps >> (2 * shift)) as u64, shift)
            }
            _ => (parts.eps_fixed, 0),
        };
        Self {
            kind,
            g: Buffer::new(client, norm.map_or(&[], |norm| &norm.g)),
            e: norm.map_or(0, |norm| norm.e),
            bias: BiasOn::new(client, norm.and_then(|norm| norm.bias.as_ref())),
            eps,
            eps_shift,
        }
    }
}

/// A norm of a linear layer's output.
#[derive(Debug)]
pub struct BlockNormOn {
    pub g: Buffer<i32>,
    pub e: i32,
    pub eps: (i32, i32),
    /// Elements of one norm.
    pub len: usize,
}

impl BlockNormOn {
    pub fn new<R: Runtime>(client: &ComputeClient<R>, norm: &BlockNorm) -> Self {
        Self {
            g: Buffer::new(client, &norm.g),
            e: norm.e,
            eps: norm.eps,
            len: norm.g.len(),
        }
    }
}

/// A table of rows of the residual stream.
#[derive(Debug)]
pub struct EmbedOn {
    pub w: Buffer<u32>,
    pub m: Buffer<i32>,
    pub shifts: ShiftsOn,
    pub words: usize,
    pub rows: usize,
    pub e: i32,
}

impl EmbedOn {
    pub fn new<R: Runtime>(client: &ComputeClient<R>, table: &Embedding, width: usize) -> Self {
        let rows = table.rows.w.chunks_exact(width);
        let packed: Vec<u32> = rows.flat_map(|row| row.chunks(4).map(pack_bytes)).collect();
        Self {
            w: Buffer::new(client, &packed),
            m: Buffer::new(client, &table.m),
            shifts: ShiftsOn::new(client, &table.c),
            words: width.div_ceil(4),
            rows: table.m.len(),
            e: table.e,
        }
    }
}

/// A layer's norms and linear layers; fields as in [`Layer`].
#[derive(Debug)]
pub struct LayerOn {
    pub attn_norm: NormOn,
    pub qkv: LinearOn,
    pub head_norms: Option<[BlockNormOn; 2]>,
    pub o: LinearOn,
    pub attn_post_norm: Option<BlockNormOn>,
    pub ffn_norm: NormOn,
    pub up: LinearOn,
    pub down: LinearOn,
    pub ffn_post_norm: Option<BlockNormOn>,
    pub window: Option<usize>,
    /// Whether it rotates with the frequencies of windowed layers.
    pub local: bool,
}

impl LayerOn {
    fn new<R: Runtime>(client: &ComputeClient<R>, parts: &Parts, layer: &Layer) -> Self {
        let linear = |layer| LinearOn::new(client, layer);
        let norm = |norm: Option<&Norm>| NormOn::new(client, parts, norm);
        let block = |norm: &BlockNorm| BlockNormOn::new(client, norm);
        let ffn_norm = match (&layer.ffn_norm, parts.rules.parallel) {
            // Both halves share one.
            (None, true) => layer.attn_norm.as_ref(),
            (own, _) => own.as_ref(),
        };
        Self {
            attn_norm: norm(layer.attn_norm.as_ref()),
            qkv: linear(&layer.qkv),
            head_norms: layer.head_norms.as_ref().map(|[q, k]| [block(q), block(k)]),
            o: linear(&layer.o),
            attn_post_norm: layer.attn_post_norm.as_ref().map(block),
            ffn_norm: norm(ffn_norm),
            up: linear(&layer.up),
            down: linear(&layer.down),
            ffn_post_norm: layer.ffn_post_norm.as_ref().map(block),
            window: layer.window,
            local: layer.local,
        }
    }
}

/// A model on a device.
#[derive(Debug)]
pub struct WeightsOn {
    pub embed: EmbedOn,
    pub positions: Option<EmbedOn>,
    pub layers: Vec<LayerOn>,
    pub norm: NormOn,
    pub head: LinearOn,
    /// Rotary frequencies of ordinary and of windowed layers, and their number: half of the elements that rotate.
    pub frequencies: [(Buffer<u32>, usize); 2],
    /// Table of the feed-forward halves' gate; `None` for ReLU.
    pub gate: Option<Buffer<i32>>,
    /// Table by which soft caps are computed.
    pub sigmoid: Buffer<i32>,
}

impl WeightsOn {
    /// Uploads what the forward pass reads of a model.
    ///
    /// # Errors
    /// A matrix beyond what one buffer of the device holds.
    pub fn new<R: Runtime>(client: &ComputeClient<R>, parts: &Parts, device: &str) -> Result<Self> {
        let most = client.properties().memory.max_page_size;
        if let Some(largest) = largest_matrix(parts).filter(|&bytes| bytes > most) {
            return Err(ExactError::Device {
                device: device.to_owned(),
                reason: format!(
                    "a matrix of the model takes {largest} bytes, and one buffer holds {most}"
                ),
            });
        }
        let width = parts.shape.width;
        let table = |table: &Gate| Buffer::new(client, table);
        let turns = |f: &[u32]| (Buffer::new(client, f), 2 * f.len());
        let positions = parts.positions.as_ref();
        Ok(Self {
            embed: EmbedOn::new(client, &parts.embed, width),
            positions: positions.map(|p| EmbedOn::new(client, p, width)),
            layers: parts
                .layers
                .iter()
                .map(|l| LayerOn::new(client, parts, l))
                .collect(),
            norm: NormOn::new(client, parts, Some(&parts.norm)),
            head: LinearOn::new(client, &parts.head),
            frequencies: parts.frequencies().map(turns),
            gate: match parts.rules.nonlinearity {
                Nonlinearity::Gate(gate) => Some(table(gate)),
                Nonlinearity::Relu => None,
            },
            sigmoid: Buffer::new(client, sigmoid_table()),
        })
    }
}

fn largest_matrix(parts: &Parts) -> Option<u64> {
    matrices(parts).max()
}

fn matrices(parts: &Parts) -> impl Iterator<Item = u64> + '_ {
    let width = parts.shape.width.div_ceil(4) * 4;
    let tables = [Some(&parts.embed), parts.positions.as_ref()];
    let tables = tables.into_iter().flatten();
    let tables = tables.map(move |table| (table.m.len() * width) as u64);
    let layers = parts
        .layers
        .iter()
        .flat_map(|l| [&l.qkv, &l.o, &l.up, &l.down]);
    tables.chain(layers.chain([&parts.head]).map(LinearOn::bytes))
}

/// The constants of a cap as kernels take them: κ, K.
pub fn softcap_numbers(cap: Option<Softcap>) -> (i32, i32) {
    cap.map_or((1, 1), |cap| (cap.inverse, cap.cap))
}
