//! Random weights for any blueprint, without files.

use lmz_model::{Blueprint, ModelError, Part, Weights};

use crate::Random;

/// Weights that are the same for the same seed, whatever the order of loading.
#[derive(Clone, Debug)]
pub struct RandomWeights {
    /// What they are the weights of.
    pub blueprint: Blueprint,
    /// Decides all of them.
    pub seed: u64,
}

impl Weights for RandomWeights {
    fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    fn load(&self, part: Part) -> Result<Vec<f32>, ModelError> {
        let shape = self.blueprint.part_shape(part);
        let count = shape.iter().product();
        // Each part has its own sequence, by the FNV-1a hash of its name.
        let name = format!("{part:?}");
        let mut random = Random(name.bytes().fold(self.seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }));
        // Vectors around 1, so that norms keep the size; matrices small.
        let (centre, spread) = match shape.len() {
            1 => (0.5, 0.5),
            _ => (0.0, 1.7 / (shape[1] as f64).sqrt()),
        };
        let value = |_| (centre + spread * (2.0 * random.unit() - 1.0)) as f32;
        Ok((0..count).map(value).collect())
    }
}
