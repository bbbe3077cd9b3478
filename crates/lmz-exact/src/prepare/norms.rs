//! Gains, biases and soft caps as integers.

use lmz_model::{Blueprint, LayerPart, Norm, Part as Source, Weights};

use crate::error::{ExactError, Result};
use crate::fixed::{exponent, pow2};
use crate::prepared::Builder;

/// What is added under the root of a norm.
pub fn epsilon(blueprint: &Blueprint) -> Result<f64> {
    match blueprint.norm {
        Norm::RmsNorm { eps }
        | Norm::RmsNormPlusOne { eps }
        | Norm::LayerNorm { eps }
        | Norm::BareLayerNorm { eps } => Ok(eps),
        other => Err(ExactError::Unsupported(format!("the norm {other:?}"))),
    }
}

/// The gains that a norm multiplies by, `width` of them, of a part that a bare norm does not have.
pub fn gains(weights: &dyn Weights, part: Source, width: usize) -> Result<Vec<f64>> {
    let blueprint = weights.blueprint();
    if !blueprint.has(part) {
        return Ok(vec![1.0; width]);
    }
    let offset = match blueprint.norm {
        Norm::RmsNormPlusOne { .. } => 1.0,
        _ => 0.0,
    };
    let values = weights.load(part)?;
    Ok(values.iter().map(|&g| offset + f64::from(g)).collect())
}

/// The mantissas with 20 bits of the largest, and their exponent.
fn write_gains(gains: &[f64], name: &str, out: &mut Builder) {
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
}

/// A norm of the residual stream: gains with the root of their number, and the bias.
pub fn norm(
    weights: &dyn Weights,
    part: Source,
    bias: Source,
    name: &str,
    out: &mut Builder,
) -> Result<()> {
    let blueprint = weights.blueprint();
    let root = (blueprint.hidden_size as f64).sqrt();
    let mut gains = gains(weights, part, blueprint.hidden_size)?;
    gains.iter_mut().for_each(|g| *g *= root);
    write_gains(&gains, name, out);
    if blueprint.has(bias) {
        let values = weights.load(bias)?;
        let values: Vec<f64> = values.iter().map(|&b| b.into()).collect();
        write_bias(&values, name, out);
    }
    Ok(())
}

/// A norm of a linear layer's output over `width` elements, whose gains come complete but for the root
/// of the width.
pub fn block_norm(gains: Vec<f64>, width: usize, eps: f64, name: &str, out: &mut Builder) {
    let root = (width as f64).sqrt();
    let gains: Vec<f64> = gains.into_iter().map(|g| g * root).collect();
    write_gains(&gains, name, out);
    let eps = eps * width as f64;
    let e = exponent(eps) - 30;
    let mantissa = (eps / pow2(e)).round().min(f64::from(i32::MAX)) as i32;
    out.i32(format!("{name}.eps"), &[mantissa, e]);
}

/// A bias: mantissas with 29 bits of the largest, and their exponent.
pub fn write_bias(values: &[f64], name: &str, out: &mut Builder) {
    /// Of a bias of zeros: below any exponent that a sum could have.
    const LOWEST: i32 = -2000;
    let largest = values.iter().fold(0f64, |max, b| max.max(b.abs()));
    let e = if largest > 0.0 {
        exponent(largest) - 28
    } else {
        LOWEST
    };
    let limit = f64::from((1 << 29) - 1);
    let mantissa = |b: &f64| match largest > 0.0 {
        true => (b / pow2(e)).round().clamp(-limit, limit) as i32,
        false => 0,
    };
    let mantissas: Vec<i32> = values.iter().map(mantissa).collect();
    out.i32(format!("{name}.b"), &mantissas);
    out.i32(format!("{name}.be"), &[e]);
}

/// The constants of a soft cap in log2 units (docs/numerics.md, 3.15).
pub fn write_cap(cap: f64, name: &str, out: &mut Builder) {
    let cap = cap * std::f64::consts::LOG2_E;
    let inverse = (pow2(33) / cap).round() as i32;
    out.i32(name, &[inverse, (cap * pow2(16)).round() as i32]);
}

/// The checkpoint's name for `part` of layer number `layer`.
pub fn of(layer: usize, part: LayerPart) -> Source {
    Source::Layer(layer, part)
}
