//! The exact engine on GPUs: `cargo bench --bench gpu --features vulkan,cuda`.
//!
//! A linear layer by itself, in 8-bit operations a second (two for each product of a weight and one plane of an activation, so
//! the matrix instruction's figure counts both planes); then whole models: tokens a second with 512 known ones a
//! lane, as when compressing, and with one token of each of 512 lanes at a time, as when restoring: all lanes together,
//! and in two halves of which one is queued while the other is answered.
//! `LMZ_BENCH_MODEL` names a model (`.lmzm` or a Hugging Face directory) in the embedded one's place.
//! Software devices are left out unless `LMZ_BENCH_SOFTWARE` is set: their figures say nothing.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lmz::gpu::{self, Device};
use lmz::{Kernel, Model};
use lmz_exact::{Accelerator, Engine, Query, Row};

const LANES: usize = 512;
const PROMPT: usize = 512;
/// Rows, columns, outputs: a large square, and the shapes of a model of 135M weights.
#[cfg(any(feature = "vulkan", feature = "cuda"))]
const SHAPES: [[usize; 3]; 4] = [
    [4096, 4096, 4096],
    [2048, 576, 576],
    [2048, 576, 3072],
    [2048, 1536, 576],
];

fn devices() -> Vec<Device> {
    let software = std::env::var_os("LMZ_BENCH_SOFTWARE").is_some();
    let all = gpu::available().into_iter();
    let all = all.filter(|info| info.accelerator || (software && info.device != Device::Cpu));
    let all: Vec<_> = all.map(|info| (info.device, info.name)).collect();
    for (device, name) in &all {
        eprintln!("{device}: {name}");
    }
    if all.is_empty() {
        eprintln!("skipped: no GPU is here, or this build has neither `vulkan` nor `cuda`");
    }
    all.into_iter().map(|(device, _)| device).collect()
}

#[cfg(any(feature = "vulkan", feature = "cuda"))]
fn layers(criterion: &mut Criterion, device: Device) {
    let mut group = criterion.benchmark_group(format!("linear layer on {device}"));
    for [rows, k, out] in SHAPES {
        for instruction in [true, false] {
            let launch = lmz_gpu::speed::linear_layer(device, [rows, k, out], instruction);
            let Some(mut launch) = launch.expect("a device that works") else {
                eprintln!("{device} has no matrix instruction for 8-bit integers");
                continue;
            };
            let planes = if instruction { 2 } else { 1 };
            group.throughput(Throughput::Elements(2 * planes * (rows * k * out) as u64));
            let how = if instruction { "matrix" } else { "units" };
            group.bench_function(format!("{rows}x{k}x{out}, {how}"), |bencher| {
                bencher.iter(|| launch().expect("a device that works"));
            });
        }
    }
}

#[cfg(not(any(feature = "vulkan", feature = "cuda")))]
fn layers(_: &mut Criterion, _: Device) {}

/// Tokens of no meaning: the speed does not depend on them.
fn row(engine: &Engine, lane: usize, position: usize) -> Row {
    let all = engine.symbols().tokens();
    Row {
        lane: lane as u32,
        position: position as u32,
        token: all[(position * 7919 + lane * 104_729) % all.len()],
    }
}

fn model(criterion: &mut Criterion, device: Device, engine: &Engine, gpu: &dyn Accelerator) {
    let mut group = criterion.benchmark_group(format!("model on {device}"));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(8));
    let mut lanes = gpu.open(LANES, PROMPT + 1).expect("memory for a lane");
    let count = lanes.lanes();
    let prompts: Vec<Row> = (0..count)
        .flat_map(|lane| (0..PROMPT).map(move |position| (lane, position)))
        .map(|(lane, position)| row(engine, lane, position))
        .collect();
    let symbols: Vec<(usize, Query)> = (0..prompts.len()).map(|i| (i, Query::Symbol(1))).collect();
    group.throughput(Throughput::Elements(prompts.len() as u64));
    group.bench_function(
        format!("{PROMPT} known tokens of {count} lanes"),
        |bencher| {
            bencher.iter(|| {
                lanes
                    .forward(&prompts, &symbols)
                    .expect("a device that works")
            });
        },
    );
    let step: Vec<Row> = (0..count).map(|lane| row(engine, lane, PROMPT)).collect();
    let points: Vec<(usize, Query)> = (0..count).map(|i| (i, Query::Point(1 << 31))).collect();
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(
        format!("one token of {count} lanes, behind {PROMPT}"),
        |bencher| {
            bencher.iter(|| lanes.forward(&step, &points).expect("a device that works"));
        },
    );
    if count < 2 {
        return;
    }
    let (first, second) = step.split_at(count / 2);
    let works = "a device that works";
    lanes.submit(first, &points[..first.len()]).expect(works);
    group.bench_function(
        format!("one token of {count} lanes in two halves, behind {PROMPT}"),
        |bencher| {
            bencher.iter(|| {
                lanes.submit(second, &points[..second.len()]).expect(works);
                let one = lanes.answers().expect(works);
                lanes.submit(first, &points[..first.len()]).expect(works);
                (one, lanes.answers().expect(works))
            });
        },
    );
    lanes.answers().expect(works);
}

fn gpus(criterion: &mut Criterion) {
    let devices = devices();
    if devices.is_empty() {
        return;
    }
    let opened = match std::env::var_os("LMZ_BENCH_MODEL") {
        Some(path) => Model::open(path.as_ref()),
        None => Model::from_lmzm(lmz::embedded_bytes(), Kernel::detect()),
    };
    let opened = opened.expect("a model");
    for device in devices {
        layers(criterion, device);
        match gpu::open(device, opened.engine(), None) {
            Ok(gpu) => model(criterion, device, opened.engine(), &*gpu),
            Err(error) => eprintln!("skipped: {error}"),
        }
    }
}

criterion_group!(benches, gpus);
criterion_main!(benches);
