//! Scoring with the whole model in memory.

use super::Batch;
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
    match outcome {
        Ok(surprisals) => {
            batch.deliver(&surprisals, results);
            Ok(())
        }
        Err(reason) if batch.len() == 1 => Err(FloatError::Failed {
            device: B::name(device),
            reason,
        }),
        Err(_) => {
            B::memory_cleanup(device);
            *limit = (*limit).min(batch.len().div_ceil(2));
            for half in batch.halves() {
                score(model, tables, &half, max_logits, device, limit, results)?;
            }
            Ok(())
        }
    }
}
