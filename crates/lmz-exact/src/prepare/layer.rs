//! One layer: attention and feed-forward half (docs/lmzm.md, "Recipe 1").

use lmz_model::{Blueprint, FeedForwardKind, HeadNorm, LayerPart, Weights};

use super::heads::Heads;
use super::matrix::{Group, Part, levels, row_levels, size_levels};
use super::norms::{block_norm, epsilon, gains, norm, of, write_bias};
use super::scores::Sizes;
use super::stored::Stored;
use crate::error::Result;
use crate::fixed::{exponent, pow2};
use crate::prepared::Builder;

/// Widest level of a normed query or key: gains have 20 bits.
const GAIN_LEVELS: i32 = 8;

/// Widest level of a value where the output projection stands in blocks: its columns have nothing but their shifts.
const BLOCK_LEVELS: i32 = 10;

/// By how many bits values are raised at most.
const MOST_RAISED: i32 = 16;

/// What all parts of one layer need.
struct Source<'a> {
    weights: &'a dyn Weights,
    blueprint: &'a Blueprint,
    layer: usize,
    /// The levels of its keys by recipe 2, if it has wide scores.
    wide: Option<Vec<i32>>,
    /// By recipe 4.
    levelled: bool,
}

impl Source<'_> {
    fn part(&self, part: LayerPart) -> Result<Part> {
        let part = of(self.layer, part);
        let inputs = self.blueprint.part_shape(part)[1];
        let values = Part::uniform(self.weights.load(part)?, inputs, 1.0);
        Ok(values.on(self.weights.grid(part)?))
    }

    /// A vector; `None` where the model has none.
    fn vector(&self, part: LayerPart) -> Result<Option<Vec<f64>>> {
        let part = of(self.layer, part);
        if !self.blueprint.has(part) {
            return Ok(None);
        }
        let values = self.weights.load(part)?;
        Ok(Some(values.into_iter().map(f64::from).collect()))
    }

    fn name(&self, part: &str) -> String {
        format!("layers.{}.{part}", self.layer)
    }

    fn norm(&self, part: LayerPart, bias: LayerPart, name: &str, out: &mut Builder) -> Result<()> {
        // A bare norm has no parts, but stands where the others do.
        let (part, bias) = (of(self.layer, part), of(self.layer, bias));
        norm(self.weights, part, bias, &self.name(name), out)
    }

    fn post_norm(&self, part: LayerPart, name: &str, out: &mut Builder) -> Result<()> {
        let width = self.blueprint.hidden_size;
        let gains = gains(self.weights, of(self.layer, part), width)?;
        let eps = epsilon(self.blueprint)?;
        block_norm(gains, width, eps, &self.name(name), out);
        Ok(())
    }

    /// By how many bits the values can be raised until their weights or biases are as large as those of the queries and keys beside them:
    /// what a linear layer gives has one exponent, and values would have few of its bits (docs/lmzm.md, "Recipe 4").
    fn raised(&self, [q, k, v]: [&Part; 3], value_levels: &[i32]) -> Result<i32> {
        let of_values = || value_levels.iter().map(|&level| pow2(-level));
        let factors = |part: &Part| part.factors.clone().into_iter();
        let beside = largest(&q.values, factors(q)).max(largest(&k.values, factors(k)));
        let own = largest(&v.values, of_values());
        let bias = |part, factors: &mut dyn ExactSizeIterator<Item = f64>| -> Result<f64> {
            let bias = self.vector(part)?;
            Ok(bias.map_or(0.0, |bias| largest(&bias, factors)))
        };
        let biases = bias(LayerPart::QueryBias, &mut factors(q))?
            .max(bias(LayerPart::KeyBias, &mut factors(k))?);
        let own_bias = bias(LayerPart::ValueBias, &mut of_values())?;
        let room = |beside: f64, own: f64| exponent(beside) - exponent(own);
        if own == 0.0 || beside == 0.0 || (own_bias > 0.0 && biases == 0.0) {
            return Ok(0);
        }
        let raised = match own_bias > 0.0 {
            true => room(beside, own).min(room(biases, own_bias)),
            false => room(beside, own),
        };
        Ok(raised.clamp(0, MOST_RAISED))
    }

    /// Writes the biases of stacked parts, each times its rows' factors.
    fn biases(
        &self,
        name: &str,
        parts: &[(LayerPart, Option<&[f64]>)],
        out: &mut Builder,
    ) -> Result<()> {
        let mut all = Vec::new();
        for &(part, factors) in parts {
            let Some(mut values) = self.vector(part)? else {
                return Ok(());
            };
            if let Some(factors) = factors {
                values.iter_mut().zip(factors).for_each(|(b, f)| *b *= f);
            }
            all.extend(values);
        }
        write_bias(&all, &self.name(name), out);
        Ok(())
    }
}

/// Whether the layers that read the residual stream for the attention stand in blocks, judged by the first one's values.
pub fn in_blocks(weights: &dyn Weights) -> Result<bool> {
    let fit = weights.blueprint().hidden_size.is_multiple_of(32);
    Ok(fit && weights.grid(of(0, LayerPart::Value))?.is_some())
}

/// The largest magnitude of values, each row of them times its factor.
fn largest<T: Copy + Into<f64>>(values: &[T], factors: impl ExactSizeIterator<Item = f64>) -> f64 {
    let columns = values.len() / factors.len().max(1);
    let rows = values.chunks(columns.max(1)).zip(factors);
    rows.fold(0f64, |max, (row, factor)| {
        let own = row.iter().fold(0f64, |max, &x| max.max(x.into().abs()));
        max.max(own * factor.abs())
    })
}

/// Writes the tensors of layer number `layer`, whose queries and keys have these sizes: matrices, norms and biases; by recipe 4 if it is
/// `levelled`. Returns whether it has wide scores.
pub fn prepare_layer(
    weights: &dyn Weights,
    layer: usize,
    sizes: &Sizes,
    levelled: bool,
    out: &mut Builder,
) -> Result<bool> {
    use lmz_model::{NormPlacement, Residual};
    let blueprint = weights.blueprint();
    let wide = match levelled {
        true => sizes.are_large_beside(blueprint),
        false => sizes.are_large(blueprint),
    };
    let source = Source {
        weights,
        blueprint,
        layer,
        wide: wide.then(|| sizes.balance()),
        levelled,
    };
    let before = blueprint.block.norms != NormPlacement::After;
    let after = blueprint.block.norms != NormPlacement::Before;
    let own = blueprint.block.residual != Residual::ParallelSharedNorm;
    if before {
        let (weight, bias) = (LayerPart::AttentionNorm, LayerPart::AttentionNormBias);
        source.norm(weight, bias, "attn_norm", out)?;
    }
    attention(&source, out)?;
    if after {
        source.post_norm(LayerPart::AttentionPostNorm, "attn_post_norm", out)?;
    }
    if before && own {
        let (weight, bias) = (LayerPart::FeedForwardNorm, LayerPart::FeedForwardNormBias);
        source.norm(weight, bias, "ffn_norm", out)?;
    }
    feed_forward(&source, out)?;
    if after {
        source.post_norm(LayerPart::FeedForwardPostNorm, "ffn_post_norm", out)?;
    }
    Ok(source.wide.is_some())
}

fn attention(source: &Source<'_>, out: &mut Builder) -> Result<()> {
    let b = source.blueprint;
    let width = b.hidden_size;
    let mut q = source.part(LayerPart::Query)?;
    let mut k = source.part(LayerPart::Key)?;
    let mut v = source.part(LayerPart::Value)?;
    let heads = Heads::new(b);
    // Scores come out in log2 units, already scaled.
    let query_factor = match b.attention.scale {
        None => std::f64::consts::LOG2_E / (b.head_dim as f64).sqrt(),
        Some(scale) => std::f64::consts::LOG2_E * scale,
    };
    let rotary = |row| heads.pair(row);
    let (key_levels, mut value_levels) = if b.attention.input_bias {
        // A bias may outweigh its row: the size of what comes out counts.
        let norm = of(source.layer, LayerPart::AttentionNorm);
        let gains = gains(source.weights, norm, width)?;
        let levels = |rows: &Part, bias, class: &dyn Fn(usize) -> usize| -> Result<Vec<i32>> {
            let bias = source.vector(bias)?.unwrap_or_default();
            Ok(size_levels(&rows.values, &gains, &bias, class))
        };
        (
            levels(&k, LayerPart::KeyBias, &rotary)?,
            levels(&v, LayerPart::ValueBias, &|row| row)?,
        )
    } else {
        (
            row_levels(&k.values, width, rotary),
            row_levels(&v.values, width, |row| row),
        )
    };
    let key_levels = source.wide.clone().unwrap_or(key_levels);
    if b.attention.head_norm == HeadNorm::None {
        for (row, factor) in q.factors.iter_mut().enumerate() {
            *factor = query_factor * pow2(key_levels[heads.shared(row)]);
        }
        for (factor, level) in k.factors.iter_mut().zip(&key_levels) {
            *factor = pow2(-level);
        }
    } else {
        head_norms(source, &heads, query_factor, out)?;
    }
    let output = source.part(LayerPart::Output)?;
    if output.grid.is_some() {
        // Column shifts have to hold them.
        for level in &mut value_levels {
            *level = (*level).clamp(-BLOCK_LEVELS, BLOCK_LEVELS);
        }
    }
    if source.levelled {
        let raised = source.raised([&q, &k, &v], &value_levels)?;
        value_levels.iter_mut().for_each(|level| *level -= raised);
    }
    for (factor, level) in v.factors.iter_mut().zip(&value_levels) {
        *factor = pow2(-level);
    }
    let biases = [
        (LayerPart::QueryBias, Some(&q.factors[..])),
        (LayerPart::KeyBias, Some(&k.factors[..])),
        (LayerPart::ValueBias, Some(&v.factors[..])),
    ];
    source.biases("qkv", &biases, out)?;
    Stored::of(&Group::new(width, vec![q, k, v]), source.levelled).write(out, &source.name("qkv"));
    let columns = b.heads * b.head_dim;
    let levels = (0..columns)
        .map(|column| value_levels[heads.shared(column)])
        .collect();
    source.biases("o", &[(LayerPart::OutputBias, None)], out)?;
    Stored::of(&Group::leveled(levels, output), source.levelled).write(out, &source.name("o"));
    Ok(())
}

/// Norms of queries and keys. Their gains hold the levels of the keys, since a norm cancels what the rows before it
/// are multiplied by.
fn head_norms(
    source: &Source<'_>,
    heads: &Heads,
    query_factor: f64,
    out: &mut Builder,
) -> Result<()> {
    let b = source.blueprint;
    let load = |part| {
        let part = of(source.layer, part);
        gains(source.weights, part, b.part_shape(part)[0])
    };
    let mut query = load(LayerPart::QueryNorm)?;
    let mut key = load(LayerPart::KeyNorm)?;
    let whole = b.attention.head_norm == HeadNorm::Whole;
    let sizes = key.iter().map(|g| g.abs()).collect();
    let own = || levels(sizes, |row| heads.pair(row));
    // A gain of each element of a head serves all heads: so do the levels, which begin with a head's.
    let levels = source.wide.clone().unwrap_or_else(own);
    let level = |row: usize| pow2(levels[row].clamp(-GAIN_LEVELS, GAIN_LEVELS));
    for (row, gain) in query.iter_mut().enumerate() {
        let shared = if whole { heads.shared(row) } else { row };
        *gain *= query_factor * level(shared);
    }
    for (row, gain) in key.iter_mut().enumerate() {
        *gain /= level(row);
    }
    let eps = epsilon(b)?;
    for (gains, name) in [(query, "q_norm"), (key, "k_norm")] {
        let width = gains.len();
        block_norm(gains, width, eps, &source.name(name), out);
    }
    Ok(())
}

fn feed_forward(source: &Source<'_>, out: &mut Builder) -> Result<()> {
    let b = source.blueprint;
    let (name, parts, biases): (_, &[LayerPart], &[_]) = match b.feed_forward.kind {
        FeedForwardKind::Gated => (
            "gate_up",
            &[LayerPart::Gate, LayerPart::Up],
            &[(LayerPart::GateBias, None), (LayerPart::UpBias, None)],
        ),
        _ => ("up", &[LayerPart::Up], &[(LayerPart::UpBias, None)]),
    };
    source.biases(name, biases, out)?;
    let parts = parts.iter().map(|&part| source.part(part));
    let group = Group::new(b.hidden_size, parts.collect::<Result<_>>()?);
    Stored::of(&group, source.levelled).write(out, &source.name(name));
    source.biases("down", &[(LayerPart::DownBias, None)], out)?;
    let group = Group::new(b.intermediate_size, vec![source.part(LayerPart::Down)?]);
    Stored::of(&group, source.levelled).write(out, &source.name("down"));
    Ok(())
}
