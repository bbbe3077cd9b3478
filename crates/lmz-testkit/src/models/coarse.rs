//! Models for which a scale for each row of int8 weights is too coarse: some weights of many rows stand far above the others.

use super::{Model, Tiny};

/// What the large weights are multiplied by.
const FACTOR: f32 = 64.0;

/// Multiplies one weight in each of every `every` rows of the maps that read the residual stream by 64, and the gains of the
/// norms before them by as little where these weights stand, so that what the large weights give stays as it was. They
/// stand in three of five columns, so that no column is above the median.
pub fn coarsen(model: &mut Model, every: usize) {
    const MAPS: [&str; 5] = ["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"];
    const NORMS: [&str; 2] = ["input_layernorm", "post_attention_layernorm"];
    let large = |column: &usize| column % 5 < 3;
    // Rows that follow each other, of two maps as well, have their weights in different columns.
    let mut next = 0;
    for (name, (shape, values)) in &mut model.tensors {
        let one_of = |names: &[&str]| names.iter().any(|part| name.contains(part));
        if one_of(&NORMS) {
            let gains = values.iter_mut().enumerate();
            let gains = gains.filter(|(column, _)| large(column));
            gains.for_each(|(_, gain)| *gain /= FACTOR);
        } else if one_of(&MAPS) && shape.len() == 2 {
            let columns: Vec<usize> = (0..shape[1]).filter(large).collect();
            for weights in values.chunks_exact_mut(shape[1]).step_by(every) {
                weights[columns[next % columns.len()]] *= FACTOR;
                next += 1;
            }
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
