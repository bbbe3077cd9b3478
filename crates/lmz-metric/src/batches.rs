//! In which portions windows go to an engine.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::scorer::Scorer;
use crate::shard::Shard;

/// The windows of a plan, in the order of the work, cut into batches.
///
/// The longest windows go first, so that a batch holds windows of about the same length, and so
/// that too little memory shows at once; windows of the same length keep their order. Sums do not
/// depend on this order, but the last bits of an engine's answer may depend on a batch's shape:
/// so a run that is continued keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    order: Vec<usize>,
    /// Number of windows of each batch.
    sizes: Vec<usize>,
}

/// The sizes of batches, as a journal holds them: how many batches in a row, of how many windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSizes(pub Vec<(u64, u64)>);

impl Batches {
    /// The batches that an engine asks for.
    pub fn for_scorer(plan: &Plan, scorer: &dyn Scorer) -> Self {
        let order = order(plan);
        let mut sizes = Vec::new();
        let mut at = 0;
        while let Some(&first) = order.get(at) {
            let size = scorer
                .batch(plan.spans[first].len)
                .clamp(1, order.len() - at);
            sizes.push(size);
            at += size;
        }
        Self { order, sizes }
    }

    /// The batches of these sizes, if they hold each of the plan's windows.
    pub fn of_sizes(plan: &Plan, sizes: &BatchSizes) -> Option<Self> {
        let order = order(plan);
        let mut left = order.len();
        let mut all = Vec::new();
        for &(times, size) in &sizes.0 {
            let size = usize::try_from(size).ok().filter(|&size| size > 0)?;
            let times = usize::try_from(times).ok()?;
            left = left.checked_sub(times.checked_mul(size)?)?;
            all.extend(std::iter::repeat_n(size, times));
        }
        (left == 0).then_some(Self { order, sizes: all })
    }

    /// The batches of a shard: as many in a row as of any other shard, or one more. An engine gives
    /// them the answers that it gives them in the whole run, as their shapes are the same.
    pub fn shard(&self, shard: Shard) -> Self {
        let range = shard.of(self.sizes.len());
        let windows = |sizes: &[usize]| sizes.iter().sum::<usize>();
        let before = windows(&self.sizes[..range.start]);
        let sizes = self.sizes[range].to_vec();
        Self {
            order: self.order[before..before + windows(&sizes)].to_vec(),
            sizes,
        }
    }

    /// The sizes, for a journal.
    pub fn sizes(&self) -> BatchSizes {
        let runs = self.sizes.chunk_by(|a, b| a == b);
        BatchSizes(runs.map(|run| (run.len() as u64, run[0] as u64)).collect())
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The windows of each batch, as numbers of the plan's spans.
    pub fn iter(&self) -> impl Iterator<Item = &[usize]> {
        let mut rest = self.order.as_slice();
        self.sizes.iter().map(move |&size| {
            let (batch, after) = rest.split_at(size);
            rest = after;
            batch
        })
    }
}

fn order(plan: &Plan) -> Vec<usize> {
    let mut order: Vec<usize> = (0..plan.spans.len()).collect();
    order.sort_by_key(|&span| std::cmp::Reverse(plan.spans[span].len));
    order
}
