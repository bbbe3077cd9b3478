//! The integer operations one by one.

use cubecl::prelude::*;

use super::super::fixed::*;
use super::super::reduce::*;
use super::{Check, Random, on_devices, read};
use crate::buffer::Buffer;

const OUTPUTS: usize = 12;

#[cube(launch)]
fn numbers(x: &Array<i64>, n: &Array<i32>, out: &mut Array<u64>) {
    let i = ABSOLUTE_POS;
    if i < x.len() {
        let value = x[i];
        let at = i * OUTPUTS;
        let size = magnitude(value);
        out[at] = u64::cast_from(rshift(value, n[i]));
        out[at + 1] = u64::cast_from(i64::cast_from(shift_to(value, n[i])));
        out[at + 2] = u64::cast_from(i64::cast_from(bitlen(size)));
        out[at + 3] = isqrt(size << 1u64);
        out[at + 4] = u64::cast_from(reciprocal_root(select(size > 0u64, size, 1u64)));
        out[at + 5] = u64::cast_from(exp2_weight(u32::cast_from(value)));
        out[at + 6] = mul_high(size, u64::cast_from(value));
        out[at + 7] = u64::cast_from(cosine(u32::cast_from(value)));
        out[at + 8] = u64::cast_from(sine(u32::cast_from(value)));
        out[at + 9] = u64::cast_from(i64::cast_from(half_of(u32::cast_from(value), 0u32)));
        out[at + 10] = u64::cast_from(i64::cast_from(half_of(u32::cast_from(value), 1u32)));
        out[at + 11] = u64::cast_from(i64::cast_from(byte_of(u32::cast_from(value), 3u32)));
    }
}

fn rounding_shift(x: i64, n: i32) -> i64 {
    match n {
        ..=0 => x << -n,
        1..63 => ((i128::from(x) + (1 << (n - 1))) >> n) as i64,
        _ => 0,
    }
}

fn saturated(x: i64, e: i32) -> i64 {
    let most = i128::from(i32::MAX);
    let value = match e {
        ..=0 => i128::from(rounding_shift(x, -e)),
        _ => i128::from(x.clamp(-(1 << 40), 1 << 40)) << e.min(80),
    };
    value.clamp(-most, most) as i64
}

struct Numbers;

impl Check for Numbers {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let mut random = Random(1);
        let count = 4096;
        // A left shift keeps what a caller may ask for inside 63 bits.
        let cases: Vec<(i64, i32)> = (0..count)
            .map(|i| {
                let n = random.range(-40, 70);
                let bits = (62 - (-n).max(0)) as u32;
                (
                    if i < 64 {
                        [0, 1, -1, i64::MAX >> 1][i % 4] >> (-n).max(0)
                    } else {
                        random.signed(bits)
                    },
                    n,
                )
            })
            .collect();
        let (x, n): (Vec<i64>, Vec<i32>) = cases.iter().copied().unzip();
        let out = Buffer::<u64>::room(client, count * OUTPUTS);
        numbers::launch::<R>(
            client,
            CubeCount::Static((count / 128) as u32, 1, 1),
            CubeDim::new_1d(128),
            Buffer::new(client, &x).arg(),
            Buffer::new(client, &n).arg(),
            out.arg(),
        );
        let out = read(client, &out, count * OUTPUTS);
        for ((x, n), out) in cases.into_iter().zip(out.chunks(OUTPUTS)) {
            let size = x.unsigned_abs();
            let bits = 64 - size.leading_zeros();
            let root = size.max(1);
            let j = (64 - (64 - root.leading_zeros())) >> 1;
            let (cos, sin) = lmz_exact::reference::cos_sin(x as u32);
            let wanted = [
                rounding_shift(x, n) as u64,
                saturated(x, n) as u64,
                u64::from(bits),
                (size << 1).isqrt(),
                (1u64 << 48) / (root << (2 * j)).isqrt(),
                u64::from(lmz_coder::exp2_weight(x as u32)),
                ((u128::from(size) * u128::from(x as u64)) >> 64) as u64,
                i64::from(cos) as u64,
                i64::from(sin) as u64,
                i64::from(x as i16) as u64,
                i64::from((x >> 16) as i16) as u64,
                i64::from((x >> 24) as i8) as u64,
            ];
            assert_eq!(out, wanted, "{x} by {n}");
        }
    }
}

#[test]
fn numbers_are_those_of_the_text() {
    on_devices(Numbers);
}

#[cube(launch)]
fn reductions(x: &Array<i64>, out: &mut Array<u64>) {
    let mut room = SharedMemory::<u64>::new(ROOM);
    let value = x[UNIT_POS as usize];
    let or = reduce_or(&mut room, u64::cast_from(value));
    let sum = reduce_sum(&mut room, u64::cast_from(value));
    let max = reduce_max(&mut room, i32::cast_from(value));
    // All units get the results.
    let at = 3 * UNIT_POS as usize;
    out[at] = or;
    out[at + 1] = sum;
    out[at + 2] = u64::cast_from(i64::cast_from(max));
}

struct Reductions;

impl Check for Reductions {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let mut random = Random(2);
        for round in 0..8 {
            let mut x: Vec<i64> = (0..ROOM).map(|_| random.next() as i64).collect();
            if round == 0 {
                x.fill(i64::from(i32::MIN));
            }
            let out = Buffer::<u64>::room(client, 3 * ROOM);
            reductions::launch::<R>(
                client,
                CubeCount::Static(1, 1, 1),
                CubeDim::new_1d(UNITS),
                Buffer::new(client, &x).arg(),
                out.arg(),
            );
            let or = x.iter().fold(0, |or, &x| or | x as u64);
            let sum = x.iter().fold(0u64, |sum, &x| sum.wrapping_add(x as u64));
            let max = x.iter().map(|&x| x as i32).max().unwrap();
            let wanted = [or, sum, i64::from(max) as u64].repeat(ROOM);
            assert_eq!(read(client, &out, 3 * ROOM), wanted);
        }
    }
}

#[test]
fn reductions_reach_every_unit() {
    on_devices(Reductions);
}

#[cube(launch)]
fn widened(x: &Array<i32>, n: &Array<i32>, out: &mut Array<i64>) {
    let i = ABSOLUTE_POS;
    if i < x.len() {
        let value = i64::cast_from(x[i]);
        out[3 * i] = i64::cast_from(shift_to(value, n[i]));
        out[3 * i + 1] = i64::cast_from(within(value, 1000i32));
        out[3 * i + 2] = i64::cast_from(magnitude(value));
    }
}

/// Compilers narrow what they know to be 32 bits wide.
struct Widened;

impl Check for Widened {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let mut random = Random(3);
        let count = 1024;
        let mut x = random.i32s(count, 31);
        x[0] = i32::MIN;
        let n: Vec<i32> = (0..count).map(|_| random.range(-40, 40)).collect();
        let out = Buffer::<i64>::room(client, 3 * count);
        widened::launch::<R>(
            client,
            CubeCount::Static((count / 128) as u32, 1, 1),
            CubeDim::new_1d(128),
            Buffer::new(client, &x).arg(),
            Buffer::new(client, &n).arg(),
            out.arg(),
        );
        let out = read(client, &out, 3 * count);
        for (out, (&x, &n)) in out.chunks(3).zip(x.iter().zip(&n)) {
            let wide = i64::from(x);
            let wanted = [saturated(wide, n), wide.clamp(-1000, 1000), wide.abs()];
            assert_eq!(out, wanted, "{x} by {n}");
        }
    }
}

#[test]
fn numbers_that_were_32_bits_wide() {
    on_devices(Widened);
}
