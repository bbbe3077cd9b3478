//! Rotary parameters, and Llama 3's rule found again in the factors that it gave.

use serde_json::{Value, json};

use super::architecture::Architecture;
use super::keys::Keys;
use super::sizes::Sizes;
use crate::error::{ModelError, Result};

/// What frequencies are divided by, for each rotary pair.
const FACTORS: &str = "rope_freqs.weight";
/// The rule's constants in all of Llama 3.1, 3.2 and 3.3: low and high factor, original context.
const PUBLISHED: (f64, f64, f64) = (1.0, 4.0, 8192.0);
/// Factors are stored as f32, and were computed in f32.
const TOLERANCE: f64 = 1e-4;

/// The fields of `config.json`.
pub(super) fn fields(
    arch: Architecture,
    keys: &mut Keys<'_>,
    sizes: &Sizes,
) -> Result<Vec<(&'static str, Value)>> {
    let silent = if arch == Architecture::Gemma3 {
        1e6
    } else {
        1e4
    };
    let theta = keys.float("rope.freq_base")?.unwrap_or(silent);
    let mut out = Vec::new();
    let rotary = keys.uint("rope.dimension_count")?.unwrap_or(sizes.head_dim);
    let shared = matches!(arch, Architecture::GptNeox | Architecture::Phi2);
    if shared || rotary != sizes.head_dim {
        out.push((
            "partial_rotary_factor",
            json!(share(rotary, sizes.head_dim)),
        ));
    }
    let mut scaling = linear(keys)?;
    if keys.gguf.has(FACTORS) {
        let found = llama3(keys, theta, rotary)?;
        if found.is_some() && scaling.is_some() {
            return Err(keys.unsupported("rope.scaling.type", "linear, with factors"));
        }
        scaling = scaling.or(found);
    }
    if arch == Architecture::Gemma3 {
        let local = keys.float("rope.freq_base_swa")?.unwrap_or(1e4);
        out.push(("rope_local_base_freq", json!(local)));
    }
    out.push(("rope_theta", json!(theta)));
    out.extend(scaling.map(|scaling| ("rope_scaling", scaling)));
    Ok(out)
}

/// A number whose product with `whole`, rounded towards zero, is `part`.
fn share(part: usize, whole: usize) -> f64 {
    let share = part as f64 / whole.max(1) as f64;
    if (whole as f64 * share) as usize == part {
        share
    } else {
        share.next_up()
    }
}

fn linear(keys: &mut Keys<'_>) -> Result<Option<Value>> {
    let kind = keys.text("rope.scaling.type")?;
    let older = keys.float("rope.scale_linear")?;
    let factor = keys.float("rope.scaling.factor")?.or(older);
    match (kind, factor) {
        (Some("none"), _) | (None, None) => Ok(None),
        (_, Some(1.0)) if kind != Some("longrope") => Ok(None),
        (Some("linear") | None, Some(factor)) => {
            Ok(Some(json!({ "rope_type": "linear", "factor": factor })))
        }
        (Some("linear"), None) => Err(keys.invalid("rope.scaling.factor", "is missing")),
        (Some(other), _) => Err(keys.unsupported("rope.scaling.type", other)),
    }
}

/// Llama 3's parameters from its factors: those that were published, else those of other
/// contexts or factors that explain what is there. Only the ratios of low factor, high factor
/// and context count, so the low factor is taken to be 1.
fn llama3(keys: &Keys<'_>, theta: f64, rotary: usize) -> Result<Option<Value>> {
    let pairs = rotary / 2;
    keys.gguf.expect(FACTORS, &[pairs])?;
    let factors = keys.gguf.rows(FACTORS, 0..pairs)?;
    let factors: Vec<f64> = factors.into_iter().map(f64::from).collect();
    let factor = factors.iter().copied().fold(1.0, f64::max);
    // As stored: an integer, or a short decimal.
    let factor = (factor * 1e4).round() / 1e4;
    if factors.iter().all(|&f| f == 1.0) {
        return Ok(None);
    }
    let inverse_wavelength =
        |i: usize| theta.powf(-2.0 * i as f64 / rotary as f64) / (2.0 * std::f64::consts::PI);
    let explained = |(low, high, context): (f64, f64, f64)| {
        factors.iter().enumerate().all(|(i, &found)| {
            let turns = context * inverse_wavelength(i);
            let smooth = ((turns - low) / (high - low)).clamp(0.0, 1.0);
            let wanted = 1.0 / ((1.0 - smooth) / factor + smooth);
            (found - wanted).abs() <= TOLERANCE * wanted
        })
    };
    // Between the ends, `smooth` is linear in the inverse wavelength: two pairs give the line.
    let blended: Vec<(f64, f64)> = factors
        .iter()
        .enumerate()
        .filter(|&(_, &f)| f > 1.0 + TOLERANCE && f < factor * (1.0 - TOLERANCE))
        .map(|(i, &f)| {
            let smooth = (1.0 / f - 1.0 / factor) / (1.0 - 1.0 / factor);
            (inverse_wavelength(i), smooth)
        })
        .collect();
    // With the published low and high factor one pair is enough for the context.
    let (low, high, _) = PUBLISHED;
    let one = blended.first().map(|&(x, smooth)| {
        let turns = low + smooth * (high - low);
        (low, high, (turns / x).round())
    });
    let two = match (blended.first(), blended.last()) {
        (Some(&(x0, s0)), Some(&(x1, s1))) if x0 != x1 => {
            let slope = (s1 - s0) / (x1 - x0);
            let high = 1.0 + 1.0 / (slope * x0 - s0);
            let high = (high * 1e3).round() / 1e3;
            Some((1.0, high, (slope * (high - 1.0)).round()))
        }
        _ => None,
    };
    let candidates = [Some(PUBLISHED), one, two].into_iter().flatten();
    let mut fitting = candidates.filter(|rule| explained(*rule));
    let Some((low, high, context)) = fitting.next() else {
        return Err(ModelError::GgufUnsupported {
            file: keys.gguf.file().into(),
            reason: format!("{FACTORS} does not follow the rule of Llama 3, the one known"),
        });
    };
    Ok(Some(json!({
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": context as u64,
    })))
}
