//! Tokens per second of the exact engine alone: `cargo bench --bench engine`.
//!
//! What llama.cpp's `llama-bench -p 512 -n 0` and `llama-batched-bench -npp 512 -ntg 64 -npl 1,4,16,32` measure:
//! known tokens, 512 at a time (as when compressing), and 1 to 32 lanes, a token of each at a time, behind 512
//! known ones (as when decompressing). Here every position's whole distribution is computed too. The
//! threads share the work as the codec shares it out: whole lanes, or each pass of a large model. `LMZ_BENCH_MODEL` names a prepared
//! model (`.lmzm`) in the embedded one's place.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lmz::{Isa, Kernel, Model};
use lmz_exact::{Cache, Engine, Run, Scratch, Team};

const PROMPT: usize = 512;
const LANES: [usize; 4] = [1, 4, 16, 32];
const STEPS: usize = 64;

fn model(kernel: Kernel) -> Option<Model> {
    match std::env::var_os("LMZ_BENCH_MODEL") {
        Some(path) => Model::open_with(path.as_ref(), kernel).ok(),
        None => Model::from_lmzm(lmz::embedded_bytes(), kernel).ok(),
    }
}

/// Tokens that the vocabulary has, of no meaning: the engine's speed does not depend on them.
fn tokens(engine: &Engine, lane: usize) -> Vec<u32> {
    let all = engine.symbols().tokens();
    (0..PROMPT + STEPS)
        .map(|i| all[(i * 7919 + lane * 104_729) % all.len()])
        .collect()
}

/// All lanes, their prompts read.
fn prompted(engine: &Engine, lanes: usize, threads: usize) -> Vec<(Cache, Vec<u32>)> {
    let start = |lane| {
        let tokens = tokens(engine, lane);
        let mut cache = Cache::new(engine, PROMPT + STEPS);
        let run = Run {
            cache: &mut cache,
            start: 0,
            tokens: &tokens[..PROMPT],
            wanted: PROMPT,
        };
        engine.forward(&mut Scratch::new(), &mut [run], &mut |_, _, _| {});
        (cache, tokens)
    };
    let lanes: Vec<usize> = (0..lanes).collect();
    std::thread::scope(|scope| {
        let parts: Vec<_> = lanes
            .chunks(lanes.len().div_ceil(threads))
            .map(|lanes| {
                scope.spawn(move || lanes.iter().map(|&lane| start(lane)).collect::<Vec<_>>())
            })
            .collect();
        let parts = parts.into_iter().map(|part| part.join().expect("a lane"));
        parts.flatten().collect()
    })
}

fn encode(engine: &Engine, threads: usize) {
    std::thread::scope(|scope| {
        for lane in 0..threads {
            scope.spawn(move || {
                let tokens = tokens(engine, lane);
                let mut cache = Cache::new(engine, PROMPT);
                let run = Run {
                    cache: &mut cache,
                    start: 0,
                    tokens: &tokens[..PROMPT],
                    wanted: 0,
                };
                let mut interval = |_: usize, token: usize, scores: &lmz_exact::Scores<'_>| {
                    std::hint::black_box(scores.code(token));
                };
                engine.forward(&mut Scratch::new(), &mut [run], &mut interval);
            });
        }
    });
}

fn decode(engine: &Engine, lanes: &mut [(Cache, Vec<u32>)], threads: usize) {
    let shared = engine.waits_for_memory();
    let each = lanes.len().div_ceil(if shared { 1 } else { threads });
    std::thread::scope(|scope| {
        for lanes in lanes.chunks_mut(each) {
            scope.spawn(move || {
                let mut scratch = match shared {
                    true => Scratch::shared(Team::new(threads).expect("threads")),
                    false => Scratch::new(),
                };
                for step in PROMPT..PROMPT + STEPS {
                    let mut runs: Vec<_> = lanes
                        .iter_mut()
                        .map(|(cache, tokens)| Run {
                            cache,
                            start: step,
                            tokens: &tokens[step..=step],
                            wanted: 0,
                        })
                        .collect();
                    engine.forward(&mut scratch, &mut runs, &mut |_, _, scores| {
                        std::hint::black_box(scores.distribution().find(1 << 31));
                    });
                }
            });
        }
    });
}

fn engine(c: &mut Criterion) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut group = c.benchmark_group(format!("engine, {threads} threads"));
    group.sample_size(10);
    for isa in Isa::available()
        .into_iter()
        .filter(|isa| *isa != Isa::Scalar)
    {
        let Some(model) = Kernel::new(isa).and_then(model) else {
            continue;
        };
        let engine = model.engine();
        group.throughput(Throughput::Elements((PROMPT * threads) as u64));
        group.bench_function(format!("512 known tokens, {}", isa.name()), |b| {
            b.iter(|| encode(engine, threads));
        });
        for lanes in LANES {
            group.throughput(Throughput::Elements((lanes * STEPS) as u64));
            let name = format!("{lanes} lanes, {}", isa.name());
            let mut lanes = prompted(engine, lanes, threads);
            // The positions behind the prompt are computed anew in each round.
            group.bench_function(name, |b| b.iter(|| decode(engine, &mut lanes, threads)));
        }
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
