//! Passes of rows through the kernels.

use cubecl::prelude::*;
use lmz_exact::{Lanes, Prediction, Query, Result, Row};

use super::read::Read;
use super::state::{PassRows, Session};
use crate::buffer::Buffer;

impl<R: Runtime> Session<R> {
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
