//! The kernels of a pass, in order: the embedding, a layer's parts.

use cubecl::prelude::*;
use lmz_exact::parts::VALUE_BITS;

use super::{Block, CacheOn, PassRows, Session, cubes, units};
use crate::buffer::Buffer;
use crate::kernel::add::{BlockNormScalarsLaunch, add};
use crate::kernel::attention::{
    AttendScalarsLaunch, HeadNormScalarsLaunch, StoreScalarsLaunch, attend, norm_heads, store,
};
use crate::kernel::ends::{EmbedScalarsLaunch, embed};
use crate::kernel::gate::{GateKind, between, grouped};
use crate::kernel::norm::{EnterKind, EnterScalarsLaunch, NormKind, enter};
use crate::product::Product;
use crate::weights::{BlockNormOn, EmbedOn, LayerOn, LinearOn, NormOn, ShiftsOn, cap_numbers};

impl<R: Runtime> Session<R> {
    pub(super) fn embed(&self, table: &EmbedOn, indices: &Buffer<u32>, rows: usize, add: bool) {
        let Self { model, x, .. } = self;
        embed::launch::<R>(
            model.client,
            cubes(rows, 1),
            units(),
            indices.arg(),
            table.w.arg(),
            table.m.arg(),
            table.shifts.c.arg(),
            x.arg(),
            EmbedScalarsLaunch::new(
                model.shape.width,
                table.words,
                table.e + model.residual_bits,
                table.rows - 1,
            ),
            table.shifts.some(),
            add,
        );
    }

    /// One layer; returns whether the output of `down` waits in `y`.
    pub(super) fn layer(
        &self,
        layer: &LayerOn,
        cache: &CacheOn,
        pass: &PassRows,
        pending: bool,
    ) -> bool {
        let Self {
            model,
            a,
            y,
            identity,
            ..
        } = self;
        let rows = pass.count;
        let parallel = model.rules.parallel;
        self.enter(&layer.attn_norm, &layer.qkv, pending, identity, rows, a);
        if parallel {
            self.enter(
                &layer.ffn_norm,
                &layer.up,
                false,
                identity,
                rows,
                &self.parallel,
            );
        }
        self.linear(&layer.qkv, a, y, rows);
        self.attention(layer, cache, pass);
        self.linear(&layer.o, a, y, rows);
        let mut pending = true;
        if parallel || layer.attn_post_norm.is_some() {
            self.add(layer.attn_post_norm.as_ref(), rows);
            pending = false;
        }
        if parallel {
            self.linear(&layer.up, &self.parallel, y, rows);
        } else {
            self.enter(&layer.ffn_norm, &layer.up, pending, identity, rows, a);
            self.linear(&layer.up, a, y, rows);
        }
        self.between(&layer.down, rows);
        self.linear(&layer.down, a, y, rows);
        if layer.ffn_post_norm.is_some() {
            self.add(layer.ffn_post_norm.as_ref(), rows);
            return false;
        }
        true
    }

    /// The residual stream, with `y` added first if it is `pending`, as activations of `next`.
    pub(super) fn enter(
        &self,
        norm: &NormOn,
        next: &LinearOn,
        pending: bool,
        which: &Buffer<u32>,
        rows: usize,
        a: &Block<u32>,
    ) {
        let Self { model, x, y, .. } = self;
        enter::launch::<R>(
            model.client,
            cubes(rows, 1),
            units(),
            x.arg(),
            y.values.arg(),
            y.exponents.arg(),
            which.arg(),
            norm.g.arg(),
            norm.bias.b.arg(),
            next.shifts.c.arg(),
            a.values.arg(),
            a.exponents.arg(),
            EnterScalarsLaunch::new(
                model.shape.width,
                next.stride(),
                model.residual_bits,
                norm.eps,
                norm.eps_shift,
                norm.e,
                norm.bias.e,
                next.shifts.most,
            ),
            EnterKind {
                norm: norm.kind,
                add: pending,
                biased: norm.bias.some && norm.kind != NormKind::None,
                shifted: next.shifts.some(),
            },
        );
    }

    pub(super) fn linear(&self, layer: &LinearOn, a: &Block<u32>, y: &Block<i32>, rows: usize) {
        Product::choose(layer, rows, self.model.instruction).launch(
            self.model.client,
            layer,
            (&a.values, &a.exponents),
            (&y.values, &y.exponents),
            rows,
        );
    }

    /// From the output of `qkv` to the activations of `o`.
    fn attention(&self, layer: &LayerOn, cache: &CacheOn, pass: &PassRows) {
        let Self { model, plan, y, .. } = self;
        let client = model.client;
        let shape = &model.shape;
        let (heads, kv_heads, dim) = (shape.heads, shape.kv_heads, shape.head_dim);
        if let Some([query_norm, key_norm]) = &layer.head_norms {
            self.norm_heads(query_norm, 0, heads, pass.count);
            self.norm_heads(key_norm, heads, kv_heads, pass.count);
        }
        let (frequencies, rotated) = &model.weights.frequencies[usize::from(layer.local)];
        store::launch::<R>(
            client,
            cubes(heads + 2 * kv_heads, pass.count),
            units(),
            y.values.arg(),
            y.exponents.arg(),
            self.head_exponents.arg(),
            pass.lanes.arg(),
            pass.positions.arg(),
            frequencies.arg(),
            self.queries.arg(),
            self.query_exponents.arg(),
            cache.keys.arg(),
            cache.key_exponents.arg(),
            cache.values.arg(),
            cache.value_exponents.arg(),
            StoreScalarsLaunch::new(
                heads,
                kv_heads,
                dim,
                *rotated,
                cache.room,
                shape.query_bits,
                shape.key_bits,
                VALUE_BITS,
            ),
            layer.head_norms.is_some(),
        );
        let (cap_inverse, cap) = cap_numbers(model.rules.score_cap);
        attend::launch::<R>(
            client,
            cubes(heads, pass.count),
            units(),
            self.queries.arg(),
            self.query_exponents.arg(),
            cache.keys.arg(),
            cache.key_exponents.arg(),
            cache.values.arg(),
            cache.value_exponents.arg(),
            pass.lanes.arg(),
            pass.positions.arg(),
            model.weights.sigmoid.arg(),
            self.scores.arg(),
            self.heads.arg(),
            self.group_exponents.arg(),
            AttendScalarsLaunch::new(
                heads,
                kv_heads,
                dim,
                cache.room,
                layer.window.unwrap_or(0),
                plan.span,
                cap_inverse,
                cap,
            ),
            model.rules.score_cap.is_some(),
        );
        grouped::launch::<R>(
            client,
            cubes(pass.count, 1),
            units(),
            self.heads.arg(),
            self.group_exponents.arg(),
            layer.o.shifts.c.arg(),
            self.a.values.arg(),
            self.a.exponents.arg(),
            heads,
            dim,
            layer.o.stride(),
            layer.o.shifts.most,
            layer.o.shifts.some(),
        );
    }

    /// Norms `count` heads of each row, from head `first` on.
    fn norm_heads(&self, norm: &BlockNormOn, first: usize, count: usize, rows: usize) {
        let Self { model, y, .. } = self;
        let shape = &model.shape;
        let blocks = count * shape.head_dim / norm.len;
        norm_heads::launch::<R>(
            model.client,
            cubes(blocks, rows),
            units(),
            y.values.arg(),
            y.exponents.arg(),
            norm.g.arg(),
            self.head_exponents.arg(),
            HeadNormScalarsLaunch::new(
                norm.len,
                shape.head_dim,
                (shape.heads + 2 * shape.kv_heads) * shape.head_dim,
                first * shape.head_dim,
                first,
                shape.heads + shape.kv_heads,
            ),
            BlockNormScalarsLaunch::new(norm.e, norm.eps.0, norm.eps.1),
        );
    }

    /// Adds `y`, through a norm if there is one, to the residual stream.
    fn add(&self, norm: Option<&BlockNormOn>, rows: usize) {
        let Self {
            model,
            x,
            y,
            nothing,
            ..
        } = self;
        let numbers = norm.map_or((0, 0, 0), |norm| (norm.e, norm.eps.0, norm.eps.1));
        add::launch::<R>(
            model.client,
            cubes(rows, 1),
            units(),
            x.arg(),
            y.values.arg(),
            y.exponents.arg(),
            norm.map_or(nothing, |norm| &norm.g).arg(),
            model.shape.width,
            model.residual_bits,
            BlockNormScalarsLaunch::new(numbers.0, numbers.1, numbers.2),
            norm.is_some(),
        );
    }

    /// From the feed-forward layer's first map to the activations of its second.
    fn between(&self, down: &LinearOn, rows: usize) {
        let Self {
            model,
            a,
            y,
            nothing,
            ..
        } = self;
        let gate = model.weights.gate.as_ref();
        let ShiftsOn { c, most } = &down.shifts;
        between::launch::<R>(
            model.client,
            cubes(rows, 1),
            units(),
            y.values.arg(),
            y.exponents.arg(),
            gate.unwrap_or(nothing).arg(),
            c.arg(),
            a.values.arg(),
            a.exponents.arg(),
            model.shape.inner,
            down.stride(),
            *most,
            GateKind {
                gated: model.rules.gated,
                relu: gate.is_none(),
                shifted: down.shifts.some(),
            },
        );
    }
}
