//! Rotary frequencies in units of 2^-32 turn per position.

use lmz_model::{Blueprint, Position, RopeScaling};

use crate::fixed::pow2;
use crate::tables::{exp2_q62, log2_q62};

/// Frequencies, one for each rotating pair of a head's elements.
pub type Frequencies = Vec<u32>;

/// Those of ordinary layers, none where positions are learned, and those of windowed layers where
/// they differ.
pub fn frequencies(blueprint: &Blueprint) -> (Option<Frequencies>, Option<Frequencies>) {
    let Position::Rope { theta, scaling } = blueprint.position else {
        return (None, None);
    };
    let size = blueprint.attention.rotary_dim.unwrap_or(blueprint.head_dim);
    let window = blueprint.attention.window.as_ref();
    let local = window.filter(|w| w.layers.is_empty() || w.layers.contains(&true));
    let local = local.and_then(|w| w.theta);
    (
        Some(of_base(theta, scaling, size)),
        local.map(|theta| of_base(theta, RopeScaling::None, size)),
    )
}

fn of_base(theta: f64, scaling: RopeScaling, size: usize) -> Frequencies {
    let log = log2_q62(theta);
    let size = size as i128;
    let turns = 4_294_967_296.0 / std::f64::consts::TAU;
    (0..size / 2)
        .map(|i| {
            let (mantissa, exponent) = exp2_q62(-(log * 2 * i).div_euclid(size));
            let inverse = mantissa as f64 * pow2(-62) * pow2(exponent);
            (scaled(inverse, scaling) * turns).round() as u64 as u32
        })
        .collect()
}

/// The published scaling rules on the inverse frequency (radians per position).
fn scaled(inverse: f64, scaling: RopeScaling) -> f64 {
    match scaling {
        RopeScaling::Linear { factor } => inverse / factor,
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_position_embeddings,
        } => {
            let context = original_max_position_embeddings as f64;
            let wavelength = std::f64::consts::TAU / inverse;
            if wavelength < context / high_freq_factor {
                inverse
            } else if wavelength > context / low_freq_factor {
                inverse / factor
            } else {
                let smooth =
                    (context / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
                (1.0 - smooth) * inverse / factor + smooth * inverse
            }
        }
        _ => inverse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lmz_model::{Activation, Norm};

    fn blueprint(theta: f64, scaling: RopeScaling) -> Blueprint {
        Blueprint {
            hidden_size: 64,
            intermediate_size: 64,
            layers: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 64,
            vocab_size: 2,
            max_positions: 8192,
            norm: Norm::RmsNorm { eps: 1e-5 },
            position: Position::Rope { theta, scaling },
            activation: Activation::Silu,
            tied_head: true,
            start_token: 0,
            layout: Default::default(),
            block: Default::default(),
            attention: Default::default(),
            feed_forward: Default::default(),
            ends: Default::default(),
        }
    }

    fn of_blueprint(theta: f64, scaling: RopeScaling) -> Frequencies {
        let (global, local) = frequencies(&blueprint(theta, scaling));
        assert_eq!(local, None);
        global.unwrap()
    }

    #[test]
    fn part_of_a_head_and_windowed_layers() {
        let mut b = blueprint(10_000.0, RopeScaling::Linear { factor: 4.0 });
        b.attention.rotary_dim = Some(16);
        b.attention.window = Some(lmz_model::Window {
            tokens: 5,
            layers: vec![],
            theta: Some(100.0),
        });
        let (global, local) = frequencies(&b);
        let (global, local) = (global.unwrap(), local.unwrap());
        assert_eq!((global.len(), local.len()), (8, 8));
        assert_eq!(global[0], local[0] / 4);
        let ratio = f64::from(local[4]) / f64::from(local[0]);
        assert!((ratio - 0.1).abs() < 1e-6, "{ratio}");
    }

    #[test]
    fn frequencies_are_the_nearest() {
        let turns = 2f64.powi(32) / std::f64::consts::TAU;
        for theta in [10_000.0, 500_000.0] {
            let ours = of_blueprint(theta, RopeScaling::None);
            for (i, &f) in ours.iter().enumerate() {
                let exact = theta.powf(-2.0 * i as f64 / 64.0) * turns;
                assert!(
                    (f64::from(f) - exact).abs() <= 0.5001,
                    "{theta} {i}: {f} {exact}"
                );
            }
        }
    }

    #[test]
    fn llama3_keeps_short_waves_and_stretches_long_ones() {
        let scaling = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 8192,
        };
        let plain = of_blueprint(500_000.0, RopeScaling::None);
        let scaled = of_blueprint(500_000.0, scaling);
        assert_eq!(plain[0], scaled[0]);
        let last = plain.len() - 1;
        assert!((f64::from(plain[last]) / f64::from(scaled[last]) - 8.0).abs() < 0.02);
        assert!(
            plain
                .iter()
                .zip(&scaled)
                .any(|(p, s)| p / 8 < s - 1 && s < p),
            "a blend between"
        );
    }
}
