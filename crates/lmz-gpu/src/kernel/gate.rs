//! Between the maps of a feed-forward layer (docs/numerics.md, 3.8 and 3.14), and from mantissas in
//! groups to activations (3.2).

use cubecl::prelude::*;

use super::fixed::{bitlen, gate_value, magnitude, max_i32, pack, rshift};
use super::norm::activation;
use super::reduce::{ROOM, UNITS, reduce_max, reduce_or};

/// What is fixed of a `between` launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GateKind {
    /// Whether there are a gate and an up half.
    pub gated: bool,
    /// max(x, 0) in place of a table.
    pub relu: bool,
    /// Whether the next layer has column shifts.
    pub shifted: bool,
}

/// The mantissa of element `j` of a row that starts at `start`.
#[cube]
#[allow(clippy::too_many_arguments)]
fn product(
    y: &Array<i32>,
    table: &Array<i32>,
    shifts: &Array<i32>,
    start: usize,
    j: usize,
    inner: usize,
    e: i32,
    most: i32,
    #[comptime] kind: GateKind,
) -> i64 {
    let gate = y[start + j];
    let mut p = i64::cast_from(max_i32(gate, 0i32));
    if comptime!(!kind.relu) {
        p = gate_value(table, gate, e);
    }
    if comptime!(kind.gated) {
        p *= i64::cast_from(y[start + inner + j]);
    }
    if comptime!(kind.shifted) {
        p = rshift(p, most - shifts[j]);
    }
    p
}

/// One cube a row: gate, or gate and up, to activations.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn between(
    y: &Array<i32>,
    y_exponents: &Array<i32>,
    table: &Array<i32>,
    shifts: &Array<i32>,
    a: &mut Array<u32>,
    a_exponents: &mut Array<i32>,
    inner: usize,
    stride: usize,
    most: i32,
    #[comptime] kind: GateKind,
) {
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_X as usize;
    let mut room = SharedMemory::<u64>::new(ROOM);
    let e = y_exponents[row];
    let mut start = row * inner;
    let mut exponent = e;
    if comptime!(kind.gated) {
        start = 2 * row * inner;
        exponent = 2i32 * e;
    }
    let mut or = 0u64;
    let mut j = unit;
    while j < inner {
        or |= magnitude(product(y, table, shifts, start, j, inner, e, most, kind));
        j += UNITS as usize;
    }
    let bits = bitlen(reduce_or(&mut room, or));
    let mut pair = unit;
    while pair < stride {
        let mut low = 0i32;
        let mut high = 0i32;
        let j = 2 * pair;
        if j < inner && bits > 0i32 {
            let p = product(y, table, shifts, start, j, inner, e, most, kind);
            low = activation(p, bits - 15i32);
        }
        if j + 1 < inner && bits > 0i32 {
            let p = product(y, table, shifts, start, j + 1, inner, e, most, kind);
            high = activation(p, bits - 15i32);
        }
        a[row * stride + pair] = pack(low, high);
        pair += UNITS as usize;
    }
    if unit == 0 {
        let e = exponent + most + bits - 15i32;
        a_exponents[row] = select(bits > 0i32, e, 0i32);
    }
}

/// One cube a row: `groups` groups of `size` mantissas, each with an exponent, to activations.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn grouped(
    p: &Array<i64>,
    exponents: &Array<i32>,
    shifts: &Array<i32>,
    a: &mut Array<u32>,
    a_exponents: &mut Array<i32>,
    groups: usize,
    size: usize,
    stride: usize,
    most: i32,
    #[comptime] shifted: bool,
) {
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_X as usize;
    let width = groups * size;
    let start = row * width;
    let mut room = SharedMemory::<u64>::new(ROOM);
    // The largest top of an element is that of a group.
    let mut top = i32::min_value();
    let mut j = unit;
    while j < width {
        let mut value = p[start + j];
        if comptime!(shifted) {
            value = rshift(value, most - shifts[j]);
        }
        let bits = bitlen(magnitude(value));
        let own = bits + exponents[row * groups + j / size] + most;
        top = max_i32(top, select(bits > 0i32, own, i32::min_value()));
        j += UNITS as usize;
    }
    let top = reduce_max(&mut room, top);
    let some = top != i32::min_value();
    let target = select(some, top, 0i32) - 15i32;
    let mut pair = unit;
    while pair < stride {
        let mut low = 0i32;
        let mut high = 0i32;
        let j = 2 * pair;
        if j < width && some {
            let mut value = p[start + j];
            if comptime!(shifted) {
                value = rshift(value, most - shifts[j]);
            }
            let e = exponents[row * groups + j / size] + most;
            low = activation(value, target - e);
        }
        if j + 1 < width && some {
            let mut value = p[start + j + 1];
            if comptime!(shifted) {
                value = rshift(value, most - shifts[j + 1]);
            }
            let e = exponents[row * groups + (j + 1) / size] + most;
            high = activation(value, target - e);
        }
        a[row * stride + pair] = pack(low, high);
        pair += UNITS as usize;
    }
    if unit == 0 {
        a_exponents[row] = select(some, target, 0i32);
    }
}
