//! The int8 products against a loop that only touches registers.
//!
//! `cargo bench --bench kernels`. The register loop issues the same multiply and add instructions as the
//! AVX2 kernel with no loads: the rate that no kernel can pass. The README's figure is the ratio.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lmz_exact::{Isa, Kernel, Linear};

const ROWS: usize = 60;
const OUT: usize = 256;

fn layer(k: usize) -> (Linear, Vec<i16>) {
    let w: Vec<i8> = (0..OUT * k)
        .map(|i| (i * 37 % 255) as i8)
        .map(|w| w.max(-127))
        .collect();
    let x: Vec<i16> = (0..ROWS * k)
        .map(|i| (i * 7919 % 65_535) as i16)
        .map(|x| x.max(-32767))
        .collect();
    (Linear::new(&w, &[1 << 30; OUT], k, 0, &[]), x)
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("int8 products");
    for k in [192, 512, 1024, 2048] {
        let (layer, x) = layer(k);
        let mut y = vec![0; ROWS * layer.out_padded()];
        group.throughput(Throughput::Elements((ROWS * OUT * k) as u64));
        for isa in Isa::available()
            .into_iter()
            .filter(|isa| *isa != Isa::Scalar)
        {
            let Some(kernel) = Kernel::new(isa) else {
                continue;
            };
            group.bench_with_input(BenchmarkId::new(isa.name(), k), &k, |b, _| {
                b.iter(|| kernel.linear(&layer, std::hint::black_box(&x), k, &mut y));
            });
        }
    }
    group.finish();
}

#[cfg(target_arch = "x86_64")]
fn registers(c: &mut Criterion) {
    use std::arch::x86_64::*;

    /// `n` rounds of twelve independent multiply-and-adds of 16 products each.
    #[target_feature(enable = "avx2")]
    fn avx2(n: usize, seed: i32) -> i32 {
        let mut sums = [_mm256_set1_epi32(seed); 12];
        let (mut w, x) = (_mm256_set1_epi16(3), _mm256_set1_epi16(5));
        for _ in 0..n {
            for sum in &mut sums {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(w, x));
            }
            // Keeps the compiler from taking the product out of the loop, at a store and a load a
            // round and no arithmetic; its latency is below that of the twelve products.
            w = std::hint::black_box(w);
        }
        let total = sums
            .into_iter()
            .fold(_mm256_setzero_si256(), |a, b| _mm256_xor_si256(a, b));
        _mm256_extract_epi32::<0>(total)
    }

    if !std::arch::is_x86_feature_detected!("avx2") {
        return;
    }
    const N: usize = 20_000;
    let mut group = c.benchmark_group("register-only");
    group.throughput(Throughput::Elements((N * 12 * 16) as u64));
    group.bench_function("avx2", |b| {
        b.iter(|| {
            // SAFETY: AVX2 was detected above.
            unsafe { avx2(N, std::hint::black_box(1)) }
        });
    });
    group.finish();
}

#[cfg(not(target_arch = "x86_64"))]
fn registers(_: &mut Criterion) {}

criterion_group!(benches, registers, products);
criterion_main!(benches);
