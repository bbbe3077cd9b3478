//! Threads that share passes: the bits are those of one thread.
#![allow(missing_docs)]

use lmz_exact::{Cache, Engine, Kernel, Run, Scratch, Team, prepare};
use lmz_testkit::engine::{family, logits, prepared, tokens, with_fine_rows};
use lmz_testkit::models::{NARROW, WIDE};

/// Each number of tokens is a lane's part of a pass; lanes go on from pass to pass.
fn check(engine: &Engine, what: &str) {
    const PASSES: [[usize; 7]; 4] = [
        [1, 1, 1, 1, 1, 1, 1],
        // More than a pass holds, and lanes of all lengths.
        [30, 1, 50, 3, 0, 2, 9],
        [0, 0, 5, 0, 0, 0, 0],
        [2, 1, 1, 1, 3, 1, 1],
    ];
    let lanes: Vec<Vec<u32>> = (0..7).map(|lane| tokens(engine, 60, lane)).collect();
    let expected: Vec<_> = lanes.iter().map(|lane| logits(engine, lane)).collect();
    for threads in [2, 3] {
        let mut scratch = Scratch::shared(Team::new(threads).unwrap());
        let mut caches: Vec<Cache> = lanes.iter().map(|_| Cache::new(engine, 60)).collect();
        let mut at = [0; 7];
        let mut seen = 0;
        for pass in PASSES {
            let mut runs = Vec::new();
            let mut starts = Vec::new();
            for (lane, cache) in caches.iter_mut().enumerate() {
                let (start, n) = (at[lane], pass[lane]);
                at[lane] += n;
                if n > 0 {
                    starts.push((lane, start));
                    runs.push(Run {
                        cache,
                        start,
                        tokens: &lanes[lane][start..start + n],
                        wanted: lane % 2,
                    });
                }
            }
            let mut last = None;
            engine.forward(&mut scratch, &mut runs, &mut |run, token, scores| {
                assert!(last < Some((run, token)), "out of order");
                last = Some((run, token));
                let (lane, start) = starts[run];
                let expected = &expected[lane][start + token];
                assert!(
                    scores.logits == expected,
                    "{what}, {threads} threads, lane {lane}"
                );
                seen += 1;
            });
        }
        assert!(seen > 90, "{what}: {seen}");
    }
}

#[test]
fn families() {
    // Rotation, biases, norms of heads, windows, soft caps, learned positions, halves in parallel.
    for name in ["llama", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox"] {
        let model = prepare(&family(name), name).unwrap();
        check(&Engine::new(&model, Kernel::detect()).unwrap(), name);
    }
}

#[test]
fn fine_rows_and_layers_that_are_worth_sharing() {
    for tiny in [NARROW, WIDE] {
        let model = with_fine_rows(&prepared(tiny, 5), 2);
        check(&Engine::new(&model, Kernel::detect()).unwrap(), "fine");
    }
}
