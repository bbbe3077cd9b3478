//! The devices of this machine, and the CPU engine to compare them with.
#![allow(dead_code, reason = "each test file uses its part")]

use lmz_exact::{Answer, Cache, Engine, Lanes, Query, Row, Run, Scratch};
use lmz_gpu::{Device, available};

/// Every device but the CPU; a CPU that poses as a GPU counts here. Says what is not there.
pub fn devices() -> Vec<Device> {
    let all: Vec<Device> = available().into_iter().map(|info| info.device).collect();
    let is_cuda = |d: &&Device| matches!(d, Device::Cuda(_));
    let is_vulkan = |d: &&Device| matches!(d, Device::Vulkan(_));
    if !all.iter().any(|d| is_cuda(&d)) {
        eprintln!("skipped on CUDA: no such device is here");
    }
    if !all.iter().any(|d| is_vulkan(&d)) {
        eprintln!("skipped on Vulkan: no driver is here");
    }
    // One of each kind is enough.
    let first = [all.iter().find(is_cuda), all.iter().find(is_vulkan)];
    first.into_iter().flatten().copied().collect()
}

/// What the CPU says of the symbol after each position: its answer, and that for a point within the
/// symbol's interval.
pub struct Expected {
    pub symbol: usize,
    pub interval: lmz_coder::Interval,
    pub cost: lmz_coder::Cost,
    pub point: u32,
    pub found: usize,
}

/// Asks the CPU of the symbols `wanted` after each of `tokens`, and of `points`.
pub fn on_cpu(engine: &Engine, tokens: &[u32], wanted: &[usize], points: &[u32]) -> Vec<Expected> {
    let mut cache = Cache::new(engine, tokens.len());
    let mut all = Vec::new();
    let run = Run {
        cache: &mut cache,
        start: 0,
        tokens,
        wanted: 0,
    };
    engine.forward(
        &mut Scratch::new(),
        &mut [run],
        &mut |_, position, scores| {
            let (interval, cost) = scores.code(wanted[position]);
            all.push(Expected {
                symbol: wanted[position],
                interval,
                cost,
                point: points[position],
                found: scores.distribution().find(points[position]).0,
            });
        },
    );
    all
}

/// Rows of one lane from a position on.
pub fn rows(lane: u32, from: usize, tokens: &[u32]) -> Vec<Row> {
    let row = |(i, &token): (usize, &u32)| Row {
        lane,
        position: (from + i) as u32,
        token,
    };
    tokens.iter().enumerate().map(row).collect()
}

/// Compares answers to symbols.
pub fn same_symbols(what: &str, answers: &[Answer], expected: &[Expected]) {
    assert_eq!(answers.len(), expected.len(), "{what}");
    for (position, (ours, theirs)) in answers.iter().zip(expected).enumerate() {
        let (symbol, interval, cost) = (ours.symbol, ours.interval, ours.cost());
        assert_eq!(
            (symbol, interval, cost),
            (theirs.symbol, theirs.interval, theirs.cost),
            "{what}: position {position}"
        );
    }
}

/// Runs the positions of lanes one by one, each asked for the symbol of a point; so many are queued before the
/// first is waited for.
pub fn step_by_step(
    what: &str,
    lanes: &mut dyn Lanes,
    tokens: &[Vec<u32>],
    expected: &[Vec<Expected>],
    depth: usize,
) {
    let longest = tokens.iter().map(Vec::len).max().unwrap_or(0);
    for next in 0..longest + depth - 1 {
        if next < longest {
            submit(lanes, tokens, expected, next);
        }
        let Some(position) = (next + 1).checked_sub(depth) else {
            continue;
        };
        let answers = lanes.answers().unwrap();
        let here = present(tokens, position);
        assert_eq!(answers.len(), here.len(), "{what}");
        for (&lane, answer) in here.iter().zip(&answers) {
            let theirs = &expected[lane][position];
            assert_eq!(
                answer.symbol, theirs.found,
                "{what}: lane {lane}, position {position}"
            );
            let inside = theirs.point.wrapping_sub(answer.interval.start) < answer.interval.width;
            assert!(inside, "{what}: lane {lane}, position {position}");
        }
    }
}

/// The lanes that have a position.
fn present(tokens: &[Vec<u32>], position: usize) -> Vec<usize> {
    (0..tokens.len())
        .filter(|&lane| position < tokens[lane].len())
        .collect()
}

/// Queues a position of every lane that has it.
pub fn submit(
    lanes: &mut dyn Lanes,
    tokens: &[Vec<u32>],
    expected: &[Vec<Expected>],
    position: usize,
) {
    let here = present(tokens, position);
    let row = |&lane: &usize| Row {
        lane: lane as u32,
        position: position as u32,
        token: tokens[lane][position],
    };
    let rows: Vec<Row> = here.iter().map(row).collect();
    let point = |(i, &lane): (usize, &usize)| (i, Query::Point(expected[lane][position].point));
    let queries: Vec<_> = here.iter().enumerate().map(point).collect();
    lanes.submit(&rows, &queries).unwrap();
}
