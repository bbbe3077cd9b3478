//! The recipe from the checkpoint's parts to the model's.

use lmz_model::{Blueprint, Checkpoint, ExactTokenizer, Part as Source, Position, Weights};

use super::matrix::{self, Group, Part};
use super::scope::check;
use super::scores::Sizes;
use super::stored::Stored;
use super::{fine, layer, norms, rope};
use crate::error::{ExactError, Result};
use crate::fixed::{exponent, pow2};
use crate::prepared::{
    BLOCK_RECIPE, Builder, Facts, LEVEL_RECIPE, NUMERICS_VERSION, Prepared, RECIPE, WIDE_NUMERICS,
    WIDE_RECIPE,
};

/// Widest hidden size whose sum of squares fits 63 bits.
const MAX_HIDDEN: usize = 1 << 15;

/// Prepares a checkpoint under a name for people. Where some of its matrices are stored in blocks: with recipe 4 if scores of some layer may
/// be large, too, else with recipe 3. Others: with recipe 2 if scores may be large or int8 is too coarse, else with recipe 1.
///
/// # Errors
/// An unreadable checkpoint or tensor; a model that is too wide for the engine's number formats,
/// or has a feature that the engine does not do.
pub fn prepare(checkpoint: &Checkpoint, name: &str) -> Result<Prepared> {
    prepare_as(checkpoint, name, LEVEL_RECIPE)
}

/// As [`prepare`], with no recipe above `newest`: what was made of the checkpoint before there were others.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_as(checkpoint: &Checkpoint, name: &str, newest: u8) -> Result<Prepared> {
    let blueprint = &checkpoint.blueprint;
    blueprint.validate()?;
    check(blueprint)?;
    if blueprint.hidden_size > MAX_HIDDEN {
        return Err(ExactError::Unsupported(format!(
            "hidden_size {} is above {MAX_HIDDEN}: sums of squares would overflow",
            blueprint.hidden_size
        )));
    }
    // Checkpoints are a network with a vocabulary.
    let network: &lmz_model::Network = checkpoint;
    let weights: &dyn Weights = match newest {
        BLOCK_RECIPE.. => network,
        _ => &WithoutBlocks(network),
    };
    let sizes = (0..blueprint.layers).map(|layer| Sizes::new(weights, layer));
    let sizes: Vec<Sizes> = sizes.collect::<Result<_>>()?;
    let large = sizes.iter().any(|sizes| sizes.are_large(blueprint));
    let levelled = newest >= LEVEL_RECIPE && large && layer::in_blocks(weights)?;
    let mut out = Builder::default();
    let embedding = checkpoint.load(Source::TokenEmbedding)?;
    let scale = blueprint.ends.embedding_scale.unwrap_or(1.0);
    let residual_frac_bits = residual_bits(&embedding, scale);
    let log2_e = std::f64::consts::LOG2_E;
    let rows = |values, factor, of| -> Result<Stored> {
        let part = Part::uniform(values, blueprint.hidden_size, factor);
        let part = part.on(weights.grid(of)?);
        let group = Group::new(blueprint.hidden_size, vec![part]);
        Ok(Stored::of(&group, levelled))
    };
    let table = rows(embedding, scale, Source::TokenEmbedding)?;
    // What a tied head is made of.
    let (m, e) = table.rescaled(log2_e);
    table.write(&mut out, "embed");
    if blueprint.position == Position::Learned {
        let positions = checkpoint.load(Source::PositionEmbedding)?;
        rows(positions, 1.0, Source::PositionEmbedding)?.write(&mut out, "positions");
    }
    let layers = sizes
        .iter()
        .enumerate()
        .map(|(layer, sizes)| layer::prepare_layer(weights, layer, sizes, levelled, &mut out));
    let wide: Vec<u8> = layers
        .map(|wide| wide.map(u8::from))
        .collect::<Result<_>>()?;
    let (weight, bias) = (Source::FinalNorm, Source::FinalNormBias);
    norms::norm(network, weight, bias, "norm", &mut out)?;
    if blueprint.tied_head {
        out.i32("head.m", &m);
        out.i32("head.e", &[e]);
    } else {
        let values = checkpoint.load(Source::Head)?;
        rows(values, log2_e, Source::Head)?.write(&mut out, "head");
    }
    if blueprint.ends.head_bias {
        let bias = checkpoint.load(Source::HeadBias)?;
        let bias: Vec<f64> = bias.iter().map(|&b| log2_e * f64::from(b)).collect();
        norms::write_bias(&bias, "head", &mut out);
    }
    if let Some(cap) = blueprint.ends.softcap {
        norms::write_cap(cap, "head.cap", &mut out);
    }
    if let Some(cap) = blueprint.attention.softcap {
        norms::write_cap(cap, "scores.cap", &mut out);
    }
    let magnified = wide.contains(&1);
    let fine = fine::refine(&mut out, magnified);
    let (recipe, numerics) = match (out.in_blocks, fine || magnified) {
        (true, _) if levelled => (LEVEL_RECIPE, WIDE_NUMERICS),
        (true, _) => (BLOCK_RECIPE, WIDE_NUMERICS),
        (false, true) => (WIDE_RECIPE, WIDE_NUMERICS),
        (false, false) => (RECIPE, NUMERICS_VERSION),
    };
    if numerics == WIDE_NUMERICS {
        out.u8("scores.wide", &wide);
    }
    let (global, local) = rope::frequencies(blueprint);
    for (name, frequencies) in [("rope.freq", global), ("rope.local", local)] {
        if let Some(frequencies) = frequencies {
            out.u32(name, &frequencies);
        }
    }
    out.vocabulary(&checkpoint.vocabulary)?;
    let tokenizer = ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary)?;
    out.tokenizer(tokenizer.reduced_json())?;
    let eps =
        norms::epsilon(blueprint)? * blueprint.hidden_size as f64 * pow2(2 * residual_frac_bits);
    out.finish(Facts {
        name: name.to_owned(),
        checkpoint: checkpoint.content_hash()?,
        recipe,
        numerics,
        residual_frac_bits,
        eps_fixed: eps.round().min(pow2(62)) as u64,
        blueprint: blueprint.canonical_json(),
    })
}

/// A network's weights as numbers alone.
struct WithoutBlocks<'a>(&'a lmz_model::Network);

impl Weights for WithoutBlocks<'_> {
    fn blueprint(&self) -> &Blueprint {
        self.0.blueprint()
    }

    fn load(&self, part: Source) -> lmz_model::Result<Vec<f32>> {
        self.0.load(part)
    }
}

/// F: the median entry of the embedding gets ten bits below it.
fn residual_bits(embedding: &[f32], scale: f64) -> i32 {
    let exponents = embedding
        .iter()
        .filter(|x| **x != 0.0)
        .map(|&x| exponent(scale * f64::from(x)));
    matrix::lower_median(exponents).map_or(10, |median| (10 - median).clamp(0, 24))
}
