//! The ends of a forward pass: embedding (docs/numerics.md, 3.3), and the distribution (6).

use cubecl::prelude::*;

use super::fixed::{
    byte_of, clamp_i32, exp2_weight, max_i32, product_below, saturating_add, shift_to, softcap,
};
use super::reduce::{ROOM, UNITS, reduce_max, reduce_sum};

/// Numbers of an embedding table.
#[derive(CubeType, CubeLaunch)]
pub struct EmbedScalars {
    /// Elements of a row.
    pub width: usize,
    /// Words of a row of weights.
    pub words: usize,
    /// Of the row scales, with F.
    pub exponent: i32,
    /// The last row.
    pub last: usize,
}

/// One cube a row: sets, or with `add` adds, row `indices[i]` of a table, or the last if there are
/// fewer.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn embed(
    indices: &Array<u32>,
    weights: &Array<u32>,
    m: &Array<i32>,
    shifts: &Array<i32>,
    x: &mut Array<i32>,
    s: EmbedScalars,
    #[comptime] shifted: bool,
    #[comptime] add: bool,
) {
    let row = CUBE_POS_X as usize;
    let asked = indices[row] as usize;
    let index = select(asked < s.last, asked, s.last);
    let scale = i64::cast_from(m[index]);
    let mut j = UNIT_POS as usize;
    while j < s.width {
        let word = weights[index * s.words + j / 4];
        let value = i64::cast_from(byte_of(word, u32::cast_from(j % 4))) * scale;
        let mut e = s.exponent;
        if comptime!(shifted) {
            e += shifts[j];
        }
        let mut value = shift_to(value, e);
        if comptime!(add) {
            value = saturating_add(x[row * s.width + j], value);
        }
        x[row * s.width + j] = value;
        j += UNITS as usize;
    }
}

/// Numbers of a `symbols` launch.
#[derive(CubeType, CubeLaunch)]
pub struct SymbolScalars {
    /// V: symbols without the escape.
    pub symbols: usize,
    /// Symbols of a unit.
    pub share: usize,
    /// Of the escape's weight; 0 where it has none.
    pub escape_shift: u64,
    /// κ of a soft cap.
    pub cap_inverse: i32,
    /// K of a soft cap.
    pub cap: i32,
}

/// Words of an answer: symbol and distance, the weights before, its own, the sum of all.
pub const ANSWER_WORDS: usize = 4;

/// The logit of a symbol.
#[cube]
fn logit(
    y: &Array<i32>,
    table: &Array<i32>,
    at: usize,
    e: i32,
    s: &SymbolScalars,
    #[comptime] capped: bool,
) -> i32 {
    let value = shift_to(i64::cast_from(y[at]), e + 16i32);
    let mut z = clamp_i32(value, -1073741824i32, 1073741824i32);
    if comptime!(capped) {
        z = softcap(table, s.cap_inverse, s.cap, z);
    }
    z
}

/// The weight of a logit.
#[cube]
fn weight(z: i32, largest: i32) -> u64 {
    u64::cast_from(exp2_weight(u32::cast_from(
        i64::cast_from(largest) - i64::cast_from(z),
    )))
}

/// Whether `symbol`, with `before` the weights before it, starts at `point` or below.
#[cube]
fn starts_by(point: u64, before: u64, symbol: usize, shared: u64, total: u64) -> bool {
    let number = u64::cast_from(symbol);
    let reached = number <= point;
    let room = select(reached, point - number + 1u64, 0u64);
    reached && product_below(before, shared, room, total)
}

/// One cube a row: what is to be known of a symbol. With `search`, of the symbol whose interval holds
/// `queries[i]`; otherwise of the symbol `queries[i]`, which may be the escape.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn symbols(
    y: &Array<i32>,
    y_exponents: &Array<i32>,
    queries: &Array<u32>,
    table: &Array<i32>,
    answers: &mut Array<u64>,
    s: SymbolScalars,
    #[comptime] search: bool,
    #[comptime] capped: bool,
) {
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_X as usize;
    let start = row * s.symbols;
    let e = y_exponents[row];
    let mut room = SharedMemory::<u64>::new(ROOM);
    let mut largest = i32::min_value();
    let mut j = unit;
    while j < s.symbols {
        largest = max_i32(largest, logit(y, table, start + j, e, &s, capped));
        j += UNITS as usize;
    }
    let largest = reduce_max(&mut room, largest);
    let answer = row * ANSWER_WORDS;
    let query = queries[row];
    if comptime!(!search) {
        let target = query as usize;
        let mut sum = 0u64;
        let mut before = 0u64;
        let mut j = unit;
        while j < s.symbols {
            let own = weight(logit(y, table, start + j, e, &s, capped), largest);
            sum += own;
            before += select(j < target, own, 0u64);
            j += UNITS as usize;
        }
        let sum = reduce_sum(&mut room, sum);
        let before = reduce_sum(&mut room, before);
        if unit == 0 {
            let mut own = 0u64;
            let mut distance = 0u64;
            if target < s.symbols {
                let z = logit(y, table, start + target, e, &s, capped);
                own = weight(z, largest);
                distance = u64::cast_from(i64::cast_from(largest) - i64::cast_from(z));
            }
            answers[answer] = (distance << 32u64) | u64::cast_from(query);
            answers[answer + 1] = before;
            answers[answer + 2] = own;
            answers[answer + 3] = sum;
        }
    } else {
        // Each unit sums its share of consecutive symbols; then each knows what comes before it.
        let from = unit * s.share;
        let to = select(from + s.share < s.symbols, from + s.share, s.symbols);
        let mut own_sum = 0u64;
        let mut j = from;
        while j < to {
            own_sum += weight(logit(y, table, start + j, e, &s, capped), largest);
            j += 1;
        }
        room[unit] = own_sum;
        sync_cube();
        let mut before = 0u64;
        let mut sum = 0u64;
        for other in 0..ROOM {
            let part = room[other];
            before += select(other < unit, part, 0u64);
            sum += part;
        }
        let escape = select(s.escape_shift == 0u64, 0u64, (sum >> s.escape_shift) + 1u64);
        let total = sum + escape;
        let shared = 4294967296u64 - u64::cast_from(s.symbols) - 1u64;
        let point = u64::cast_from(query);
        // The unit in whose share the point falls walks it; the last one reaches the escape.
        let begun = from == 0 || starts_by(point, before, from, shared, total);
        let last = to == s.symbols;
        let beyond = starts_by(point, before + own_sum, to, shared, total);
        if from < s.symbols && begun && (last || !beyond) {
            let mut symbol = from;
            let mut walking = true;
            while walking && symbol < to {
                let own = weight(logit(y, table, start + symbol, e, &s, capped), largest);
                if starts_by(point, before + own, symbol + 1, shared, total) {
                    before += own;
                    symbol += 1;
                } else {
                    walking = false;
                }
            }
            let mut own = 0u64;
            let mut distance = 0u64;
            if symbol < s.symbols {
                let z = logit(y, table, start + symbol, e, &s, capped);
                own = weight(z, largest);
                distance = u64::cast_from(i64::cast_from(largest) - i64::cast_from(z));
            }
            answers[answer] = (distance << 32u64) | u64::cast_from(u32::cast_from(symbol));
            answers[answer + 1] = before;
            answers[answer + 2] = own;
            answers[answer + 3] = sum;
        }
    }
}
