//! The kernels of a pass, in order: the embedding, a layer's parts.

use cubecl::prelude::*;
use lmz_exact::parts::VALUE_BITS;

use super::state::{Block, CacheOn, PassRows, Session, cubes, units};
use crate::buffer::Buffer;
use crate::kernel::add::{BlockNormScalars, BlockNormScalarsLaunch, add};
use crate::kernel::attention::{
    AttendScalars, AttendScalarsLaunch, HeadNormScalars, HeadNormScalarsLaunch, StoreScalars,
    StoreScalarsLaunch, attend, norm_heads, store,
};
use crate::kernel::ends::{EmbedScalars, EmbedScalarsLaunch, embed};
use crate::kernel::gate::{GateKind, between, grouped};
use crate::kernel::norm::{EnterKind, EnterScalars, EnterScalarsLaunch, NormKind, enter};
use crate::launch::launch;
use crate::product::Product;
use crate::weights::{BlockNormOn, EmbedOn, LayerOn, LinearOn, NormOn, ShiftsOn, softcap_numbers};

impl<R: Runtime> Session<R> {
    pub(super) fn embed(&self, table: &EmbedOn, indices: &Buffer<u32>, rows: usize, add: bool) {
        let Self { model, x, .. } = self;
        launch!(
            model.client, cubes(rows, 1), units(), embed::Embed<R>,
            [indices, table.w, table.m, table.shifts.c, x],
            [
                EmbedScalars: EmbedScalarsLaunch::new(
                    model.shape.width, table.words, table.e + model.residual_bits, table.rows - 1,
                ),
            ],
            [table.shifts.some(), add],
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
        launch!(
            model.client, cubes(rows, 1), units(), enter::Enter<R>,
            [
                x, y.values, y.exponents, which, norm.g, norm.bias.b, next.shifts.c, a.values,
                a.exponents,
            ],
            [
                EnterScalars: EnterScalarsLaunch::new(
                    model.shape.width, next.stride(), model.residual_bits, norm.eps, norm.eps_shift,
                    norm.e, norm.bias.e, next.shifts.most,
                ),
            ],
            [
                EnterKind {
                    norm: norm.kind, add: pending,
                    biased: norm.bias.some && norm.kind != NormKind::None,
                    shifted: next.shifts.some(),
                },
            ],
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
        launch!(
            client, cubes(heads + 2 * kv_heads, pass.count), units(), store::Store<R>,
            [
                y.values, y.exponents, self.head_exponents, pass.lanes, pass.positions,
                frequencies, self.queries, self.query_exponents, cache.keys, cache.key_exponents,
                cache.values, cache.value_exponents,
            ],
            [
                StoreScalars: StoreScalarsLaunch::new(
                    heads, kv_heads, dim, *rotated, cache.room, shape.query_bits, shape.key_bits,
                    VALUE_BITS,
                ),
            ],
            [layer.head_norms.is_some()],
        );
        let (cap_inverse, cap) = softcap_numbers(model.rules.attention_softcap);
        launch!(
            client, cubes(heads, pass.count), units(), attend::Attend<R>,
            [
                self.queries, self.query_exponents, cache.keys, cache.key_exponents, cache.values,
                cache.value_exponents, pass.lanes, pass.positions, model.weights.sigmoid,
                self.scores, self.heads, self.group_exponents,
            ],
            [
                AttendScalars: AttendScalarsLaunch::new(
                    heads, kv_heads, dim, cache.room, layer.window.unwrap_or(0), plan.span,
                    cap_inverse, cap,
                ),
            ],
            [model.rules.attention_softcap.is_some()],
        );
        launch!(
            client, cubes(pass.count, 1), units(), grouped::Grouped<R>,
            [self.heads, self.group_exponents, layer.o.shifts.c, self.a.values, self.a.exponents],
            [usize: heads, usize: dim, usize: layer.o.stride(), i32: layer.o.shifts.most],
            [layer.o.shifts.some()],
        );
    }

    /// Norms `count` heads of each row, from head `first` on.
    fn norm_heads(&self, norm: &BlockNormOn, first: usize, count: usize, rows: usize) {
        let Self { model, y, .. } = self;
        let shape = &model.shape;
        let blocks = count * shape.head_dim / norm.len;
        launch!(
            model.client, cubes(blocks, rows), units(), norm_heads::NormHeads<R>,
            [y.values, y.exponents, norm.g, self.head_exponents],
            [
                HeadNormScalars: HeadNormScalarsLaunch::new(
                    norm.len, shape.head_dim, (shape.heads + 2 * shape.kv_heads) * shape.head_dim,
                    first * shape.head_dim, first, shape.heads + shape.kv_heads,
                ),
                BlockNormScalars: BlockNormScalarsLaunch::new(norm.e, norm.eps.0, norm.eps.1),
            ],
            [],
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
        launch!(
            model.client, cubes(rows, 1), units(), add::Add<R>,
            [x, y.values, y.exponents, norm.map_or(nothing, |norm| &norm.g)],
            [
                usize: model.shape.width, i32: model.residual_bits,
                BlockNormScalars: BlockNormScalarsLaunch::new(numbers.0, numbers.1, numbers.2),
            ],
            [norm.is_some()],
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
        launch!(
            model.client, cubes(rows, 1), units(), between::Between<R>,
            [y.values, y.exponents, gate.unwrap_or(nothing), c, a.values, a.exponents],
            [usize: model.shape.inner, usize: down.stride(), i32: *most],
            [
                GateKind {
                    gated: model.rules.gated, relu: gate.is_none(), shifted: down.shifts.some(),
                },
            ],
        );
    }
}
