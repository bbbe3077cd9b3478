//! How a device's memory is shared out.

use lmz_exact::Linear;
use lmz_exact::parts::{BlockNorm, Embedding, Norm, Parts, Rules, Shape};
use lmz_exact::tables::{Gate, sigmoid_table};

/// Most rows of one pass: enough for the largest card, and launches stay short.
const MAX_ROWS: usize = 2048;
/// Fewest rows of a pass that are worth a launch.
const MIN_ROWS: usize = 16;
/// What a buffer's size is rounded up to, at most.
const ALIGNMENT: u64 = 512;
/// Buffers of a session that do not belong to a layer, with room for more.
const BUFFERS: u64 = 40;
/// Buffers of a layer's cache.
const CACHE_BUFFERS: u64 = 4;

/// What of a model decides how much memory it and its forward pass take.
#[derive(Clone, Debug)]
pub struct Sizes {
    shape: Shape,
    rules: Rules,
    /// By layer: how many positions it sees; `None` for all.
    windows: Vec<Option<usize>>,
    /// Elements of the widest output of a layer's maps.
    pub widest_output: usize,
    /// Columns of the widest input of a layer's maps, in whole words.
    pub widest_input: usize,
    symbols: usize,
    /// Bytes of the model's constants.
    pub constants: u64,
}

/// Why a session cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// One lane takes more memory: so many bytes, the model's constants included.
    Memory(u64),
    /// One lane takes a buffer beyond what the device can bind.
    Page,
}

/// Bytes that lanes and rows take.
struct Costs {
    lane: u64,
    row: u64,
    head_row: u64,
    /// Bytes that a session takes whatever the numbers of lanes and rows.
    fixed: u64,
}

impl Sizes {
    /// The sizes of a model.
    pub fn new(parts: &Parts) -> Self {
        let maps = parts
            .layers
            .iter()
            .flat_map(|l| [&l.qkv, &l.o, &l.up, &l.down]);
        let (outs, ks) = (maps.clone().map(|l| l.out), maps.map(|l| l.k));
        Self {
            shape: parts.shape,
            rules: parts.rules,
            windows: parts.layers.iter().map(|l| l.window).collect(),
            widest_output: outs.max().unwrap_or(1),
            widest_input: ks.max().unwrap_or(1).next_multiple_of(4),
            symbols: parts.head.out,
            constants: constants(parts),
        }
    }

    /// Slots of each layer's cache, and scores of one row and head.
    fn rooms(&self, positions: usize) -> (Vec<usize>, usize) {
        // What a row reads in a windowed layer must survive the writes of its own pass.
        let room = |window: &Option<usize>| {
            window.map_or(positions, |w| positions.min(w.saturating_add(MAX_ROWS)))
        };
        let seen = |window: &Option<usize>| window.map_or(positions, |w| positions.min(w));
        let span = self.windows.iter().map(seen).max().unwrap_or(1);
        (self.windows.iter().map(room).collect(), span)
    }

    /// The buffers of a session (`Session::new`) and of a pass, added up.
    fn costs(&self, rooms: &[usize], span: usize) -> Costs {
        let shape = &self.shape;
        let (heads, kv_heads) = (shape.heads as u64, shape.kv_heads as u64);
        let queries = heads * shape.head_dim as u64;
        let slots: u64 = rooms.iter().map(|&room| room as u64).sum();
        // Keys and values of 16 bits, and an exponent of each.
        let slot = kv_heads * (2 * (2 * shape.head_dim as u64) + 2 * 4);
        let width = shape.width as u64;
        let activations = 2 * self.widest_input as u64 + 4;
        let parallel = if self.rules.parallel { activations } else { 8 };
        let outputs = 4 * self.widest_output as u64 + 4;
        let rotated = 4 * (heads + kv_heads);
        // Mantissas of 16 bits; sums of 64.
        let attention = 2 * queries + 4 * heads + 8 * queries + 4 * heads;
        let scores = 4 * heads * span as u64;
        // The identity; of two passes that are queued: lane, position and token; number, query and answer.
        let words = 4 + 2 * (3 * 4 + (4 + 4 + 32));
        Costs {
            lane: (slots * slot).max(1),
            row: 4 * width
                + activations
                + parallel
                + outputs
                + rotated
                + attention
                + scores
                + words,
            head_row: 2 * width.next_multiple_of(4) + 4 + 4 * self.symbols as u64 + 4,
            fixed: (BUFFERS + CACHE_BUFFERS * rooms.len() as u64) * ALIGNMENT,
        }
    }

    /// Fits lanes and rows into `memory` bytes together with the model's constants, no buffer above
    /// `page` bytes: `lanes` lanes of `positions` positions, or fewer.
    ///
    /// # Errors
    /// Not even one lane and a few rows fit.
    pub fn plan(
        &self,
        memory: u64,
        page: u64,
        lanes: usize,
        positions: usize,
    ) -> Result<Plan, Short> {
        let (rooms, span) = self.rooms(positions);
        let costs = self.costs(&rooms, span);
        let Costs {
            lane,
            row,
            head_row,
            fixed,
        } = costs;
        let shape = &self.shape;
        let slot = shape.kv_heads * 2 * shape.head_dim;
        let widest_room = rooms.iter().copied().max().unwrap_or(1);
        let queries = shape.heads * shape.head_dim;
        let largest = (4 * shape.heads * span)
            .max(8 * queries)
            .max(4 * self.widest_output);

        let fit = |bytes: u64, each: u64, most: usize| (bytes / each).min(most as u64) as usize;
        let most_lanes = fit(page, (widest_room * slot).max(1) as u64, lanes);
        let most_rows = fit(page, largest as u64, MAX_ROWS);
        let most_head_rows = fit(page, head_row, most_rows);
        if most_lanes == 0 || most_rows < MIN_ROWS || most_head_rows == 0 {
            return Err(Short::Page);
        }
        let few = MIN_ROWS as u64 * row + head_row;
        let least = self.constants + fixed + lane + few;
        let Some(spare) = memory.checked_sub(least) else {
            return Err(Short::Memory(least));
        };
        let budget = spare + lane + few;
        let lanes = fit((budget / 2).clamp(lane, budget - few), lane, most_lanes);
        let rest = budget - lanes as u64 * lane;
        let rows = fit((rest / 2).min(rest - head_row), row, most_rows).max(MIN_ROWS);
        let left = rest - rows as u64 * row;
        let head_rows = fit(
            (rest / 4).clamp(head_row, left),
            head_row,
            most_head_rows.min(rows),
        );
        Ok(Plan {
            lanes,
            rows,
            head_rows,
            rooms,
            span,
        })
    }

    /// Bytes that a plan takes, the model's constants included.
    #[cfg(test)]
    fn bytes(&self, plan: &Plan) -> u64 {
        let costs = self.costs(&plan.rooms, plan.span);
        self.constants
            + costs.fixed
            + plan.lanes as u64 * costs.lane
            + plan.rows as u64 * costs.row
            + plan.head_rows as u64 * costs.head_row
    }
}

/// What a session takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Lanes that have a cache.
    pub lanes: usize,
    /// Rows of one pass.
    pub rows: usize,
    /// Rows whose logits are held at once.
    pub head_rows: usize,
    /// Slots of each layer's cache.
    pub rooms: Vec<usize>,
    /// Scores of one row and head.
    pub span: usize,
}

/// Bytes of a model's constants on a device (`WeightsOn::new`).
fn constants(parts: &Parts) -> u64 {
    let buffer = |bytes: usize| (bytes as u64).max(4).next_multiple_of(ALIGNMENT);
    let words = |n: usize| buffer(4 * n);
    let linear = |l: &Linear| {
        let bias = l.bias.as_ref().map_or(0, |bias| bias.b.len());
        buffer(l.k.div_ceil(4) * 4 * l.out) + words(l.out) + words(bias) + words(l.c.len())
    };
    let table = |t: &Embedding| {
        let width = parts.shape.width.next_multiple_of(4);
        buffer(t.m.len() * width) + words(t.m.len()) + words(t.c.len())
    };
    let norm = |n: Option<&Norm>| {
        let gains = n.map_or(0, |n| n.g.len());
        let bias = n.and_then(|n| n.bias.as_ref());
        words(gains) + words(bias.map_or(0, |bias| bias.b.len()))
    };
    let block = |n: Option<&BlockNorm>| n.map_or(0, |n| words(n.g.len()));
    let layers = parts.layers.iter().map(|l| {
        let shared = parts.rules.parallel.then_some(l.attn_norm.as_ref());
        let heads = l.head_norms.iter().flatten();
        norm(l.attn_norm.as_ref())
            + norm(l.ffn_norm.as_ref().or(shared.flatten()))
            + [&l.qkv, &l.o, &l.up, &l.down]
                .map(linear)
                .iter()
                .sum::<u64>()
            + heads.map(|n| block(Some(n))).sum::<u64>()
            + block(l.attn_post_norm.as_ref())
            + block(l.ffn_post_norm.as_ref())
    });
    let turns = parts.frequencies().map(|f| words(f.len()));
    table(&parts.embed)
        + parts.positions.as_ref().map_or(0, table)
        + layers.sum::<u64>()
        + norm(Some(&parts.norm))
        + linear(&parts.head)
        + turns.iter().sum::<u64>()
        + buffer(size_of::<Gate>())
        + words(sigmoid_table().len())
}

#[cfg(test)]
mod tests {
    use lmz_exact::parts::Nonlinearity;

    use super::*;

    /// A model of these heads, groups and elements of a head, of random other sizes.
    fn sizes(heads: usize, kv_heads: usize, head_dim: usize, salt: usize) -> Sizes {
        let shape = Shape {
            width: heads * head_dim + 4 * (salt % 5),
            inner: 100 + 397 * (salt % 7),
            heads,
            kv_heads,
            head_dim,
            query_bits: 12,
            key_bits: 12,
        };
        let rules = Rules {
            centred: false,
            parallel: !salt.is_multiple_of(2),
            per_head: false,
            gated: true,
            nonlinearity: Nonlinearity::Relu,
            attention_softcap: None,
            final_softcap: None,
            wide_values: false,
        };
        let window = |layer: usize| (salt % 3 == 1 && layer.is_multiple_of(2)).then_some(128);
        Sizes {
            shape,
            rules,
            windows: (0..1 + salt % 13).map(window).collect(),
            widest_output: 2 * shape.inner.max(shape.width),
            widest_input: shape.inner.max(shape.width).next_multiple_of(4),
            symbols: 91 + 1000 * (salt % 11),
            constants: 1_000_003 * (salt as u64 % 17 + 1),
        }
    }

    #[test]
    fn a_plan_never_exceeds_the_memory_or_what_a_buffer_holds() {
        let heads = [
            (1, 1, 2),
            (3, 1, 6),
            (9, 3, 64),
            (32, 32, 128),
            (16, 4, 512),
        ];
        let mut made = 0;
        for salt in 0..60 {
            let (heads, kv_heads, head_dim) = heads[salt % heads.len()];
            let sizes = sizes(heads, kv_heads, head_dim, salt);
            for memory in [1 << 20, 12_345_678, 100 << 20, 1 << 30, 80 << 30] {
                for page in [1 << 20, 128 << 20, 20 << 30] {
                    for (lanes, positions) in [(1, 1), (2, 6), (64, 512), (512, 1 << 17)] {
                        let plan = match sizes.plan(memory, page, lanes, positions) {
                            Ok(plan) => plan,
                            Err(Short::Memory(least)) => {
                                assert!(least > memory);
                                let again = |memory| sizes.plan(memory, page, lanes, positions);
                                assert_eq!(again(least - 1), Err(Short::Memory(least)));
                                assert_eq!(again(least).unwrap().lanes, 1);
                                continue;
                            }
                            Err(Short::Page) => {
                                assert!(page < 20 << 30);
                                continue;
                            }
                        };
                        made += 1;
                        assert!(sizes.bytes(&plan) <= memory, "{plan:?} of {memory}");
                        assert!((1..=lanes).contains(&plan.lanes));
                        assert!((MIN_ROWS..=MAX_ROWS).contains(&plan.rows));
                        assert!((1..=plan.rows).contains(&plan.head_rows));
                        let keys = |&room: &usize| plan.lanes * kv_heads * room * 2 * head_dim;
                        let scores = plan.rows * heads * plan.span * 4;
                        let outputs = plan.rows * sizes.widest_output * 4;
                        let logits = plan.head_rows * sizes.symbols * 4;
                        let buffers = plan.rooms.iter().map(keys);
                        let buffers = buffers.chain([scores, outputs, logits]);
                        assert!(buffers.max().unwrap_or(0) as u64 <= page, "{plan:?}");
                    }
                }
            }
        }
        assert!(made > 1000, "{made}");
    }

    #[test]
    fn a_large_card_gets_all_lanes_and_rows() {
        let sizes = sizes(9, 3, 64, 8);
        let plan = sizes.plan(80 << 30, 20 << 30, 512, 1024).unwrap();
        assert_eq!((plan.lanes, plan.rows, plan.head_rows), (512, 2048, 2048));
    }
}
