//! Queries, keys and values, and attention over the integer cache (docs/numerics.md, 3.6, 3.7, 3.12).

use cubecl::prelude::*;

use super::add::{BlockNormScalars, block_scale};
use super::fixed::{
    ZERO_EXPONENT, bitlen, clamp_i32, cosine, exp2_weight, half_of, magnitude, max_i32, narrow,
    pack, rshift, sine, softcap, within,
};
use super::reduce::{ROOM, UNITS, reduce_max, reduce_or, reduce_sum};

/// Most elements of a head.
pub const MAX_HEAD: usize = 512;

/// Bits of a normed query or key before its rotation.
const NORMED_BITS: i32 = 29;

/// Numbers of the norms of queries and keys.
#[derive(CubeType, CubeLaunch)]
pub struct HeadNormScalars {
    /// Elements of one norm: a head's, or those of all heads.
    pub block: usize,
    /// Elements of a head.
    pub dim: usize,
    /// Elements of a row of `y`.
    pub row: usize,
    /// First element of the part in a row.
    pub offset: usize,
    /// First head of the part in a row of exponents.
    pub head_offset: usize,
    /// Heads in a row of exponents.
    pub heads: usize,
}

/// Norms one part, queries or keys, of every row of `y` in place (3.12); `exponents` gets one for each
/// head. One cube a norm: x counts norms, y rows.
#[cube(launch)]
pub fn norm_heads(
    y: &mut Array<i32>,
    y_exponents: &Array<i32>,
    gains: &Array<i32>,
    exponents: &mut Array<i32>,
    s: HeadNormScalars,
    norm: BlockNormScalars,
) {
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_Y as usize;
    let block = CUBE_POS_X as usize;
    let start = row * s.row + s.offset + block * s.block;
    let e = y_exponents[row];
    let mut room = SharedMemory::<u64>::new(ROOM);

    let scale = block_scale(y, &mut room, start, s.block, e, &norm);

    // Each head of the norm is quantised by itself.
    let heads = s.block / s.dim;
    for head in 0..heads {
        let from = head * s.dim;
        let mut or = 0u64;
        let mut j = from + unit;
        while j < from + s.dim {
            let value = rshift(i64::cast_from(y[start + j]), scale.shift);
            or |= magnitude(value * i64::cast_from(gains[j]) * scale.rho);
            j += UNITS as usize;
        }
        let bits = bitlen(reduce_or(&mut room, or));
        let drop = bits - NORMED_BITS;
        let mut j = from + unit;
        while j < from + s.dim {
            let value = rshift(i64::cast_from(y[start + j]), scale.shift);
            let p = value * i64::cast_from(gains[j]) * scale.rho;
            y[start + j] = within(rshift(p, drop), 536870911i32);
            j += UNITS as usize;
        }
        if unit == 0 {
            let at = row * s.heads + s.head_offset + block * heads + head;
            exponents[at] = select(bits > 0i32, scale.exponent + drop, ZERO_EXPONENT);
        }
    }
}

/// Numbers of a `store` launch.
#[derive(CubeType, CubeLaunch)]
pub struct StoreScalars {
    /// Query heads.
    pub heads: usize,
    /// Key-value heads.
    pub kv_heads: usize,
    /// Elements of a head.
    pub dim: usize,
    /// How many of them rotate.
    pub rotated: usize,
    /// Slots of the layer's cache.
    pub room: usize,
    /// Bits of a query.
    pub query_bits: i32,
    /// Bits of a key.
    pub key_bits: i32,
    /// Bits of a value.
    pub value_bits: i32,
}

/// Rotates and quantises: queries into `queries`, keys and values into the cache. One cube a head: x
/// counts the heads of queries, keys and values, y rows.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn store(
    y: &Array<i32>,
    y_exponents: &Array<i32>,
    head_exponents: &Array<i32>,
    lanes: &Array<u32>,
    positions: &Array<u32>,
    frequencies: &Array<u32>,
    queries: &mut Array<u32>,
    query_exponents: &mut Array<i32>,
    keys: &mut Array<u32>,
    key_exponents: &mut Array<i32>,
    values: &mut Array<u32>,
    value_exponents: &mut Array<i32>,
    s: StoreScalars,
    #[comptime] normed: bool,
) {
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_Y as usize;
    let head = CUBE_POS_X as usize;
    let all = s.heads + 2 * s.kv_heads;
    let start = (row * all + head) * s.dim;
    let is_query = head < s.heads;
    let is_value = head >= s.heads + s.kv_heads;
    let mut rotated = SharedMemory::<i32>::new(MAX_HEAD);
    let mut room = SharedMemory::<u64>::new(ROOM);

    let half = s.rotated / 2;
    let mut or = 0u64;
    let mut j = unit;
    while j < s.dim {
        let mut value = i64::cast_from(y[start + j]);
        if j < s.rotated && !is_value {
            let low = j < half;
            let pair = select(low, j, j - half);
            let other = i64::cast_from(y[start + select(low, j + half, pair)]);
            let phase = positions[row] * frequencies[pair];
            let across = other * sine(phase);
            let along = value * cosine(phase);
            value = rshift(select(low, along - across, along + across), 30i32);
        }
        or |= magnitude(value);
        rotated[j] = i32::cast_from(value);
        j += UNITS as usize;
    }
    let bits = bitlen(reduce_or(&mut room, or));
    let limit_bits = select(
        is_query,
        s.query_bits,
        select(is_value, s.value_bits, s.key_bits),
    );
    let shift = bits - limit_bits;
    let limit = (1i32 << limit_bits) - 1i32;
    let mut exponent = y_exponents[row];
    // The outer condition is settled when the kernel is compiled.
    #[allow(clippy::collapsible_if)]
    if comptime!(normed) {
        if !is_value {
            exponent = head_exponents[row * (s.heads + s.kv_heads) + head];
        }
    }
    exponent = select(bits > 0i32, exponent + shift, ZERO_EXPONENT);

    let words = s.dim / 2;
    let lane = lanes[row] as usize;
    let slot = positions[row] as usize % s.room;
    let mut w = unit;
    while w < words {
        let low = within(rshift(i64::cast_from(rotated[2 * w]), shift), limit);
        let high = within(rshift(i64::cast_from(rotated[2 * w + 1]), shift), limit);
        let word = pack(low, high);
        if is_query {
            queries[(row * s.heads + head) * words + w] = word;
        } else if is_value {
            let at = (lane * s.kv_heads + head - s.heads - s.kv_heads) * s.room + slot;
            values[at * words + w] = word;
        } else {
            let at = (lane * s.kv_heads + head - s.heads) * s.room + slot;
            keys[at * words + w] = word;
        }
        w += UNITS as usize;
    }
    if unit == 0 {
        if is_query {
            query_exponents[row * s.heads + head] = exponent;
        } else if is_value {
            let at = (lane * s.kv_heads + head - s.heads - s.kv_heads) * s.room + slot;
            value_exponents[at] = exponent;
        } else {
            let at = (lane * s.kv_heads + head - s.heads) * s.room + slot;
            key_exponents[at] = exponent;
        }
    }
}

/// Numbers of an `attend` launch.
#[derive(CubeType, CubeLaunch)]
pub struct AttendScalars {
    /// Query heads.
    pub heads: usize,
    /// Key-value heads.
    pub kv_heads: usize,
    /// Elements of a head.
    pub dim: usize,
    /// Slots of the layer's cache.
    pub room: usize,
    /// Positions that are seen at most, one's own included; 0 for all.
    pub window: usize,
    /// Scores of one head in the scratch.
    pub span: usize,
    /// κ of a soft cap.
    pub cap_inverse: i32,
    /// K of a soft cap.
    pub cap: i32,
}

/// One cube a row and query head: x counts heads, y rows. `scores` is scratch.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn attend(
    queries: &Array<u32>,
    query_exponents: &Array<i32>,
    keys: &Array<u32>,
    key_exponents: &Array<i32>,
    values: &Array<u32>,
    value_exponents: &Array<i32>,
    lanes: &Array<u32>,
    positions: &Array<u32>,
    table: &Array<i32>,
    scores: &mut Array<i32>,
    out: &mut Array<i64>,
    out_exponents: &mut Array<i32>,
    s: AttendScalars,
    #[comptime] capped: bool,
) {
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_Y as usize;
    let head = CUBE_POS_X as usize;
    let at = row * s.heads + head;
    let kv = head / (s.heads / s.kv_heads);
    let base = (lanes[row] as usize * s.kv_heads + kv) * s.room;
    let end = positions[row] as usize + 1;
    let first = select(s.window > 0 && end > s.window, end - s.window, 0);
    let count = end - first;
    let words = s.dim / 2;
    let scratch = at * s.span;
    let mut query = SharedMemory::<i32>::new(MAX_HEAD);
    let mut room = SharedMemory::<u64>::new(ROOM);

    let mut w = unit;
    while w < words {
        let word = queries[at * words + w];
        query[2 * w] = half_of(word, 0u32);
        query[2 * w + 1] = half_of(word, 1u32);
        w += UNITS as usize;
    }
    sync_cube();

    // Scores.
    let query_exponent = query_exponents[at];
    let mut largest = i32::min_value();
    let mut j = unit;
    while j < count {
        let slot = base + (first + j) % s.room;
        let mut dot = 0i32;
        for w in 0..words {
            let word = keys[slot * words + w];
            dot += query[2 * w] * half_of(word, 0u32) + query[2 * w + 1] * half_of(word, 1u32);
        }
        let t = query_exponent + key_exponents[slot] + 16i32;
        let down = dot >> clamp_i32(0i32 - t, 0i32, 31i32);
        let up = narrow(i64::cast_from(dot) << i64::cast_from(clamp_i32(t, 0i32, 31i32)));
        let mut z = clamp_i32(select(t <= 0i32, down, up), -1073741824i32, 1073741824i32);
        if comptime!(capped) {
            z = softcap(table, s.cap_inverse, s.cap, z);
        }
        scores[scratch + j] = z;
        largest = max_i32(largest, z);
        j += UNITS as usize;
    }
    let largest = reduce_max(&mut room, largest);

    // Exponentials, their sum, and the exponent of the weights.
    let mut sum = 0u64;
    let mut top = i32::min_value();
    let mut j = unit;
    while j < count {
        let distance =
            u32::cast_from(i64::cast_from(largest) - i64::cast_from(scores[scratch + j]));
        let p = exp2_weight(distance);
        scores[scratch + j] = i32::cast_from(p);
        sum += u64::cast_from(p);
        let e = value_exponents[base + (first + j) % s.room];
        let own = bitlen(u64::cast_from(p)) + e;
        top = max_i32(top, select(p > 0u32, own, i32::min_value()));
        j += UNITS as usize;
    }
    let sum = reduce_sum(&mut room, sum);
    let top = reduce_max(&mut room, top);

    let mut j = unit;
    while j < count {
        let p = u32::cast_from(scores[scratch + j]);
        let e = value_exponents[base + (first + j) % s.room];
        let shift = top - 15i32 - e;
        let left = u32::cast_from(clamp_i32(0i32 - shift, 0i32, 14i32));
        let right = u32::cast_from(clamp_i32(shift, 0i32, 31i32));
        let rounded = ((p << left) + ((1u32 << right) >> 1u32)) >> right;
        let weight = i32::cast_from(select(rounded < 32767u32, rounded, 32767u32));
        scores[scratch + j] = select(shift < 32i32 && p > 0u32, weight, 0i32);
        j += UNITS as usize;
    }
    sync_storage();
    sync_cube();

    // Weighted values: units share the words of a head, and split the positions among them.
    let bits = bitlen(sum);
    let low = sum << u64::cast_from(clamp_i32(32i32 - bits, 0i32, 63i32));
    let high = sum >> u64::cast_from(clamp_i32(bits - 32i32, 0i32, 63i32));
    let factor = i64::cast_from(4503599627370496u64 / select(bits <= 32i32, low, high));
    let mut partial = SharedMemory::<i64>::new(2 * ROOM);
    let lanes_wide = select(words < ROOM, words, ROOM);
    let splits = ROOM / lanes_wide;
    let split = unit / lanes_wide;
    let mut word_base = 0usize;
    while word_base < words {
        let w = word_base + unit % lanes_wide;
        let mut even = 0i64;
        let mut odd = 0i64;
        if w < words && split < splits {
            let mut j = split;
            while j < count {
                let slot = base + (first + j) % s.room;
                let word = values[slot * words + w];
                let weight = scores[scratch + j];
                even += i64::cast_from(weight * half_of(word, 0u32));
                odd += i64::cast_from(weight * half_of(word, 1u32));
                j += splits;
            }
        }
        partial[2 * unit] = even;
        partial[2 * unit + 1] = odd;
        sync_cube();
        if split == 0 && w < words {
            for other in 1..splits {
                even += partial[2 * (unit + other * lanes_wide)];
                odd += partial[2 * (unit + other * lanes_wide) + 1];
            }
            out[at * s.dim + 2 * w] = even * factor;
            out[at * s.dim + 2 * w + 1] = odd * factor;
        }
        sync_cube();
        word_base += lanes_wide;
    }
    if unit == 0 {
        out_exponents[at] = top - 35i32 - bits;
    }
}
