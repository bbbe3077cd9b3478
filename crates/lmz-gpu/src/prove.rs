//! A device shows that it computes what the CPU computes before anything is left to it.

use lmz_exact::{Accelerator, Cache, Engine, ExactError, Lanes, Query, Result, Row, Run, Scratch};

/// Lanes of the proof.
const LANES: usize = 2;

/// Runs `positions` positions of two lanes on the device, at once and one by one, and compares what it
/// says with what the CPU says.
///
/// # Errors
/// [`ExactError::Device`]: the device fails, or says something else.
pub fn prove(accelerator: &dyn Accelerator, engine: &Engine, positions: usize) -> Result<()> {
    let other = || ExactError::Device {
        device: accelerator.name(),
        reason: "it computes something else than the CPU, and is not used".to_owned(),
    };
    let mut lanes = accelerator.open(LANES, positions)?;
    if lanes.lanes() < LANES {
        return Err(ExactError::Device {
            device: accelerator.name(),
            reason: format!("its memory does not hold {LANES} lanes"),
        });
    }
    let cases: Vec<Case> = (0..LANES)
        .map(|lane| Case::new(engine, positions, lane))
        .collect();
    let mut rows = Vec::new();
    let mut queries = Vec::new();
    for (lane, case) in cases.iter().enumerate() {
        for position in 0..positions {
            queries.push((rows.len(), Query::Symbol(case.symbols[position] as u32)));
            rows.push(case.row(lane, position));
        }
    }
    let answers = lanes.forward(&rows, &queries)?;
    let expected = cases.iter().flat_map(|case| &case.expected);
    let ours = answers.iter().map(|a| (a.symbol, a.interval, a.cost()));
    if !ours.eq(expected.copied()) {
        return Err(other());
    }
    for position in 0..positions {
        step(&mut *lanes, &cases, position, other)?;
    }
    Ok(())
}

/// One position of every lane, found by a point of its symbol's interval.
fn step(
    lanes: &mut dyn Lanes,
    cases: &[Case],
    position: usize,
    other: impl Fn() -> ExactError,
) -> Result<()> {
    let rows = cases.iter().enumerate();
    let rows: Vec<Row> = rows.map(|(lane, case)| case.row(lane, position)).collect();
    let point = |(lane, case): (usize, &Case)| {
        let (_, interval, _) = case.expected[position];
        (lane, Query::Point(interval.start + (interval.width - 1)))
    };
    let queries: Vec<_> = cases.iter().enumerate().map(point).collect();
    let answers = lanes.forward(&rows, &queries)?;
    let same = answers.iter().zip(cases).all(|(answer, case)| {
        let (symbol, interval, _) = case.expected[position];
        (answer.symbol, answer.interval) == (symbol, interval)
    });
    if same && answers.len() == cases.len() {
        Ok(())
    } else {
        Err(other())
    }
}

/// A lane's tokens, and what the CPU says of the symbols after them.
struct Case {
    tokens: Vec<u32>,
    symbols: Vec<usize>,
    expected: Vec<(usize, lmz_coder::Interval, lmz_coder::Cost)>,
}

impl Case {
    fn new(engine: &Engine, positions: usize, lane: usize) -> Self {
        let known = engine.symbols().tokens();
        // Any numbers will do; these reach all of a vocabulary.
        let number = |i: usize| (i + 1 + 7919 * lane).wrapping_mul(2_654_435_761) >> 7;
        let tokens = (1..positions).map(|i| known[number(i) % known.len()]);
        let tokens: Vec<u32> = std::iter::once(engine.start_token())
            .chain(tokens)
            .collect();
        // The escape is one past the last.
        let symbols = (0..positions).map(|i| number(i + positions) % (known.len() + 1));
        let symbols: Vec<usize> = symbols.collect();
        let mut expected = Vec::new();
        let mut cache = Cache::new(engine, positions);
        let run = Run {
            cache: &mut cache,
            start: 0,
            tokens: &tokens,
            wanted: 0,
        };
        engine.forward(
            &mut Scratch::new(),
            &mut [run],
            &mut |_, position, scores| {
                let symbol = symbols[position];
                let (interval, cost) = scores.code(symbol);
                expected.push((symbol, interval, cost));
            },
        );
        Self {
            tokens,
            symbols,
            expected,
        }
    }

    fn row(&self, lane: usize, position: usize) -> Row {
        Row {
            lane: lane as u32,
            position: position as u32,
            token: self.tokens[position],
        }
    }
}
