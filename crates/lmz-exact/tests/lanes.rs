//! The CPU's lanes against the engine's own forward pass.
#![allow(missing_docs)]

use lmz_exact::{Cache, CpuLanes, Engine, Kernel, Lanes, Prediction, Prefix, Query, Row};
use lmz_testkit::engine::{logits, prepared, tokens};
use lmz_testkit::models::{NARROW, Tiny, WIDE};

fn engine(tiny: Tiny) -> Engine {
    Engine::new(&prepared(tiny, 3), Kernel::detect()).unwrap()
}

fn rows(lane: u32, from: usize, tokens: &[u32]) -> Vec<Row> {
    let row = |(&token, position): (&u32, usize)| Row {
        lane,
        position: position as u32,
        token,
    };
    tokens.iter().zip(from..).map(row).collect()
}

/// What lanes say of rows that are asked about, by number of the query.
fn ask(lanes: &mut dyn Lanes, rows: &[Row], asked: &[usize]) -> Vec<Vec<i32>> {
    let queries: Vec<_> = asked
        .iter()
        .map(|&row| (row, Query::Distribution))
        .collect();
    lanes.submit(rows, &queries).unwrap();
    let mut all = Vec::new();
    lanes
        .collect(&mut |number, prediction| {
            assert_eq!(number, all.len());
            all.push(prediction.distribution().unwrap().logits.to_vec());
        })
        .unwrap();
    all
}

#[test]
fn any_rows_can_be_asked_about() {
    let engine = engine(NARROW);
    let a = tokens(&engine, 90, 1);
    let b = tokens(&engine, 40, 2);
    let (expected_a, expected_b) = (logits(&engine, &a), logits(&engine, &b));
    let mut lanes = CpuLanes::new(&engine, 2, 90);
    let all = [rows(1, 0, &a[..70]), rows(0, 0, &b)].concat();
    // Some of each, with gaps; over the border of a pass.
    let asked = [3, 4, 40, 63, 64, 69, 70, 90, 109];
    let answers = ask(&mut lanes, &all, &asked);
    for (row, answer) in asked.into_iter().zip(answers) {
        let expected = if row < 70 {
            &expected_a[row]
        } else {
            &expected_b[row - 70]
        };
        assert!(answer == *expected, "row {row}");
    }
    assert!(ask(&mut lanes, &rows(1, 70, &a[70..80]), &[]).is_empty());
    // Several passes are queued, the last ones behind those.
    let queries = [(1, Query::Point(0)), (3, Query::Point(u32::MAX))];
    lanes.submit(&rows(1, 80, &a[80..84]), &queries).unwrap();
    let symbol = [(0, Query::Symbol(5))];
    lanes.submit(&rows(1, 84, &a[84..85]), &symbol).unwrap();
    let points = lanes.answers().unwrap();
    assert_eq!(
        (points[0].symbol, points[1].symbol),
        (0, engine.symbols().len())
    );
    let [answer] = lanes.answers().unwrap()[..] else {
        panic!()
    };
    assert_eq!(answer.symbol, 5);
    let max = expected_a[84].iter().max().unwrap();
    assert_eq!(answer.distance as i32, max - expected_a[84][5]);
}

#[test]
fn points_and_symbols_agree_with_the_distribution() {
    let engine = engine(WIDE);
    let tokens = tokens(&engine, 12, 7);
    let mut lanes = CpuLanes::new(&engine, 1, 12);
    let symbols = engine.symbols().len();
    for (position, row) in rows(0, 0, &tokens).into_iter().enumerate() {
        // The same row again gives the same bits.
        for symbol in [0, position % symbols, symbols - 1, symbols] {
            let known = lanes
                .forward(&[row], &[(0, Query::Symbol(symbol as u32))])
                .unwrap();
            let interval = known[0].interval;
            let last = interval.start + (interval.width - 1);
            for point in [interval.start, last] {
                let found = lanes.forward(&[row], &[(0, Query::Point(point))]).unwrap();
                assert_eq!(found, known);
            }
            lanes.submit(&[row], &[(0, Query::Distribution)]).unwrap();
            let mut seen = 0;
            lanes
                .collect(&mut |_, prediction: &Prediction<'_>| {
                    let scores = prediction.distribution().unwrap();
                    assert_eq!(scores.code(symbol), (interval, known[0].cost()));
                    assert!(prediction.answer().is_none());
                    seen += 1;
                })
                .unwrap();
            assert_eq!(seen, 1);
        }
    }
}

#[test]
fn keys_and_values_can_be_kept_and_moved() {
    let engine = engine(NARROW);
    let tokens = tokens(&engine, 60, 4);
    let expected = logits(&engine, &tokens);
    let prefix = Prefix::new(tokens[..31].to_vec());
    let mut lanes = CpuLanes::new(&engine, 2, 60);
    // The prefix's last token is left to be run.
    assert_eq!(lanes.begin(1, &prefix), 30);
    let answers = ask(&mut lanes, &rows(1, 30, &tokens[30..35]), &[0, 4]);
    assert!(answers == [&expected[30][..], &expected[34]]);
    let mut others = CpuLanes::new(&engine, 3, 60);
    let cache = lanes.take(1).unwrap();
    assert!(others.put(2, cache));
    let answers = ask(&mut others, &rows(2, 35, &tokens[35..]), &[24]);
    assert!(answers == [&expected[59][..]]);
    // The lane that was emptied begins anew; a cache that is too small is refused.
    let answers = ask(&mut lanes, &rows(1, 0, &tokens), &[0, 59]);
    assert!(answers == [&expected[0][..], &expected[59]]);
    assert!(!lanes.put(0, Cache::new(&engine, 59)));
    assert_eq!(lanes.begin(0, &Prefix::default()), 0);
}
