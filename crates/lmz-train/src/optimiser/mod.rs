//! Muon for the matrices of layers, AdamW for the embedding and the norms.

mod adam;
mod muon;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use lmz_float::kernels::{Kernels, Products};
use lmz_model::{Blueprint, Part};

use crate::parameters::{Slot, name};
use crate::preset::Preset;

/// What the optimisers remember of each part, by its name in a checkpoint.
pub(crate) struct Optimiser<B: Kernels> {
    /// Muon's momentum of each matrix.
    pub momenta: BTreeMap<String, Tensor<B, 2>>,
    /// AdamW's running means of the gradient and of its square.
    pub means: BTreeMap<String, [Tensor<B, 2>; 2]>,
    products: Products,
}

impl<B: Kernels> Optimiser<B> {
    pub fn new(products: Products) -> Self {
        Self {
            momenta: BTreeMap::new(),
            means: BTreeMap::new(),
            products,
        }
    }

    /// One step of one slot by its gradient; `step` counts from 0, `rate` is the schedule's.
    pub fn update(
        &mut self,
        slot: &mut Slot<'_, B>,
        gradient: Tensor<B, 2>,
        blueprint: &Blueprint,
        preset: &Preset,
        step: u64,
        rate: f64,
    ) {
        let value = slot.value();
        if !slot.is_matrix() {
            let means = self.means.entry(name(slot.parts[0])).or_insert_with(|| {
                let zeros = value.zeros_like();
                [zeros.clone(), zeros]
            });
            slot.set(adam::step(
                value,
                means,
                gradient,
                step,
                preset.adam_rate * rate,
            ));
            return;
        }
        // Each part is orthogonal by itself.
        let mut parts = Vec::with_capacity(slot.parts.len());
        for (part, first, rows) in rows(&slot.parts, blueprint) {
            let gradient = gradient.clone().narrow(0, first, rows);
            let momentum = self.momenta.entry(name(part));
            let momentum = momentum.or_insert_with(|| gradient.zeros_like());
            let rate = preset.muon_rate * rate;
            let update = muon::direction(momentum, gradient, self.products);
            let value = value.clone().narrow(0, first, rows);
            parts.push(muon::apply(value, update, rate, preset.weight_decay));
        }
        slot.set(Tensor::cat(parts, 0));
    }
}

/// The parts of a slot, with the first row and the number of rows of each.
pub(crate) fn rows<'a>(
    parts: &'a [Part],
    blueprint: &'a Blueprint,
) -> impl Iterator<Item = (Part, usize, usize)> + 'a {
    let mut first = 0;
    parts.iter().map(move |&part| {
        let shape = blueprint.part_shape(part);
        let rows = if shape.len() == 1 { 1 } else { shape[0] };
        let start = first;
        first += rows;
        (part, start, rows)
    })
}
