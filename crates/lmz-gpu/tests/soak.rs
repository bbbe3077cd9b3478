//! Long runs, only when asked for: `cargo test --release -p lmz-gpu --features vulkan,cuda --test soak -- --ignored`.
#![cfg(any(feature = "vulkan", feature = "cuda"))]

mod support;

use lmz_exact::{Engine, Kernel, Prepared, Query};
use lmz_gpu::{Device, open};
use lmz_testkit::{Random, repository};
use support::{devices, on_cpu, rows, same_symbols, step_by_step};

const LANES: usize = 16;
const POSITIONS: usize = 250;

/// 10^5 positions on Vulkan, which may be a CPU, and 10^7 on CUDA, or as many as `LMZ_SOAK_POSITIONS` says; a
/// quarter of them one by one.
#[test]
#[ignore = "takes minutes"]
fn no_bit_differs_in_many_positions() {
    let bytes = std::fs::read(repository("tests/models/stories260K.lmzm")).unwrap();
    let engine = Engine::new(&Prepared::from_bytes(bytes).unwrap(), Kernel::detect()).unwrap();
    let asked = std::env::var("LMZ_SOAK_POSITIONS").ok();
    let asked = asked.map(|positions| positions.parse().expect("a number of positions"));
    for device in devices() {
        let wanted = asked.unwrap_or(match device {
            Device::Cuda(_) => 10_000_000,
            _ => 100_000,
        });
        let gpu = open(device, &engine, None).unwrap();
        let mut lanes = gpu.open(LANES, POSITIONS).unwrap();
        assert_eq!(lanes.lanes(), LANES);
        let mut random = Random(11);
        let mut done = 0;
        let mut round = 0;
        while done < wanted {
            let tokens: Vec<Vec<u32>> = (0..LANES)
                .map(|_| lmz_testkit::engine::tokens(&engine, POSITIONS, random.next()))
                .collect();
            let expected: Vec<_> = tokens
                .iter()
                .map(|tokens| {
                    let symbols = engine.symbols().len() + 1;
                    let symbols: Vec<usize> =
                        tokens.iter().map(|_| random.index(symbols)).collect();
                    let points: Vec<u32> = tokens.iter().map(|_| random.next() as u32).collect();
                    on_cpu(&engine, tokens, &symbols, &points)
                })
                .collect();
            let what = format!("{device}, round {round}");
            if round % 4 == 3 {
                step_by_step(&what, &mut *lanes, &tokens, &expected, 2);
            } else {
                let all: Vec<_> = tokens
                    .iter()
                    .enumerate()
                    .flat_map(|(lane, tokens)| rows(lane as u32, 0, tokens))
                    .collect();
                let symbols = expected.iter().flatten().map(|e| e.symbol as u32);
                let queries: Vec<_> = symbols.map(Query::Symbol).enumerate().collect();
                let answers = lanes.forward(&all, &queries).unwrap();
                for (lane, expected) in expected.iter().enumerate() {
                    let answers = &answers[lane * POSITIONS..][..POSITIONS];
                    same_symbols(&format!("{what}, lane {lane}"), answers, expected);
                }
            }
            done += LANES * POSITIONS;
            round += 1;
        }
        eprintln!("{}: {done} positions, no difference", gpu.name());
    }
}
