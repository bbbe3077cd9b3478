//! Scoring with the whole model in memory.

use super::batches::Batch;
use crate::block::Tables;
use crate::error::{FloatError, Result};
use crate::kernels::Kernels;
use crate::model::Model;

/// The surprisals of one batch, delivered into `results`. A batch on which the device fails,
/// for want of memory as a rule, is halved; `limit` is lowered to what last went well.
pub(crate) fn score<B: Kernels>(
    model: &Model<B>,
    tables: &Tables<B>,
    batch: &Batch<'_>,
    max_logits: usize,
    device: &B::Device,
    limit: &mut usize,
    results: &mut [Vec<f32>],
) -> Result<()> {
    let mut run = |batch: &Batch<'_>| {
        let outcome = lmz_device::catch(|| {
            let hidden = model.hidden(batch.ids::<B>(device), tables, None);
            let rows = batch.predicting(hidden);
            let targets = batch.targets();
            model
                .head
                .surprisals(rows, model.tied(), &targets, max_logits)
                .into_data()
                .iter::<f32>()
                .collect::<Vec<f32>>()
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

/// What [`lmz_device::catch`] gives: a value, or the device's message.
pub(super) type Outcome<T> = std::result::Result<T, String>;

/// Runs a batch, or its halves where it fails, down to one window; the error is of such a one.
pub(super) fn halving<T: Clone>(
    batch: &Batch<'_>,
    limit: &mut usize,
    results: &mut [Vec<T>],
    run: &mut dyn FnMut(&Batch<'_>) -> Outcome<Vec<T>>,
) -> Outcome<()> {
    match run(batch) {
        Ok(found) => {
            batch.deliver(&found, results);
            Ok(())
        }
        Err(reason) if batch.len() == 1 => Err(reason),
        Err(_) => {
            *limit = (*limit).min(batch.len().div_ceil(2));
            let mut halves = batch.halves().into_iter();
            halves.try_for_each(|half| halving(&half, limit, results, run))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::Window;

    /// Scores windows of two tokens, whose surprisals are the tokens, on a device with room for `room` windows. Gives
    /// the batches that were tried, the results, and the new limit.
    fn on_a_device_with_room(room: usize) -> (Vec<usize>, Outcome<Vec<Vec<f32>>>, usize) {
        let tokens: Vec<u32> = (0..14).collect();
        let windows: Vec<Window<'_>> = tokens
            .chunks(2)
            .map(|tokens| Window { tokens, scored: 1 })
            .collect();
        let batches = Batch::split(&windows, |_| 7);
        let (mut limit, mut tried, mut results) = (7, Vec::new(), vec![vec![]; 7]);
        let outcome = halving(&batches[0], &mut limit, &mut results, &mut |batch| {
            tried.push(batch.len());
            lmz_device::catch(|| {
                assert!(batch.len() <= room, "out of memory");
                batch.targets().iter().map(|&t| t as f32).collect()
            })
        });
        (tried, outcome.map(|()| results), limit)
    }

    #[test]
    fn a_batch_that_is_too_large_goes_in_halves() {
        let expected: Vec<Vec<f32>> = (0..7).map(|i| vec![(2 * i + 1) as f32]).collect();
        for (room, tried, limit) in [
            (7, vec![7], 7),
            (4, vec![7, 3, 4], 4),
            (2, vec![7, 3, 1, 2, 4, 2, 2], 2),
        ] {
            let (was_tried, outcome, lowered) = on_a_device_with_room(room);
            assert_eq!((was_tried, lowered), (tried, limit));
            assert_eq!(outcome.as_ref(), Ok(&expected));
        }
        let (tried, outcome, _) = on_a_device_with_room(0);
        assert_eq!(tried, [7, 3, 1], "one window fails: nothing else is tried");
        assert!(outcome.is_err_and(|reason| reason.contains("out of memory")));
    }
}
