//! What a model on a device says of known symbols: blocks in lanes, the next pass queued while one is computed.

use std::collections::{BTreeMap, VecDeque};

use lmz_exact::{Lanes, Query, Row};
use lmz_model::Symbol;

use super::OnDevice;
use crate::blocks::{Block, read_by};
use crate::encode::{Scored, numbers, raw_len};
use crate::error::Result;
use crate::model::Model;
use crate::observer::{Observer, Phase, check};

/// Passes that are queued: the device has one to go on with while the answers of another are taken.
const QUEUED: usize = 2;

/// A block that is being read in a lane.
struct Reading {
    task: usize,
    inputs: Vec<u32>,
    numbers: Vec<usize>,
    /// Inputs that have been queued.
    read: usize,
}

/// A pass: what it asks, and which tasks it is about.
#[derive(Default)]
struct Pass {
    rows: Vec<Row>,
    queries: Vec<(usize, Query)>,
    /// The task of each query.
    owners: Vec<usize>,
    /// Tasks whose last input it has.
    ends: Vec<usize>,
}

/// Blocks on their way through the lanes.
struct Scoring<'a> {
    model: &'a Model,
    symbols: &'a [Vec<Symbol>],
    tasks: &'a [(usize, Block)],
    /// Of each lane.
    reading: Vec<Option<Reading>>,
    /// The first task that no lane has taken.
    next: usize,
}

impl Scoring<'_> {
    /// As many rows of the blocks in the lanes as make a pass; none at the end.
    fn pass(&mut self, most: usize) -> Result<Pass> {
        let engine = self.model.engine();
        let mut pass = Pass::default();
        for (number, slot) in self.reading.iter_mut().enumerate() {
            if slot.is_none()
                && let Some(&(segment, block)) = self.tasks.get(self.next)
            {
                let symbols = &self.symbols[segment];
                let mut inputs = Vec::new();
                read_by(block, symbols, engine.start_token(), &mut inputs);
                *slot = Some(Reading {
                    task: self.next,
                    inputs,
                    numbers: numbers(engine.symbols(), &symbols[block.first..block.end])?,
                    read: 0,
                });
                self.next += 1;
            }
            let Some(lane) = slot else { continue };
            let overlap = self.tasks[lane.task].1.overlap;
            let n = (lane.inputs.len() - lane.read).min(most - pass.rows.len());
            for position in lane.read..lane.read + n {
                if position >= overlap {
                    let symbol = lane.numbers[position - overlap] as u32;
                    pass.queries.push((pass.rows.len(), Query::Symbol(symbol)));
                    pass.owners.push(lane.task);
                }
                pass.rows.push(Row {
                    lane: number as u32,
                    position: position as u32,
                    token: lane.inputs[position],
                });
            }
            lane.read += n;
            if lane.read == lane.inputs.len() {
                pass.ends.push(lane.task);
                *slot = None;
            }
        }
        Ok(pass)
    }
}

/// Scores the blocks of `tasks`, each of them of a segment of `symbols`.
pub fn score(
    lanes: &mut dyn Lanes,
    model: &Model,
    symbols: &[Vec<Symbol>],
    tasks: &[(usize, Block)],
    done: &mut [Option<Scored>],
    observer: &dyn Observer,
) -> OnDevice {
    let mut scoring = Scoring {
        model,
        symbols,
        tasks,
        reading: (0..lanes.lanes()).map(|_| None).collect(),
        next: 0,
    };
    let mut queued = VecDeque::new();
    let mut partial: BTreeMap<usize, Scored> = BTreeMap::new();
    loop {
        check(observer)?;
        while queued.len() < QUEUED {
            let pass = scoring.pass(lanes.rows())?;
            if pass.rows.is_empty() {
                break;
            }
            if let Err(error) = lanes.submit(&pass.rows, &pass.queries) {
                return Ok(Err(error));
            }
            queued.push_back((pass.owners, pass.ends));
        }
        let Some((owners, ends)) = queued.pop_front() else {
            return Ok(Ok(()));
        };
        let answers = match lanes.collect() {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error)),
        };
        for (answer, &task) in answers.iter().zip(&owners) {
            let scored = partial.entry(task).or_default();
            scored.intervals.push(answer.interval);
            scored.cost += answer.cost();
        }
        for task in ends {
            let (segment, block) = tasks[task];
            let bytes = raw_len(model, &symbols[segment][block.first..block.end]);
            observer.advance(Phase::Encode, bytes);
            done[task] = Some(partial.remove(&task).unwrap_or_default());
        }
    }
}
