//! What lanes have on a device: caches and buffers.

use std::collections::VecDeque;
use std::sync::Arc;

use cubecl::prelude::*;

use super::model::ModelOn;
use super::read::Read;
use crate::buffer::Buffer;
use crate::kernel::reduce::UNITS;
use crate::plan::{Plan, Sizes};

/// Mantissas or activations, with an exponent for each row.
pub(super) struct Block<T> {
    pub(super) values: Buffer<T>,
    pub(super) exponents: Buffer<i32>,
}

impl<T: CubeElement + Copy> Block<T> {
    pub(super) fn new<R: Runtime>(client: &ComputeClient<R>, rows: usize, width: usize) -> Self {
        Self {
            values: Buffer::room(client, rows * width),
            exponents: Buffer::room(client, rows),
        }
    }
}

/// One layer's keys and values.
pub(super) struct CacheOn {
    pub(super) keys: Buffer<u32>,
    pub(super) key_exponents: Buffer<i32>,
    pub(super) values: Buffer<u32>,
    pub(super) value_exponents: Buffer<i32>,
    pub(super) room: usize,
}

/// Caches and buffers of lanes.
pub struct Session<R: Runtime> {
    pub(super) model: Arc<ModelOn<R>>,
    pub(super) plan: Plan,
    pub(super) caches: Vec<CacheOn>,
    /// 0, 1, 2, ...
    pub(super) identity: Buffer<u32>,
    /// For what a kernel does not use.
    pub(super) nothing: Buffer<i32>,
    pub(super) x: Buffer<i32>,
    pub(super) a: Block<u32>,
    /// Of the feed-forward half, where both halves read the same.
    pub(super) parallel: Block<u32>,
    pub(super) y: Block<i32>,
    pub(super) head_exponents: Buffer<i32>,
    pub(super) queries: Buffer<u32>,
    pub(super) query_exponents: Buffer<i32>,
    pub(super) scores: Buffer<i32>,
    pub(super) heads: Buffer<i64>,
    pub(super) group_exponents: Buffer<i32>,
    pub(super) head_a: Block<u32>,
    pub(super) logits: Block<i32>,
    /// Of what was submitted, the oldest first.
    pub(super) queued: VecDeque<Vec<Read>>,
}

/// The rows of one pass.
pub(super) struct PassRows {
    pub(super) count: usize,
    pub(super) lanes: Buffer<u32>,
    pub(super) positions: Buffer<u32>,
    pub(super) tokens: Buffer<u32>,
}

/// A cube for each of `x` · `y` pieces of work.
pub(super) fn cubes(x: usize, y: usize) -> CubeCount {
    CubeCount::Static(x as u32, y as u32, 1)
}

pub(super) fn units() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

impl<R: Runtime> Session<R> {
    /// Allocates what `plan` says.
    pub fn new(model: Arc<ModelOn<R>>, plan: Plan, sizes: &Sizes) -> Self {
        let client = model.client;
        let shape = &model.shape;
        let rows = plan.rows;
        let cache = |&room: &usize| {
            let slots = plan.lanes * shape.kv_heads * room;
            CacheOn {
                keys: Buffer::room(client, slots * shape.head_dim / 2),
                key_exponents: Buffer::room(client, slots),
                values: Buffer::room(client, slots * shape.head_dim / 2),
                value_exponents: Buffer::room(client, slots),
                room,
            }
        };
        let queries = shape.heads * shape.head_dim;
        let numbers: Vec<u32> = (0..rows as u32).collect();
        let parallel = if model.rules.parallel {
            sizes.widest_input / 2
        } else {
            1
        };
        Self {
            caches: plan.rooms.iter().map(cache).collect(),
            identity: Buffer::new(client, &numbers),
            nothing: Buffer::room(client, 1),
            x: Buffer::room(client, rows * shape.width),
            a: Block::new(client, rows, sizes.widest_input / 2),
            parallel: Block::new(client, rows, parallel),
            y: Block::new(client, rows, sizes.widest_output),
            head_exponents: Buffer::room(client, rows * (shape.heads + shape.kv_heads)),
            queries: Buffer::room(client, rows * queries / 2),
            query_exponents: Buffer::room(client, rows * shape.heads),
            scores: Buffer::room(client, rows * shape.heads * plan.span),
            heads: Buffer::room(client, rows * queries),
            group_exponents: Buffer::room(client, rows * shape.heads),
            head_a: Block::new(client, plan.head_rows, model.weights.head.stride()),
            logits: Block::new(client, plan.head_rows, model.weights.head.out),
            queued: VecDeque::new(),
            model,
            plan,
        }
    }
}
