//! A device shows that it computes what the CPU computes before anything is left to it.

use lmz_exact::{Accelerator, Answer, CpuLanes, Engine, ExactError, Lanes, Query, Result, Row};

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
    let mut cpu = CpuLanes::new(engine, LANES, positions);
    let rows = rows(engine, positions);
    // The escape is one past the last.
    let symbols = engine.symbols().len() + 1;
    let queries = (0..rows.len()).map(|i| (i, Query::Symbol((number(i + 1) % symbols) as u32)));
    let queries: Vec<_> = queries.collect();
    let answers = lanes.forward(&rows, &queries)?;
    if answers != cpu.forward(&rows, &queries)? {
        return Err(other());
    }
    for position in 0..positions {
        let of = |lane: usize| lane * positions + position;
        let rows: Vec<Row> = (0..LANES).map(|lane| rows[of(lane)]).collect();
        let last = |answer: &Answer| answer.interval.start + (answer.interval.width - 1);
        let queries = (0..LANES).map(|lane| (lane, Query::Point(last(&answers[of(lane)]))));
        let queries: Vec<_> = queries.collect();
        if lanes.forward(&rows, &queries)? != cpu.forward(&rows, &queries)? {
            return Err(other());
        }
    }
    let queries: Vec<_> = (0..rows.len()).map(|i| (i, Query::Distribution)).collect();
    if distributions(&mut *lanes, &rows, &queries)? != distributions(&mut cpu, &rows, &queries)? {
        return Err(other());
    }
    Ok(())
}

/// Logits of each row.
fn distributions(
    lanes: &mut dyn Lanes,
    rows: &[Row],
    queries: &[(usize, Query)],
) -> Result<Vec<Vec<i32>>> {
    lanes.submit(rows, queries)?;
    let mut logits = Vec::new();
    lanes.collect(&mut |_, prediction| {
        logits.extend(
            prediction
                .distribution()
                .map(|scores| scores.logits.to_vec()),
        );
    })?;
    Ok(logits)
}

/// Any numbers will do; these reach all of a vocabulary.
fn number(i: usize) -> usize {
    i.wrapping_mul(2_654_435_761) >> 7
}

/// All positions of all lanes.
fn rows(engine: &Engine, positions: usize) -> Vec<Row> {
    let known = engine.symbols().tokens();
    let row = |lane: usize, position: usize| Row {
        lane: lane as u32,
        position: position as u32,
        token: match position {
            0 => engine.start_token(),
            _ => known[number(position + 1 + 7919 * lane) % known.len()],
        },
    };
    (0..LANES)
        .flat_map(|lane| (0..positions).map(move |position| row(lane, position)))
        .collect()
}
