//! A prepared model on every kernel: the same bits, together and one by one.

use lmz_codec::{Isa, Kernel, Model};
use lmz_exact::{CpuLanes, Lanes, Prepared, Query, Row};

use crate::built::built;

/// Positions that a model runs.
const POSITIONS: usize = 6;

/// Bytes as the description and the values of a tiny model, the extremes that the file may hold among
/// them: no sum may overflow, and all kernels must give the same bits.
pub fn engine(bytes: &[u8]) {
    if let Ok(prepared) = Prepared::from_bytes(built(bytes)) {
        on_every_kernel(&prepared);
    }
}

/// Loads and runs a model with every kernel of this machine; gives the one of the first. `None` if none of
/// them takes it.
pub fn on_every_kernel(prepared: &Prepared) -> Option<Model> {
    let isas = Isa::available().into_iter();
    let models = isas.map(|isa| {
        let kernel = Kernel::new(isa).expect("an available kernel");
        Model::from_prepared(prepared.clone(), kernel).ok()
    });
    let mut models: Vec<_> = models.collect();
    let Some(first) = models.swap_remove(0) else {
        assert!(models.iter().all(Option::is_none), "kernels choose models");
        return None;
    };
    let scores = run(&first);
    for other in models {
        let other = other.expect("kernels do not choose models");
        assert_eq!(run(&other), scores, "{:?}", other.engine().kernel());
    }
    Some(first)
}

/// Logits and weights of each position, known ones together and then one after the other.
fn run(model: &Model) -> Vec<(Vec<i32>, Vec<u32>)> {
    let engine = model.engine();
    let tokens = model.blueprint().vocab_size as u32;
    let inputs: Vec<u32> = (0..POSITIONS as u32)
        .map(|i| match i {
            0 => engine.start_token(),
            i => i * i % tokens,
        })
        .collect();
    let together = pieces(model, &inputs, POSITIONS);
    assert_eq!(together.len(), POSITIONS);
    assert_eq!(pieces(model, &inputs, 1), together, "one by one");
    together
}

fn pieces(model: &Model, inputs: &[u32], at_once: usize) -> Vec<(Vec<i32>, Vec<u32>)> {
    let mut lanes = CpuLanes::new(model.engine(), 1, inputs.len());
    let mut scores = Vec::new();
    let rows = inputs.iter().zip(0..).map(|(&token, position)| Row {
        lane: 0,
        position,
        token,
    });
    let rows: Vec<Row> = rows.collect();
    for rows in rows.chunks(at_once) {
        let queries: Vec<_> = (0..rows.len()).map(|i| (i, Query::Distribution)).collect();
        lanes.submit(rows, &queries).expect("the CPU");
        let mut take = |_, prediction: &lmz_exact::Prediction<'_>| {
            let found = prediction.distribution().expect("it was asked for");
            scores.push((found.logits.to_vec(), found.weights.to_vec()));
        };
        lanes.collect(&mut take).expect("the CPU");
    }
    scores
}
