//! The integer operations of docs/numerics.md, section 1, on a device.
//!
//! What differs between targets is kept out: no shift reaches the width of its type, no signed product
//! is asked for its high half, and a signed value becomes a wider unsigned one only by way of the wider
//! signed type (SPIR-V's conversion would not extend the sign).

use cubecl::prelude::*;

/// Exponent of a block of zeros.
pub const ZERO_EXPONENT: i32 = -(1 << 16);

/// The smaller of two.
#[cube]
pub fn min_i32(a: i32, b: i32) -> i32 {
    select(a < b, a, b)
}

/// The larger of two.
#[cube]
pub fn max_i32(a: i32, b: i32) -> i32 {
    select(a > b, a, b)
}

/// `x` within bounds.
#[cube]
pub fn clamp_i32(x: i32, low: i32, high: i32) -> i32 {
    max_i32(min_i32(x, high), low)
}

/// `x` as 32 bits, within ±(2^31 - 1).
///
/// By its two halves: Mesa 22.3 decides comparisons of a widened 32-bit number with a 64-bit constant
/// wrongly (docs/gpu.md).
#[cube]
pub fn narrow(x: i64) -> i32 {
    let high = i32::cast_from(x >> 32i64);
    let low = u32::cast_from(x);
    let above = high > 0i32 || (high == 0i32 && low > 2147483647u32);
    let below = high < -1i32 || (high == -1i32 && low < 2147483649u32);
    let inside = select(below, -2147483647i32, i32::reinterpret(low));
    select(above, 2147483647i32, inside)
}

/// `x` within ±`limit`.
#[cube]
pub fn within(x: i64, limit: i32) -> i32 {
    clamp_i32(narrow(x), 0i32 - limit, limit)
}

/// The sum of numbers within ±(2^31 - 1), within the same.
#[cube]
pub fn saturating_add(a: i32, b: i32) -> i32 {
    narrow(i64::cast_from(a) + i64::cast_from(b))
}

/// |x| as an unsigned number.
#[cube]
pub fn magnitude(x: i64) -> u64 {
    let negative = i32::cast_from(x >> 32i64) < 0i32;
    u64::cast_from(select(negative, 0i64 - x, x))
}

/// Number of bits of a magnitude.
#[cube]
pub fn bitlen(x: u64) -> i32 {
    let high = u32::cast_from(x >> 32u64);
    let low = u32::cast_from(x);
    let of_high = 64i32 - i32::cast_from(high.leading_zeros());
    let of_low = 32i32 - i32::cast_from(low.leading_zeros());
    select(high != 0u32, of_high, of_low)
}

/// The rounding shift: `x / 2^n`, halves up; a left shift for negative `n`.
#[cube]
pub fn rshift(x: i64, n: i32) -> i64 {
    let left = i64::cast_from(clamp_i32(0i32 - n, 0i32, 63i32));
    let right = i64::cast_from(clamp_i32(n, 1i32, 62i32));
    let rounded = (x + (1i64 << (right - 1i64))) >> right;
    let down = select(n < 63i32, rounded, 0i64);
    select(n <= 0i32, x << left, down)
}

/// `x · 2^e`, saturating at ±(2^31 - 1).
#[cube]
pub fn shift_to(x: i64, e: i32) -> i32 {
    let right = narrow(rshift(x, max_i32(0i32 - e, 0i32)));
    let by = i64::cast_from(clamp_i32(e, 0i32, 32i32));
    let left = narrow(i64::cast_from(narrow(x)) << by);
    select(e <= 0i32, right, left)
}

/// The largest integer whose square is at most `n`; below 2^32.
#[cube]
pub fn isqrt(n: u64) -> u64 {
    let mut root = 0u64;
    let mut bit = 2147483648u64;
    while bit != 0u64 {
        let next = root | bit;
        if next * next <= n {
            root = next;
        }
        bit /= 2u64;
    }
    root
}

/// j of docs/numerics.md, 3.5, step 3, for N >= 1.
#[cube]
pub fn root_shift(n: u64) -> i32 {
    (64i32 - bitlen(n)) >> 1i32
}

/// ρ of docs/numerics.md, 3.5, step 3, for N >= 1.
#[cube]
pub fn reciprocal_root(n: u64) -> i64 {
    let shift = u64::cast_from(2i32 * root_shift(n));
    i64::cast_from(281474976710656u64 / isqrt(n << shift))
}

/// docs/numerics.md, 3.9.
#[cube]
pub fn exp2_weight(distance: u32) -> u32 {
    let f = (0u32 - distance) & 65535u32;
    let whole = (distance >> 16u32) + select((distance & 65535u32) != 0u32, 1u32, 0u32);
    let mut h = 3396u32 + ((896u32 * f + 32768u32) >> 16u32);
    h = 15826u32 + ((h * f + 32768u32) >> 16u32);
    h = 45418u32 + ((h * f + 32768u32) >> 16u32);
    let power = 1073741824u32 + ((h * f) >> 2u32);
    power >> select(whole < 31u32, whole, 31u32)
}

/// The high 64 bits of a product.
#[cube]
pub fn mul_high(a: u64, b: u64) -> u64 {
    let mask = 4294967295u64;
    let a0 = a & mask;
    let a1 = a >> 32u64;
    let b0 = b & mask;
    let b1 = b >> 32u64;
    let low = a0 * b0;
    let first = a1 * b0 + (low >> 32u64);
    let second = a0 * b1 + (first & mask);
    a1 * b1 + (first >> 32u64) + (second >> 32u64)
}

/// Whether `a · b < c · d`, all products in 128 bits.
#[cube]
pub fn product_below(a: u64, b: u64, c: u64, d: u64) -> bool {
    let left = mul_high(a, b);
    let right = mul_high(c, d);
    let low = a * b < c * d;
    left < right || (left == right && low)
}

/// Half `index` of a word that packs two 16-bit values.
#[cube]
pub fn half_of(word: u32, index: u32) -> i32 {
    i32::reinterpret(word << (16u32 * (1u32 - index))) >> 16i32
}

/// Two 16-bit values in a word, the first in the low half.
#[cube]
pub fn pack(low: i32, high: i32) -> u32 {
    (u32::reinterpret(low) & 65535u32) | (u32::reinterpret(high) << 16u32)
}

/// Byte `index` of a word that packs four 8-bit values.
#[cube]
pub fn byte_of(word: u32, index: u32) -> i32 {
    i32::reinterpret(word << (8u32 * (3u32 - index))) >> 24i32
}

/// G of docs/numerics.md, 3.8, step 2, of a magnitude of at most 2^20: the table between its entries.
#[cube]
pub fn gate_entry(table: &Array<i32>, a: u32) -> i32 {
    let i = a >> 10u32;
    let r = i32::cast_from(a & 1023u32);
    let low = table[i as usize];
    let high = table[(i + 1u32) as usize];
    low + (((high - low) * r) >> 10i32)
}

/// s of docs/numerics.md, 3.8, step 3: a gate with exponent `e` through its table.
#[cube]
pub fn gate_value(table: &Array<i32>, gate: i32, e: i32) -> i64 {
    let wide = i64::cast_from(gate);
    let t = clamp_i32(shift_to(wide, e + 16i32), -1048576i32, 1048576i32);
    let size = u32::reinterpret(select(t < 0i32, 0i32 - t, t));
    let entry = gate_entry(table, size);
    let entry = select(t < 0i32, 16777216i32 - entry, entry);
    rshift(wide * i64::cast_from(entry), 24i32)
}

/// docs/numerics.md, 3.15, of a score or logit of at most 2^30.
#[cube]
pub fn softcap(table: &Array<i32>, inverse: i32, cap: i32, z: i32) -> i32 {
    let a = magnitude(i64::cast_from(z));
    let t = (a * u64::cast_from(inverse)) >> 32u64;
    let t = select(t < 1048576u64, t, 1048576u64);
    let tanh = 2i64 * i64::cast_from(gate_entry(table, u32::cast_from(t))) - 16777216i64;
    let capped = i32::cast_from(rshift(tanh * i64::cast_from(cap), 24i32));
    select(z < 0i32, 0i32 - capped, capped)
}

/// sin(π/2 · f / 2^30), docs/numerics.md, 3.6.
#[cube]
pub fn sin_quarter(f: i64) -> i64 {
    let u = (f * f) >> 30i64;
    let mut r = 122i64;
    r = -7728i64 + ((r * u) >> 30i64);
    r = 344545i64 + ((r * u) >> 30i64);
    r = -10053990i64 + ((r * u) >> 30i64);
    r = 171138612i64 + ((r * u) >> 30i64);
    r = -1387197337i64 + ((r * u) >> 30i64);
    r = 3373259426i64 + ((r * u) >> 30i64);
    let s = (r * f) >> 31i64;
    select(s < 1073741824i64, s, 1073741824i64)
}

/// The cosine of a phase in units of 2^-32 turn.
#[cube]
pub fn cosine(phase: u32) -> i64 {
    let f = i64::cast_from(phase & 1073741823u32);
    let quadrant = phase >> 30u32;
    let odd = (quadrant & 1u32) == 1u32;
    let value = sin_quarter(select(odd, f, 1073741824i64 - f));
    select(quadrant == 1u32 || quadrant == 2u32, 0i64 - value, value)
}

/// The sine of a phase.
#[cube]
pub fn sine(phase: u32) -> i64 {
    let f = i64::cast_from(phase & 1073741823u32);
    let quadrant = phase >> 30u32;
    let odd = (quadrant & 1u32) == 1u32;
    let value = sin_quarter(select(odd, 1073741824i64 - f, f));
    select(quadrant >= 2u32, 0i64 - value, value)
}
