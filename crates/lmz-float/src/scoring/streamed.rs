//! Scoring a model that does not fit: every batch of a pass goes through one layer before the
//! next layer is read.

use super::batches::Batch;
use super::spill::Store;
use crate::block::Tables;
use crate::error::{FloatError, Result};
use crate::kernels::Kernels;
use crate::load::Loader;

/// What a pass may take.
pub(crate) struct Limits {
    /// Elements of one buffer of logits.
    pub max_logits: usize,
    /// The hidden width, in elements.
    pub width: usize,
    /// How many layers there are.
    pub layers: usize,
}

/// Scores batches in as few passes as `store` allows: it makes an empty store for each pass.
pub(crate) fn score_streamed<B: Kernels>(
    loader: &Loader<'_, B>,
    tables: &Tables<B>,
    batches: &[Batch<'_>],
    limits: &Limits,
    store: impl Fn() -> Store,
    results: &mut [Vec<f32>],
) -> Result<()> {
    let mut rest = batches;
    while !rest.is_empty() {
        let done = pass(loader, tables, rest, limits, store(), results)?;
        rest = &rest[done..];
    }
    Ok(())
}

/// Takes as many batches as the store holds, at least one, all the way; gives their number.
fn pass<B: Kernels>(
    loader: &Loader<'_, B>,
    tables: &Tables<B>,
    batches: &[Batch<'_>],
    limits: &Limits,
    mut store: Store,
    results: &mut [Vec<f32>],
) -> Result<usize> {
    let (device, dtype) = (loader.device(), loader.dtype());
    let embedding = loader.embedding()?;
    for batch in batches {
        let bytes = (batch.len() * batch.tokens() * limits.width) as u64 * 4;
        if store.len() > 0 && !store.fits(bytes) {
            break;
        }
        let states = guard::<B, _>(device, || embedding.forward(batch.ids::<B>(device), 0))?;
        store.push(states)?;
    }
    drop(embedding);
    let taken = &batches[..store.len()];

    for index in 0..limits.layers {
        let layer = loader.layer(index)?;
        for slot in 0..taken.len() {
            let states = store.take::<B>(slot, device, dtype)?;
            let states = guard::<B, _>(device, || layer.forward(states, tables, 0, None))?;
            store.put(slot, states)?;
        }
    }

    let head = loader.head(true)?;
    for (slot, batch) in taken.iter().enumerate() {
        let states = store.take::<B>(slot, device, dtype)?;
        let surprisals = guard::<B, _>(device, || {
            let rows = batch.predicting(states);
            head.surprisals(rows, None, &batch.targets(), limits.max_logits)
                .into_data()
                .iter::<f32>()
                .collect::<Vec<f32>>()
        })?;
        batch.deliver(&surprisals, results);
    }
    Ok(taken.len())
}

fn guard<B: Kernels, T>(device: &B::Device, f: impl FnOnce() -> T) -> Result<T> {
    lmz_device::catch(f).map_err(|reason| FloatError::Failed {
        device: B::name(device),
        reason,
    })
}
