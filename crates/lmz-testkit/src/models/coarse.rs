//! Models for which a scale for each row of int8 weights is too coarse: some weights of many rows stand far above the others.

use super::{Model, Tiny};

/// What the large weights are multiplied by.
const FACTOR: f32 = 200.0;

/// Multiplies one weight in each of every `every` rows of all matrices by 200, and the gains of the norms before the columns
/// where these weights stand by as little, so that what the large weights give stays as it was. The columns are a quarter of
/// all, so that none of them stands above the others.
pub fn coarsen(model: &mut Model, every: usize) {
    let names: Vec<String> = model.tensors.keys().cloned().collect();
    for name in names {
        let (shape, values) = model.tensors.get_mut(&name).expect("it is named");
        match shape[..] {
            [_, columns] => {
                let rows = values.chunks_exact_mut(columns).enumerate();
                for (row, weights) in rows.filter(|(row, _)| row % every == 0) {
                    weights[row / every * 4 % columns / 4 * 4] *= FACTOR;
                }
            }
            // Of norms: maps between the halves have none before them.
            [_] => values
                .iter_mut()
                .step_by(4)
                .for_each(|gain| *gain /= FACTOR),
            _ => {}
        }
    }
}

/// A tiny Llama of random weights with such rows. Vectors are made from it: it stays as it is.
pub fn coarse_rows() -> Model {
    let shape = Tiny {
        hidden: 48,
        inner: 40,
        layers: 2,
        heads: 4,
        kv_heads: 2,
        head_dim: 12,
        tied: true,
        llama3: false,
    };
    let mut model = shape.model(8);
    coarsen(&mut model, 3);
    model
}
