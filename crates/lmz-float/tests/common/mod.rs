//! Models for tests: directories, and random weights for any blueprint.

#![allow(dead_code)]

use std::sync::Arc;

use lmz_model::{Blueprint, ModelError, Network, Part, Weights};

/// Weights that are the same for the same seed, whatever the order of loading.
pub struct Random {
    pub blueprint: Blueprint,
    pub seed: u64,
}

impl Weights for Random {
    fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    fn load(&self, part: Part) -> Result<Vec<f32>, ModelError> {
        let shape = self.blueprint.part_shape(part);
        let count = shape.iter().product();
        let mut state = self.seed;
        for byte in format!("{part:?}").bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        // Vectors around 1, so that norms keep the size; matrices small.
        let (centre, spread) = match shape.len() {
            1 => (0.5, 0.5),
            _ => (0.0, 1.0 / (shape[1] as f32).sqrt() * 1.7),
        };
        Ok((0..count).map(|_| centre + spread * next()).collect())
    }
}

/// A model directory, or a message and nothing.
pub fn open(directory: &str) -> Option<Arc<Network>> {
    match Network::open(directory) {
        Ok(network) => Some(Arc::new(network)),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// The largest difference of two lists of equal length.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    // Written so that a NaN counts as infinite.
    differences.fold(0.0, |m, d| {
        if d <= m {
            m
        } else if d.is_nan() {
            f32::INFINITY
        } else {
            d
        }
    })
}
