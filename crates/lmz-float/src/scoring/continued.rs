//! Scoring behind a context whose keys and values are there already.

use burn::tensor::{Int, Tensor, backend::Backend};

use super::batches::Batch;
use super::packed::Layout;
use super::resident::halving;
use crate::block::Tables;
use crate::cache::Cache;
use crate::error::{FloatError, Result};
use crate::kernels::Kernels;
use crate::model::Model;

/// What a model says of a token that came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// `-ln p(token | the tokens before it)`.
    pub nats: f32,
    /// Whether it was the most likely one; of equals the lowest id is. False where nobody asked.
    pub first: bool,
}

/// The model in memory and what is needed to run it.
pub(crate) struct Resident<'a, B: Kernels> {
    pub model: &'a Model<B>,
    pub tables: &'a Tables<B>,
    pub device: &'a B::Device,
    pub max_logits: usize,
}

/// Scores the windows of a batch, whose first tokens follow what `context` has seen; as one row if the backend packs. A
/// batch on which the device fails is halved, as in [`score`](super::score).
pub(crate) fn score_continued<B: Kernels>(
    resident: &Resident<'_, B>,
    context: &Cache<B>,
    batch: &Batch<'_>,
    with_first: bool,
    limit: &mut usize,
    results: &mut [Vec<Scored>],
) -> Result<()> {
    let Resident {
        model,
        tables,
        device,
        max_logits,
    } = *resident;
    let mut run = |batch: &Batch<'_>| {
        let outcome = lmz_device::catch(|| {
            let rows = match B::packs() {
                true => as_one_row(resident, context, &batch.layout()),
                false => {
                    let mut cache = (context.tokens() > 0).then(|| context.repeated(batch.len()));
                    let hidden = model.hidden(batch.ids::<B>(device), tables, cache.as_mut());
                    batch.predicting(hidden)
                }
            };
            let targets = batch.targets();
            if with_first {
                return in_full(model, rows, &targets, max_logits);
            }
            let found = model
                .head
                .surprisals(rows, model.tied(), &targets, max_logits);
            let found = found.into_data();
            let nats = found.iter::<f32>();
            nats.map(|nats| Scored { nats, first: false }).collect()
        });
        if outcome.is_err() {
            B::memory_cleanup(device);
        }
        outcome
    };
    halving(batch, limit, results, &mut run).map_err(|reason| FloatError::Failed {
        device: B::name(device),
        reason,
    })
}

/// The hidden states that predict scored tokens, `[scored, width]`.
fn as_one_row<B: Kernels>(
    resident: &Resident<'_, B>,
    context: &Cache<B>,
    layout: &Layout,
) -> Tensor<B, 2> {
    let Resident {
        model,
        tables,
        device,
        ..
    } = *resident;
    let numbers = |numbers: Vec<i32>| Tensor::<B, 1, Int>::from_data(numbers.as_slice(), device);
    let ids = numbers(layout.tokens.iter().map(|&token| token as i32).collect());
    let positions = layout.positions.iter();
    let positions = numbers(positions.map(|&p| (context.tokens() + p) as i32).collect());
    let hidden = model.pieces(ids, &positions, &layout.pieces, tables, context);
    let places = layout.predicting.iter().cloned().flatten();
    let places = numbers(places.map(|place| place as i32).collect());
    hidden.squeeze_dim::<2>(0).select(0, places)
}

/// By whole rows of logits, as many at a time as may exist.
fn in_full<B: Kernels>(
    model: &Model<B>,
    rows: Tensor<B, 2>,
    targets: &[u32],
    max_logits: usize,
) -> Vec<Scored> {
    let vocab_size = model.embedding.tokens.val().dims()[0];
    let together = (max_logits / vocab_size.max(1)).clamp(1, targets.len().max(1));
    let mut found = Vec::with_capacity(targets.len());
    for (number, targets) in targets.chunks(together).enumerate() {
        let some = narrow(&rows, number * together, targets.len());
        let logits = model.head.logits(some, model.tied()).into_data();
        let logits: Vec<f32> = logits.iter::<f32>().collect();
        let width = logits.len() / targets.len();
        let each = logits.chunks_exact(width.max(1)).zip(targets);
        found.extend(each.map(|(row, &target)| of_logits(row, target)));
    }
    found
}

fn narrow<B: Backend>(rows: &Tensor<B, 2>, start: usize, count: usize) -> Tensor<B, 2> {
    rows.clone().narrow(0, start, count)
}

/// What a row of logits says of a token.
pub(crate) fn of_logits(row: &[f32], target: u32) -> Scored {
    let own = row[target as usize];
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&l| f64::from(l - max).exp()).sum();
    let first = row.iter().position(|&l| l == max);
    Scored {
        nats: (f64::from(max - own) + sum.ln()) as f32,
        first: first == Some(target as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_logits_says_how_surprising_a_token_is() {
        let row = [1.0, 3.0, 3.0, f32::NEG_INFINITY];
        let sum = 1f64.exp() + 2.0 * 3f64.exp();
        let nats = |logit: f64| (sum.ln() - logit) as f32;
        assert!((of_logits(&row, 0).nats - nats(1.0)).abs() < 1e-6);
        assert!((of_logits(&row, 2).nats - nats(3.0)).abs() < 1e-6);
        let first = |target| of_logits(&row, target).first;
        assert_eq!([first(0), first(1), first(2)], [false, true, false]);
        assert_eq!(of_logits(&row, 3).nats, f32::INFINITY);
    }
}
