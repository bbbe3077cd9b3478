//! From the residual stream to the activations of a linear layer, with what comes before:
//! the last linear layer's output is added (docs/numerics.md, 3.4), then the norm (3.5, 3.11), its bias
//! (3.13) and the quantisation (3.2), in one launch.

use cubecl::prelude::*;

use super::fixed::{
    bitlen, magnitude, max_i32, min_i32, pack, reciprocal_root, root_shift, rshift, saturating_add,
    shift_to, within,
};
use super::reduce::{ROOM, UNITS, reduce_or, reduce_sum};

/// The kind of a norm of the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NormKind {
    /// 3.5.
    Rms,
    /// 3.11.
    Layer,
    /// The residual stream itself.
    None,
}

/// What is fixed of an `enter` launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnterKind {
    /// The norm.
    pub norm: NormKind,
    /// Whether `y` is added first.
    pub add: bool,
    /// Whether the norm has a bias.
    pub biased: bool,
    /// Whether the next layer has column shifts.
    pub shifted: bool,
}

/// Numbers of an `enter` launch.
#[derive(CubeType, CubeLaunch)]
pub struct EnterScalars {
    /// Elements of a row.
    pub width: usize,
    /// Words of a row of activations.
    pub stride: usize,
    /// F.
    pub residual_bits: i32,
    /// The part of the epsilon that counts: eps_fixed, for layer norms times d² and shifted right.
    pub eps: u64,
    /// Half of the bits that `eps` was shifted by.
    pub eps_shift: i32,
    /// Of the gains.
    pub exponent: i32,
    /// Of the bias.
    pub bias_exponent: i32,
    /// The largest column shift.
    pub most: i32,
}

/// What a norm squares: the residual stream, for layer norms c_j of 3.11.
#[cube]
fn centred(x: i32, width: usize, sum: i64, #[comptime] norm: NormKind) -> i64 {
    let value = i64::cast_from(x);
    if comptime!(norm == NormKind::Layer) {
        value * i64::cast_from(width) - sum
    } else {
        value
    }
}

/// Where a cube's row lies.
#[derive(CubeType, Clone, Copy)]
struct RowOf {
    /// Which row of `x` and `y`.
    row: usize,
    /// Its first element.
    start: usize,
    width: usize,
}

/// What a unit finds in its elements.
#[derive(CubeType, Clone, Copy)]
struct Found {
    /// Their sum.
    total: i64,
    /// The OR of their magnitudes.
    or: u64,
}

/// What all elements of a row are multiplied and shifted by.
#[derive(CubeType, Clone, Copy)]
struct Normed {
    /// S of 3.11.
    sum: i64,
    /// s.
    shift: i32,
    /// ρ.
    rho: i64,
    /// Exponent before the bias.
    own: i32,
    /// Exponent behind it.
    exponent: i32,
}

/// One cube a row; `rows[i]` is the row of `x` and `y` whose activations are row i of `a`.
///
/// A unit has the same pairs of elements in every step, so that nothing has to be waited for but the reductions.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub fn enter(
    x: &mut Array<i32>,
    y: &Array<i32>,
    y_exponents: &Array<i32>,
    rows: &Array<u32>,
    gains: &Array<i32>,
    bias: &Array<i32>,
    shifts: &Array<i32>,
    a: &mut Array<u32>,
    a_exponents: &mut Array<i32>,
    scalars: EnterScalars,
    #[comptime] kind: EnterKind,
) {
    let mut room = SharedMemory::<u64>::new(ROOM);
    let row = rows[CUBE_POS_X as usize] as usize;
    let of = RowOf {
        row,
        start: row * scalars.width,
        width: scalars.width,
    };
    let found = add(x, y, y_exponents, of, &scalars, kind);
    let normed = normed(&mut room, x, of, found, &scalars, kind);
    quantise(
        &mut room,
        x,
        gains,
        bias,
        shifts,
        a,
        a_exponents,
        of,
        normed,
        &scalars,
        kind,
    );
}

/// Adds `y`, if it waits, to the unit's elements of the residual stream.
#[cube]
fn add(
    x: &mut Array<i32>,
    y: &Array<i32>,
    y_exponents: &Array<i32>,
    of: RowOf,
    scalars: &EnterScalars,
    #[comptime] kind: EnterKind,
) -> Found {
    let mut total = 0i64;
    let mut or = 0u64;
    let mut pair = UNIT_POS as usize;
    while 2 * pair < of.width {
        #[unroll]
        for h in 0..2usize {
            let j = 2 * pair + h;
            if j < of.width {
                let mut value = x[of.start + j];
                if comptime!(kind.add) {
                    let e = y_exponents[of.row] + scalars.residual_bits;
                    value = saturating_add(value, shift_to(i64::cast_from(y[of.start + j]), e));
                    x[of.start + j] = value;
                }
                total += i64::cast_from(value);
                or |= magnitude(i64::cast_from(value));
            }
        }
        pair += UNITS as usize;
    }
    Found { total, or }
}

/// The norm of a row, from what its units have found.
#[cube]
fn normed(
    room: &mut SharedMemory<u64>,
    x: &Array<i32>,
    of: RowOf,
    found: Found,
    scalars: &EnterScalars,
    #[comptime] kind: EnterKind,
) -> Normed {
    let mut sum = 0i64;
    let mut or = found.or;
    if comptime!(kind.norm == NormKind::Layer) {
        sum = i64::cast_from(reduce_sum(room, u64::cast_from(found.total)));
        or = 0u64;
        let mut pair = UNIT_POS as usize;
        while 2 * pair < of.width {
            #[unroll]
            for h in 0..2usize {
                let j = 2 * pair + h;
                if j < of.width {
                    or |= magnitude(centred(x[of.start + j], of.width, sum, kind.norm));
                }
            }
            pair += UNITS as usize;
        }
    }
    let mut shift = 0i32;
    let mut rho = 1i64;
    let mut own = 0i32 - scalars.residual_bits;
    if comptime!(kind.norm != NormKind::None) {
        let largest = reduce_or(room, or);
        shift = max_i32(bitlen(largest) - 24i32, scalars.eps_shift);
        let mut squares = 0u64;
        let mut pair = UNIT_POS as usize;
        while 2 * pair < of.width {
            #[unroll]
            for h in 0..2usize {
                let j = 2 * pair + h;
                if j < of.width {
                    let value = centred(x[of.start + j], of.width, sum, kind.norm);
                    let value = rshift(value, shift);
                    squares += u64::cast_from(value * value);
                }
            }
            pair += UNITS as usize;
        }
        let squares = reduce_sum(room, squares);
        let eps = scalars.eps >> u64::cast_from(2i32 * (shift - scalars.eps_shift));
        let n = squares + eps;
        let n = select(n > 0u64, n, 1u64);
        rho = reciprocal_root(n);
        own = scalars.exponent + root_shift(n) - 48i32;
    }
    let mut exponent = own;
    if comptime!(kind.biased) {
        exponent = max_i32(own, scalars.bias_exponent) + 1i32;
    }
    Normed {
        sum,
        shift,
        rho,
        own,
        exponent,
    }
}

/// The activations of a row: 15 bits of each mantissa.
#[cube]
#[allow(clippy::too_many_arguments)]
fn quantise(
    room: &mut SharedMemory<u64>,
    x: &Array<i32>,
    gains: &Array<i32>,
    bias: &Array<i32>,
    shifts: &Array<i32>,
    a: &mut Array<u32>,
    a_exponents: &mut Array<i32>,
    of: RowOf,
    normed: Normed,
    scalars: &EnterScalars,
    #[comptime] kind: EnterKind,
) {
    let mut or = 0u64;
    let mut pair = UNIT_POS as usize;
    while 2 * pair < of.width {
        #[unroll]
        for h in 0..2usize {
            let j = 2 * pair + h;
            if j < of.width {
                let p = mantissa(
                    x[of.start + j],
                    gains,
                    bias,
                    shifts,
                    j,
                    normed,
                    scalars,
                    kind,
                );
                or |= magnitude(p);
            }
        }
        pair += UNITS as usize;
    }
    let largest = reduce_or(room, or);
    let bits = bitlen(largest);
    let out = CUBE_POS_X as usize * scalars.stride;
    let mut pair = UNIT_POS as usize;
    while pair < scalars.stride {
        let mut low = 0i32;
        let mut high = 0i32;
        let j = 2 * pair;
        if j < of.width && bits > 0i32 {
            let p = mantissa(
                x[of.start + j],
                gains,
                bias,
                shifts,
                j,
                normed,
                scalars,
                kind,
            );
            low = activation(p, bits - 15i32);
        }
        let j = 2 * pair + 1;
        if j < of.width && bits > 0i32 {
            let p = mantissa(
                x[of.start + j],
                gains,
                bias,
                shifts,
                j,
                normed,
                scalars,
                kind,
            );
            high = activation(p, bits - 15i32);
        }
        a[out + pair] = pack(low, high);
        pair += UNITS as usize;
    }
    if UNIT_POS == 0 {
        let e = normed.exponent + scalars.most + bits - 15i32;
        a_exponents[CUBE_POS_X as usize] = select(bits > 0i32, e, 0i32);
    }
}

/// The mantissa of element `j` that is quantised: after gain, root, bias and column shift.
#[cube]
#[allow(clippy::too_many_arguments)]
fn mantissa(
    x: i32,
    gains: &Array<i32>,
    bias: &Array<i32>,
    shifts: &Array<i32>,
    j: usize,
    normed: Normed,
    scalars: &EnterScalars,
    #[comptime] kind: EnterKind,
) -> i64 {
    let mut p = i64::cast_from(x);
    if comptime!(kind.norm != NormKind::None) {
        let value = centred(x, scalars.width, normed.sum, kind.norm);
        p = rshift(value, normed.shift) * i64::cast_from(gains[j]) * normed.rho;
    }
    if comptime!(kind.biased) {
        let right = min_i32(normed.exponent - scalars.bias_exponent, 62i32);
        p = rshift(p, normed.exponent - normed.own) + rshift(i64::cast_from(bias[j]), right);
    }
    if comptime!(kind.shifted) {
        p = rshift(p, scalars.most - shifts[j]);
    }
    p
}

/// One activation of docs/numerics.md, 3.2: 15 bits of a mantissa.
#[cube]
pub fn activation(p: i64, shift: i32) -> i32 {
    within(rshift(p, shift), 32767i32)
}
