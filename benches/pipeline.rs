//! Encoding and decoding of a real text with the embedded model: `cargo bench --bench pipeline`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lmz::{CompressOptions, DecompressOptions, Isa, Kernel, Model, SegmentPlan};

fn text() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/alice29.txt");
    std::fs::read(path).expect("corpora/alice29.txt")
}

fn pipeline(c: &mut Criterion) {
    let raw = text();
    // Sixteen lanes, as a file of a megabyte has with the default plan.
    let plan = SegmentPlan::fixed(raw.len().div_ceil(16) as u64).expect("a small segment");
    let mut group = c.benchmark_group("embedded model, no overlap, no verification");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(raw.len() as u64));
    for isa in Isa::available()
        .into_iter()
        .filter(|isa| *isa != Isa::Scalar)
    {
        let Some(kernel) = Kernel::new(isa) else {
            continue;
        };
        let bytes = lmz::embedded_bytes();
        let Ok(model) = Model::from_lmzm(bytes, kernel) else {
            continue;
        };
        let options = CompressOptions {
            overlap: Some(0),
            verify: false,
            plan,
            mix: lmz::Mix::None,
            ..Default::default()
        };
        let mut packed = Vec::new();
        lmz::compress(&raw[..], &mut packed, &model, &options, &()).expect("compression");
        group.bench_function(format!("encode {}", isa.name()), |b| {
            b.iter(|| {
                lmz::compress(&raw[..], std::io::sink(), &model, &options, &())
                    .expect("compression")
            });
        });
        group.bench_function(format!("decode {}", isa.name()), |b| {
            let options = DecompressOptions::default();
            b.iter(|| {
                lmz::decompress(&packed[..], std::io::sink(), &model, &options, &())
                    .expect("decompression")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
