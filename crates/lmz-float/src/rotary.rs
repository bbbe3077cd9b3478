//! Rotary tables, computed on the host: a GPU's sine and cosine are too coarse.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use lmz_model::{Blueprint, Position, RopeScaling};

/// The cosines and sines of the first positions, each `[positions, rotary_dim / 2]` in f32.
#[derive(Clone, Debug)]
pub struct Rotary<B: Backend> {
    cos: Tensor<B, 2>,
    sin: Tensor<B, 2>,
}

impl<B: Backend> Rotary<B> {
    /// The tables for `positions` positions.
    ///
    /// Frequencies and angles are rounded to f32 where transformers rounds them; the sines of
    /// those angles are those of f64.
    pub fn new(frequencies: &[f32], positions: usize, device: &B::Device) -> Self {
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = (0..positions)
                .flat_map(|p| frequencies.iter().map(move |f| p as f32 * f))
                .map(|angle| function(f64::from(angle)) as f32)
                .collect();
            let shape = [positions, frequencies.len()];
            Tensor::from_data(
                TensorData::new(values, shape),
                (device, burn::tensor::DType::F32),
            )
        };
        Self {
            cos: table(f64::cos),
            sin: table(f64::sin),
        }
    }

    /// How many positions the tables have.
    pub fn positions(&self) -> usize {
        self.cos.dims()[0]
    }

    /// The rows of these positions.
    pub(crate) fn at(&self, positions: &Tensor<B, 1, Int>) -> (Tensor<B, 2>, Tensor<B, 2>) {
        let select = |table: &Tensor<B, 2>| table.clone().select(0, positions.clone());
        (select(&self.cos), select(&self.sin))
    }

    /// The rows of `tokens` positions from `start` on.
    pub fn rows(&self, start: usize, tokens: usize) -> (Tensor<B, 2>, Tensor<B, 2>) {
        (
            self.cos.clone().narrow(0, start, tokens),
            self.sin.clone().narrow(0, start, tokens),
        )
    }
}

/// The frequencies of a model's layers, in radians a position: those of ordinary layers, and
/// those of windowed layers where they differ. Empty without rotary positions.
pub(crate) fn frequencies(blueprint: &Blueprint) -> (Vec<f32>, Option<Vec<f32>>) {
    let width = blueprint.attention.rotary_dim.unwrap_or(blueprint.head_dim);
    let Position::Rope { theta, scaling } = blueprint.position else {
        return (vec![], None);
    };
    let global = bases(theta, width).map(|f| scale(f, scaling)).collect();
    let local = blueprint.attention.window.as_ref().and_then(|w| w.theta);
    (global, local.map(|theta| bases(theta, width).collect()))
}

/// `theta^(-2i / width)`, with the rounding of transformers.
fn bases(theta: f64, width: usize) -> impl Iterator<Item = f32> {
    (0..width / 2).map(move |i| {
        let exponent = (2 * i) as f32 / width as f32;
        1.0 / theta.powf(f64::from(exponent)) as f32
    })
}

fn scale(frequency: f32, scaling: RopeScaling) -> f32 {
    match scaling {
        RopeScaling::Linear { factor } => frequency / factor as f32,
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_position_embeddings,
        } => {
            let original = original_max_position_embeddings as f64;
            let wavelength = std::f64::consts::TAU / f64::from(frequency);
            if wavelength < original / high_freq_factor {
                frequency
            } else if wavelength > original / low_freq_factor {
                frequency / factor as f32
            } else {
                let blend = (original / wavelength - low_freq_factor)
                    / (high_freq_factor - low_freq_factor);
                let frequency = f64::from(frequency);
                ((1.0 - blend) * frequency / factor + blend * frequency) as f32
            }
        }
        _ => frequency,
    }
}
