//! Recipe 1: a checkpoint in integers (docs/lmzm.md, "Recipe 1").
//!
//! Frozen. A better recipe gets the next number and its own module; this one stays.

mod matrix;
mod rope;
mod scope;

use lmz_model::{Blueprint, Checkpoint, ExactTokenizer, LayerPart, Norm, Part as Source, Weights};

use crate::error::{ExactError, Result};
use crate::fixed::{exponent, pow2};
use crate::prepared::{Builder, Facts, Prepared};
use matrix::{Group, Part};
pub(crate) use scope::check;

/// Widest hidden size whose sum of squares fits 63 bits.
const MAX_HIDDEN: usize = 1 << 15;

/// Prepares a checkpoint with the newest recipe, under a name for people.
///
/// # Errors
/// An unreadable checkpoint or tensor; a model that is too wide for the engine's number formats,
/// or has a feature that the engine does not do.
pub fn prepare(checkpoint: &Checkpoint, name: &str) -> Result<Prepared> {
    let blueprint = &checkpoint.blueprint;
    blueprint.validate()?;
    check(blueprint)?;
    if blueprint.hidden_size > MAX_HIDDEN {
        return Err(ExactError::Unsupported(format!(
            "hidden_size {} is above {MAX_HIDDEN}: sums of squares would overflow",
            blueprint.hidden_size
        )));
    }
    let mut out = Builder::default();
    let embedding = checkpoint.load(Source::TokenEmbedding)?;
    let residual_frac_bits = residual_bits(&embedding);
    let log2_e = std::f64::consts::LOG2_E;
    let table = Group::new(
        blueprint.hidden_size,
        vec![Part::uniform(embedding, blueprint.hidden_size, 1.0)],
    );
    let table = table.quantise();
    table.write(&mut out, "embed");
    for layer in 0..blueprint.layers {
        prepare_layer(checkpoint, layer, &mut out)?;
    }
    norm(checkpoint, Source::FinalNorm, "norm", &mut out)?;
    if blueprint.tied_head {
        let (m, e) = table.rescaled(log2_e);
        out.i32("head.m", &m);
        out.i32("head.e", &[e]);
    } else {
        let values = checkpoint.load(Source::Head)?;
        let part = Part::uniform(values, blueprint.hidden_size, log2_e);
        let head = Group::new(blueprint.hidden_size, vec![part]);
        head.quantise().write(&mut out, "head");
    }
    out.u32("rope.freq", &rope::frequencies(blueprint));
    out.vocabulary(&checkpoint.vocabulary)?;
    let tokenizer = ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary)?;
    out.tokenizer(tokenizer.reduced_json())?;
    let Norm::RmsNorm { eps } = blueprint.norm else {
        return Err(ExactError::Unsupported(
            "the norm is not an RMS norm".into(),
        ));
    };
    let eps = eps * blueprint.hidden_size as f64 * pow2(2 * residual_frac_bits);
    out.finish(Facts {
        name: name.to_owned(),
        checkpoint: checkpoint.content_hash()?,
        residual_frac_bits,
        eps_fixed: eps.round().min(pow2(62)) as u64,
        blueprint: blueprint.canonical_json(),
    })
}

fn prepare_layer(checkpoint: &Checkpoint, layer: usize, out: &mut Builder) -> Result<()> {
    let blueprint: &Blueprint = &checkpoint.blueprint;
    let (width, inner) = (blueprint.hidden_size, blueprint.intermediate_size);
    let source = |part| Source::Layer(layer, part);
    let name = |part: &str| format!("layers.{layer}.{part}");
    let part = |part: LayerPart| -> Result<Part> {
        let inputs = blueprint.part_shape(source(part))[1];
        Ok(Part::uniform(checkpoint.load(source(part))?, inputs, 1.0))
    };
    let attn_norm = source(LayerPart::AttentionNorm);
    norm(checkpoint, attn_norm, &name("attn_norm"), out)?;
    let mut q = part(LayerPart::Query)?;
    let mut k = part(LayerPart::Key)?;
    let mut v = part(LayerPart::Value)?;
    let heads = Heads {
        size: blueprint.head_dim,
        group: blueprint.heads / blueprint.kv_heads,
    };
    let key_levels = matrix::row_levels(&k.values, width, |row| heads.pair(row));
    let value_levels = matrix::row_levels(&v.values, width, |row| row);
    // Scores come out in log2 units, already divided by the root of the head size.
    let query_factor = std::f64::consts::LOG2_E / (blueprint.head_dim as f64).sqrt();
    for (row, factor) in q.factors.iter_mut().enumerate() {
        *factor = query_factor * pow2(key_levels[heads.shared(row)]);
    }
    for (factor, level) in k.factors.iter_mut().zip(&key_levels) {
        *factor = pow2(-level);
    }
    for (factor, level) in v.factors.iter_mut().zip(&value_levels) {
        *factor = pow2(-level);
    }
    Group::new(width, vec![q, k, v])
        .quantise()
        .write(out, &name("qkv"));
    let columns = blueprint.heads * blueprint.head_dim;
    let levels = (0..columns)
        .map(|column| value_levels[heads.shared(column)])
        .collect();
    Group::leveled(levels, part(LayerPart::Output)?)
        .quantise()
        .write(out, &name("o"));
    let ffn_norm = source(LayerPart::FeedForwardNorm);
    norm(checkpoint, ffn_norm, &name("ffn_norm"), out)?;
    let gate_up = vec![part(LayerPart::Gate)?, part(LayerPart::Up)?];
    Group::new(width, gate_up)
        .quantise()
        .write(out, &name("gate_up"));
    Group::new(inner, vec![part(LayerPart::Down)?])
        .quantise()
        .write(out, &name("down"));
    Ok(())
}

/// How rows of queries and of the output projection's columns share keys and values.
struct Heads {
    size: usize,
    /// Query heads of one key-value head.
    group: usize,
}

impl Heads {
    /// The row of keys or values that a row of queries meets.
    fn shared(&self, row: usize) -> usize {
        row / self.size / self.group * self.size + row % self.size
    }

    /// The first row of a rotary pair: both must have one level, or rotating would mix scales.
    fn pair(&self, row: usize) -> usize {
        let within = row % self.size;
        row - within + within % (self.size / 2)
    }
}

/// A norm's gains with 20 bits of the largest, the root of their number included.
fn norm(checkpoint: &Checkpoint, part: Source, name: &str, out: &mut Builder) -> Result<()> {
    let root = (checkpoint.blueprint.hidden_size as f64).sqrt();
    let gains: Vec<f64> = checkpoint
        .load(part)?
        .iter()
        .map(|&g| f64::from(g) * root)
        .collect();
    let largest = gains.iter().fold(0f64, |max, g| max.max(g.abs()));
    let e = if largest > 0.0 {
        exponent(largest) - 20
    } else {
        0
    };
    let limit = f64::from((1 << 21) - 1);
    let gains: Vec<i32> = gains
        .iter()
        .map(|g| (g / pow2(e)).round().clamp(-limit, limit) as i32)
        .collect();
    out.i32(format!("{name}.g"), &gains);
    out.i32(format!("{name}.e"), &[e]);
    Ok(())
}

/// F: the median entry of the embedding gets ten bits below it.
fn residual_bits(embedding: &[f32]) -> i32 {
    let exponents = embedding
        .iter()
        .filter(|x| **x != 0.0)
        .map(|&x| exponent(f64::from(x)));
    matrix::lower_median(exponents).map_or(10, |median| (10 - median).clamp(0, 24))
}
