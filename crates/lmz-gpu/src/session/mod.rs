//! Lanes on a device: passes of rows through the kernels.

mod answers;
mod layer;

use std::collections::VecDeque;
use std::sync::Arc;

use cubecl::prelude::*;
use lmz_exact::parts::{Rules, Shape};
use lmz_exact::{Kernel, Lanes, Prediction, Query, Result, Row};

use crate::buffer::Buffer;
use crate::kernel::reduce::UNITS;
use crate::plan::{Plan, Sizes};
use crate::weights::WeightsOn;
use answers::Read;

/// A model on a device, and what its forward pass needs to know.
pub struct ModelOn<R: Runtime> {
    /// For ever: what is being read back from a device borrows it.
    pub client: &'static ComputeClient<R>,
    pub device: String,
    pub weights: WeightsOn,
    pub shape: Shape,
    pub rules: Rules,
    pub residual_bits: i32,
    pub symbols: usize,
    pub escape_shift: u32,
    /// The CPU's, for what is computed from downloaded logits.
    pub kernel: Kernel,
    /// Whether the device's matrix instruction is used.
    pub instruction: bool,
    /// Since before its weights were uploaded.
    pub watch: lmz_device::Watch,
}

/// Mantissas or activations, with an exponent for each row.
struct Block<T> {
    values: Buffer<T>,
    exponents: Buffer<i32>,
}

impl<T: CubeElement + Copy> Block<T> {
    fn new<R: Runtime>(client: &ComputeClient<R>, rows: usize, width: usize) -> Self {
        Self {
            values: Buffer::room(client, rows * width),
            exponents: Buffer::room(client, rows),
        }
    }
}

/// One layer's keys and values.
struct CacheOn {
    keys: Buffer<u32>,
    key_exponents: Buffer<i32>,
    values: Buffer<u32>,
    value_exponents: Buffer<i32>,
    room: usize,
}

/// Caches and buffers of lanes.
pub struct Session<R: Runtime> {
    model: Arc<ModelOn<R>>,
    plan: Plan,
    caches: Vec<CacheOn>,
    /// 0, 1, 2, ...
    identity: Buffer<u32>,
    /// For what a kernel does not use.
    nothing: Buffer<i32>,
    x: Buffer<i32>,
    a: Block<u32>,
    /// Of the feed-forward half, where both halves read the same.
    parallel: Block<u32>,
    y: Block<i32>,
    head_exponents: Buffer<i32>,
    queries: Buffer<u32>,
    query_exponents: Buffer<i32>,
    scores: Buffer<i32>,
    heads: Buffer<i64>,
    group_exponents: Buffer<i32>,
    head_a: Block<u32>,
    logits: Block<i32>,
    /// Of what was submitted, the oldest first.
    queued: VecDeque<Vec<Read>>,
}

/// The rows of one pass.
struct PassRows {
    count: usize,
    lanes: Buffer<u32>,
    positions: Buffer<u32>,
    tokens: Buffer<u32>,
}

/// A cube for each of `x` · `y` pieces of work.
fn cubes(x: usize, y: usize) -> CubeCount {
    CubeCount::Static(x as u32, y as u32, 1)
}

fn units() -> CubeDim {
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

    /// Launches a pass; its predictions, if anything is asked, can be waited for.
    fn pass(&self, rows: &[Row], queries: &[(usize, Query)]) -> Vec<Read> {
        let Self { model, .. } = self;
        let client = model.client;
        let column = |f: fn(&Row) -> u32| {
            let values: Vec<u32> = rows.iter().map(f).collect();
            Buffer::new(client, &values)
        };
        let pass = PassRows {
            count: rows.len(),
            lanes: column(|row| row.lane),
            positions: column(|row| row.position),
            tokens: column(|row| row.token),
        };
        self.embed(&model.weights.embed, &pass.tokens, pass.count, false);
        if let Some(table) = &model.weights.positions {
            self.embed(table, &pass.positions, pass.count, true);
        }
        // What the layer before has left in `y` to be added.
        let mut pending = false;
        for (layer, cache) in model.weights.layers.iter().zip(&self.caches) {
            pending = self.layer(layer, cache, &pass, pending);
        }
        self.answers(queries, pending)
    }
}

impl<R: Runtime> Lanes for Session<R> {
    fn lanes(&self) -> usize {
        self.plan.lanes
    }

    fn rows(&self) -> usize {
        self.plan.rows
    }

    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<()> {
        let mut reads = Vec::new();
        let client = self.model.client;
        let mut left = queries;
        for (pass, part) in rows.chunks(self.plan.rows).enumerate() {
            let first = pass * self.plan.rows;
            let end = left.partition_point(|(row, _)| *row < first + part.len());
            let (now, later) = left.split_at(end);
            left = later;
            let now: Vec<_> = now
                .iter()
                .map(|&(row, query)| (row - first, query))
                .collect();
            let session = &mut *self;
            let pass = move || {
                let session = session;
                session.pass(part, &now)
            };
            // In CubeCL's own thread, where each launch would go through a queue otherwise. It panics where memory
            // runs out or a device is lost.
            let launched = lmz_device::catch(move || client.exclusive(pass));
            let launched = launched.map_err(|reason| self.model.failed(&reason))?;
            reads.extend(launched.map_err(|error| self.model.undone(&error))?);
        }
        self.queued.push_back(reads);
        Ok(())
    }

    fn collect(&mut self, take: &mut dyn FnMut(usize, &Prediction<'_>)) -> Result<()> {
        let Some(reads) = self.queued.pop_front() else {
            return Err(self.model.failed("nothing was asked of it"));
        };
        let mut first = 0;
        for read in reads {
            first += read.hand_out(&self.model, first, take)?;
        }
        Ok(())
    }
}
