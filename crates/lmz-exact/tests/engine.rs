//! The promise of the exact engine: the logits of a position depend on its tokens alone. Not on what
//! else is computed in the same call, in which pieces, by which instruction set or in which thread.

use lmz_exact::{Cache, Engine, Prepared, Run, Scratch, prepare};
use lmz_model::{ExactTokenizer, Symbol};
use lmz_testkit::engine::{family, kernels, prepared, tokens, under_numerics};
use lmz_testkit::models::{NARROW, ODD, Tiny, WIDE, checkpoint, large_scores};
use lmz_testkit::{Random, alice};
use rayon::prelude::*;

/// Everything that coding uses of a position's scores.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    logits: Vec<i32>,
    max: i32,
    weights: Vec<u32>,
}

/// By lane and position.
type Lanes = Vec<Vec<Option<Seen>>>;

/// Runs of one call: (lane, start, length, first wanted).
type Call = Vec<(usize, usize, usize, usize)>;

/// Runs the calls one after the other on caches and buffers that hold other sequences' remains.
fn run(engine: &Engine, lanes: &[Vec<u32>], calls: &[Call]) -> Lanes {
    let mut scratch = Scratch::new();
    let longest = lanes.iter().map(Vec::len).max().unwrap();
    let mut caches: Vec<Cache> = lanes
        .iter()
        .map(|_| Cache::new(engine, longest + 7))
        .collect();
    for (i, cache) in caches.iter_mut().enumerate() {
        let junk = tokens(engine, 90.min(longest), 1000 + i as u64);
        engine.forward(
            &mut scratch,
            &mut [Run {
                cache,
                start: 0,
                tokens: &junk,
                wanted: 3,
            }],
            &mut |_, _, _| {},
        );
    }
    let mut seen: Lanes = lanes.iter().map(|lane| vec![None; lane.len()]).collect();
    for call in calls {
        // One run of a lane in a call: each has its own cache.
        let mut free: Vec<Option<&mut Cache>> = caches.iter_mut().map(Some).collect();
        let mut runs: Vec<Run<'_>> = call
            .iter()
            .map(|&(lane, start, len, wanted)| Run {
                cache: free[lane].take().expect("one run of a lane"),
                start,
                tokens: &lanes[lane][start..start + len],
                wanted,
            })
            .collect();
        let mut order = Vec::new();
        engine.forward(&mut scratch, &mut runs, &mut |run, token, scores| {
            let (lane, start, len, wanted) = call[run];
            assert!(token >= wanted && token < len);
            let slot = &mut seen[lane][start + token];
            assert!(slot.is_none(), "a position was shown twice");
            *slot = Some(Seen {
                logits: scores.logits.to_vec(),
                max: scores.max,
                weights: scores.weights.to_vec(),
            });
            order.push((run, token));
        });
        assert!(order.is_sorted(), "not in order of runs and tokens");
    }
    seen
}

/// Each lane by itself in one call.
fn parallel(lanes: &[Vec<u32>]) -> Vec<Call> {
    lanes
        .iter()
        .enumerate()
        .map(|(i, lane)| vec![(i, 0, lane.len(), 0)])
        .collect()
}

/// All lanes in one call.
fn together(lanes: &[Vec<u32>]) -> Vec<Call> {
    vec![
        lanes
            .iter()
            .enumerate()
            .map(|(i, lane)| (i, 0, lane.len(), 0))
            .collect(),
    ]
}

/// One position of every lane that is not at its end, as in decoding.
fn steps(lanes: &[Vec<u32>]) -> Vec<Call> {
    let longest = lanes.iter().map(Vec::len).max().unwrap();
    (0..longest)
        .map(|at| {
            (0..lanes.len())
                .filter(|&i| at < lanes[i].len())
                .map(|i| (i, at, 1, 0))
                .collect()
        })
        .collect()
}

/// Runs of random lengths in random order, each lane left out now and then.
fn mixture(lanes: &[Vec<u32>], most: usize, seed: u64) -> Vec<Call> {
    let mut random = Random(seed);
    let mut done = vec![0; lanes.len()];
    let mut calls = Vec::new();
    while done
        .iter()
        .zip(lanes)
        .any(|(done, lane)| *done < lane.len())
    {
        let mut order: Vec<usize> = (0..lanes.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random.index(i + 1));
        }
        let mut call = Call::new();
        for lane in order {
            let rest = lanes[lane].len() - done[lane];
            if rest > 0 && random.index(4) > 0 {
                let len = (1 + random.index(most)).min(rest);
                call.push((lane, done[lane], len, 0));
                done[lane] += len;
            }
        }
        calls.push(call);
    }
    calls
}

/// Runs that end at, just before and just after the engine's passes of 64 rows and chunks of 128
/// positions.
fn boundaries(lanes: &[Vec<u32>]) -> Vec<Call> {
    let mut calls = Vec::new();
    for (i, lane) in lanes.iter().enumerate() {
        let mut at = 0;
        for len in [63, 1, 64, 65, 127, 128, 1, 15, 16, 17].into_iter().cycle() {
            let len = len.min(lane.len() - at);
            if len == 0 {
                break;
            }
            calls.push(vec![(i, at, len, 0)]);
            at += len;
        }
    }
    calls
}

/// The lane's positions from `at` on, run behind a copy of a cache that holds those before it and no more.
fn behind_a_copy(engine: &Engine, lane: &[u32], at: usize) -> Vec<Option<Seen>> {
    let mut scratch = Scratch::new();
    let mut before = Cache::new(engine, at);
    // Longer than the lane, and with another sequence's remains.
    let mut cache = Cache::new(engine, lane.len() + 21);
    let junk = tokens(engine, lane.len() + 21, 77);
    for (cache, tokens) in [(&mut before, &lane[..at]), (&mut cache, &junk[..])] {
        let (start, wanted) = (0, tokens.len());
        let run = Run {
            cache,
            start,
            tokens,
            wanted,
        };
        engine.forward(&mut scratch, &mut [run], &mut |_, _, _| {});
    }
    cache.copy(&before);
    let mut seen = Vec::new();
    let run = Run {
        cache: &mut cache,
        start: at,
        tokens: &lane[at..],
        wanted: 0,
    };
    engine.forward(&mut scratch, &mut [run], &mut |_, _, scores| {
        seen.push(Some(Seen {
            logits: scores.logits.to_vec(),
            max: scores.max,
            weights: scores.weights.to_vec(),
        }));
    });
    seen
}

fn check(prepared: &Prepared, lanes: impl Fn(&Engine) -> Vec<Vec<u32>>) {
    let mut reference: Option<Lanes> = None;
    for kernel in kernels() {
        let engine = Engine::new(prepared, kernel).unwrap();
        let lanes = lanes(&engine);
        let schedules = [
            ("parallel", parallel(&lanes)),
            ("step by step", steps(&lanes)),
            (
                "one lane after the other, step by step",
                lanes
                    .iter()
                    .enumerate()
                    .flat_map(|(i, lane)| (0..lane.len()).map(move |at| vec![(i, at, 1, 0)]))
                    .collect(),
            ),
            ("all lanes in one call", together(&lanes)),
            ("boundaries", boundaries(&lanes)),
            ("small mixtures", mixture(&lanes, 9, 1)),
            ("large mixtures", mixture(&lanes, 140, 2)),
        ];
        for (name, calls) in schedules {
            let seen = run(&engine, &lanes, &calls);
            assert!(
                seen.iter().flatten().all(Option::is_some),
                "{name}: a position is missing"
            );
            let reference = reference.get_or_insert_with(|| seen.clone());
            for (lane, (ours, expected)) in seen.iter().zip(&*reference).enumerate() {
                for (at, (ours, expected)) in ours.iter().zip(expected).enumerate() {
                    assert!(
                        ours == expected,
                        "{kernel:?}, {name}: lane {lane} differs at {at}"
                    );
                }
            }
        }
        let expected = reference.as_ref().unwrap();
        let threads: Vec<Lanes> = lanes
            .par_iter()
            .map(|lane| {
                run(
                    &engine,
                    std::slice::from_ref(lane),
                    &[vec![(0, 0, lane.len(), 0)]],
                )
            })
            .collect();
        for (lane, threaded) in threads.iter().enumerate() {
            assert!(
                threaded[0] == expected[lane],
                "{kernel:?}: lane {lane} differs in a thread"
            );
        }
        for at in [1, 2, 15, 16, 17, 63, 64, 100, lanes[0].len() - 1] {
            assert!(
                behind_a_copy(&engine, &lanes[0], at) == expected[0][at..],
                "{kernel:?}: behind a copy of {at} positions"
            );
        }
        // Wanting fewer positions changes none of them.
        let half = lanes[0].len() / 2;
        let wanted = run(&engine, &lanes, &[vec![(0, 0, lanes[0].len(), half)]]);
        assert!(
            wanted[0][..half].iter().all(Option::is_none)
                && wanted[0][half..] == expected[0][half..]
        );
    }
    // Lanes that start alike are alike that far, and differ after it: attention is causal and does look.
    let reference = reference.unwrap();
    assert_ne!(reference[0].last(), reference[1].last());
}

fn random_lanes(engine: &Engine) -> Vec<Vec<u32>> {
    [300, 131, 64, 65, 1, 17]
        .into_iter()
        .enumerate()
        .map(|(i, n)| tokens(engine, n, i as u64))
        .collect()
}

fn tiny(shape: Tiny) {
    check(&prepared(shape, 7), random_lanes);
}

#[test]
fn an_odd_model() {
    tiny(ODD);
}

#[test]
fn a_narrow_model() {
    tiny(NARROW);
}

#[test]
fn a_wide_model() {
    tiny(WIDE);
}

/// Longer than twice a bounded cache of the windowed layers.
fn family_lanes(engine: &Engine) -> Vec<Vec<u32>> {
    [210, 131, 64, 17]
        .into_iter()
        .enumerate()
        .map(|(i, n)| tokens(engine, n, i as u64))
        .collect()
}

macro_rules! families {
    ($($name:ident)*) => {
        mod families {
            use super::*;
            $(#[test]
            fn $name() {
                let name = stringify!($name);
                check(&prepare(&family(name), name).unwrap(), family_lanes);
            })*
        }
    };
}

families!(mistral qwen2 qwen3 gpt2 gpt_neox gemma2 gemma3_text olmo olmo2 phi falcon starcoder2);

/// Version 2 of the numerics: wide values everywhere, wide scores in some layers, in all kinds of attention.
mod version_2 {
    use super::*;

    fn widened(prepared: &Prepared) -> Prepared {
        under_numerics(prepared, 2)
    }

    #[test]
    fn large_scores() {
        let prepared = prepare(&super::large_scores().open(), "large").unwrap();
        assert_eq!(prepared.numerics, 2);
        check(&prepared, random_lanes);
    }

    #[test]
    fn odd_and_wide_models() {
        check(&widened(&prepared(ODD, 7)), random_lanes);
        check(&widened(&prepared(WIDE, 7)), family_lanes);
    }

    macro_rules! families {
        ($($name:ident)*) => {
            $(#[test]
            fn $name() {
                let name = stringify!($name);
                check(&widened(&prepare(&family(name), name).unwrap()), family_lanes);
            })*
        };
    }

    families!(qwen2 gpt2 gemma2 gemma3_text olmo2);
}

#[test]
fn a_trained_model() {
    let checkpoint = checkpoint("tests/fixtures/stories260K");
    let tokenizer =
        ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary).unwrap();
    let text = alice();
    let prepared = prepare(&checkpoint, "stories260K").unwrap();
    check(&prepared, |engine| {
        let lane = |from: usize, count: usize| -> Vec<u32> {
            let symbols = tokenizer.encode(&text[from..from + 8 * count]);
            let token = |symbol: &Symbol| match symbol {
                Symbol::Token(token) => *token,
                Symbol::Escape(_) => engine.start_token(),
            };
            std::iter::once(engine.start_token())
                .chain(symbols.iter().map(token))
                .take(count)
                .collect()
        };
        vec![lane(1000, 200), lane(5000, 129), lane(9000, 40)]
    });
}

/// What a position says must not depend on what follows it, and must depend on what comes before.
#[test]
fn later_tokens_change_nothing_earlier_ones_do() {
    let prepared = prepared(ODD, 8);
    for kernel in kernels() {
        let engine = Engine::new(&prepared, kernel).unwrap();
        let a = tokens(&engine, 100, 1);
        let mut b = a.clone();
        b[70] = if a[70] == 3 { 4 } else { 3 };
        let (first, second) = (
            lmz_testkit::engine::logits(&engine, &a),
            lmz_testkit::engine::logits(&engine, &b),
        );
        assert_eq!(first[..70], second[..70]);
        for at in 70..100 {
            assert_ne!(
                first[at], second[at],
                "position {at} does not see position 70"
            );
        }
    }
}
