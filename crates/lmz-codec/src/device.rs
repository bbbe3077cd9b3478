//! A model on an accelerator: the same blocks and segments as on the CPU, the same bytes.
//!
//! A device that fails is given up: what it has not done is left to the CPU, and the observer is told.

use std::sync::{Arc, Mutex, PoisonError};

use lmz_exact::{Accelerator, Answer, Lanes, Query, Row};
use lmz_model::Symbol;

use crate::blocks::{Block, read_by};
use crate::decode::{Decoded, Job};
use crate::encode::{Scored, numbers, raw_len};
use crate::error::Result;
use crate::lane::{Beginning, Lane};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};

/// Lanes that blocks are encoded in: a pass holds many positions of each.
const ENCODING_LANES: usize = 64;

/// An accelerator, and whether it still works.
#[derive(Debug)]
pub struct Device {
    accelerator: Arc<dyn Accelerator>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failed: bool,
    /// Lanes and positions that were asked for, and what came of it.
    idle: Option<(usize, usize, Box<dyn Lanes>)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Lanes that go back to their device when they are done.
struct Borrowed<'a> {
    device: &'a Device,
    asked: (usize, usize),
    lanes: Box<dyn Lanes>,
}

impl Borrowed<'_> {
    fn give_back(self) {
        let (lanes, positions) = self.asked;
        self.device.lock().idle = Some((lanes, positions, self.lanes));
    }
}

impl Device {
    pub fn new(accelerator: Arc<dyn Accelerator>) -> Self {
        Self {
            accelerator,
            state: Mutex::default(),
        }
    }

    /// What it is called, while it works.
    pub fn name(&self) -> Option<String> {
        (!self.lock().failed).then(|| self.accelerator.name())
    }

    /// Lanes that make full use of it; none if it has failed.
    pub fn lanes(&self) -> usize {
        if self.lock().failed {
            0
        } else {
            self.accelerator.lanes()
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn borrow(&self, lanes: usize, positions: usize) -> lmz_exact::Result<Borrowed<'_>> {
        let idle = self.lock().idle.take();
        if let Some((asked, room, idle)) = idle
            && asked >= lanes
            && room >= positions
        {
            return Ok(Borrowed {
                device: self,
                asked: (asked, room),
                lanes: idle,
            });
        }
        Ok(Borrowed {
            device: self,
            asked: (lanes, positions),
            lanes: self.accelerator.open(lanes, positions)?,
        })
    }

    /// Gives the device up.
    fn give_up(&self, error: &lmz_exact::ExactError, observer: &dyn Observer) {
        self.lock().failed = true;
        observer.notice(&format!("{error}; the CPU is used instead"));
    }

    /// What the model says of the symbols of blocks; nothing for those that are left to the CPU.
    pub fn score(
        &self,
        model: &Model,
        symbols: &[Vec<Symbol>],
        tasks: &[(usize, Block)],
        observer: &dyn Observer,
    ) -> Result<Vec<Option<Scored>>> {
        let mut done: Vec<Option<Scored>> = tasks.iter().map(|_| None).collect();
        if tasks.is_empty() || self.lock().failed {
            return Ok(done);
        }
        let size = |(_, block): &(usize, Block)| block.end - block.first + block.overlap;
        let positions = tasks.iter().map(size).max().unwrap_or(1);
        let scored = self.borrow(tasks.len().min(ENCODING_LANES), positions);
        match scored {
            Err(error) => self.give_up(&error, observer),
            Ok(mut borrowed) => {
                let lanes = &mut *borrowed.lanes;
                match score(lanes, model, symbols, tasks, &mut done, observer)? {
                    Ok(()) => borrowed.give_back(),
                    Err(error) => self.give_up(&error, observer),
                }
            }
        }
        Ok(done)
    }

    /// The segments of jobs; nothing for those that are left to the CPU.
    pub fn decode(
        &self,
        model: &Model,
        beginning: Beginning<'_>,
        positions: usize,
        jobs: &[Job<'_>],
        phase: Phase,
        observer: &dyn Observer,
    ) -> Result<Vec<Option<Decoded>>> {
        let mut done: Vec<Option<Decoded>> = jobs.iter().map(|_| None).collect();
        if jobs.is_empty() || self.lock().failed {
            return Ok(done);
        }
        match self.borrow(jobs.len().min(self.accelerator.lanes()), positions) {
            Err(error) => self.give_up(&error, observer),
            Ok(mut borrowed) => {
                let lanes = &mut *borrowed.lanes;
                match decode(lanes, model, beginning, jobs, &mut done, phase, observer)? {
                    Ok(()) => borrowed.give_back(),
                    Err(error) => self.give_up(&error, observer),
                }
            }
        }
        Ok(done)
    }
}

/// Ok, or why the device has failed; an error of the outer kind ends the work altogether.
type OnDevice = Result<lmz_exact::Result<()>>;

/// A block in a lane.
struct Reading {
    task: usize,
    inputs: Vec<u32>,
    numbers: Vec<usize>,
    /// Inputs that have been read.
    read: usize,
    scored: Scored,
}

fn score(
    lanes: &mut dyn Lanes,
    model: &Model,
    symbols: &[Vec<Symbol>],
    tasks: &[(usize, Block)],
    done: &mut [Option<Scored>],
    observer: &dyn Observer,
) -> OnDevice {
    let engine = model.engine();
    let mut reading: Vec<Option<Reading>> = (0..lanes.lanes()).map(|_| None).collect();
    let mut next = 0;
    loop {
        check(observer)?;
        for lane in reading.iter_mut().filter(|lane| lane.is_none()) {
            let Some(&(segment, block)) = tasks.get(next) else {
                break;
            };
            let symbols = &symbols[segment];
            let mut inputs = Vec::new();
            read_by(block, symbols, engine.start_token(), &mut inputs);
            *lane = Some(Reading {
                task: next,
                inputs,
                numbers: numbers(engine.symbols(), &symbols[block.first..block.end])?,
                read: 0,
                scored: Scored::default(),
            });
            next += 1;
        }
        let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (number, lane) in reading.iter_mut().enumerate() {
            let Some(lane) = lane else { continue };
            let overlap = tasks[lane.task].1.overlap;
            let n = (lane.inputs.len() - lane.read).min(lanes.rows() - rows.len());
            for position in lane.read..lane.read + n {
                if position >= overlap {
                    let symbol = lane.numbers[position - overlap] as u32;
                    queries.push((rows.len(), Query::Symbol(symbol)));
                    owners.push(number);
                }
                rows.push(Row {
                    lane: number as u32,
                    position: position as u32,
                    token: lane.inputs[position],
                });
            }
            lane.read += n;
        }
        if rows.is_empty() {
            return Ok(Ok(()));
        }
        let answers = match lanes.forward(&rows, &queries) {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error)),
        };
        for (answer, &owner) in answers.iter().zip(&owners) {
            if let Some(lane) = &mut reading[owner] {
                lane.scored.intervals.push(answer.interval);
                lane.scored.cost += answer.cost();
            }
        }
        for slot in &mut reading {
            let whole = |lane: &mut Reading| lane.read == lane.inputs.len();
            let Some(lane) = slot.take_if(whole) else {
                continue;
            };
            let (segment, block) = tasks[lane.task];
            let bytes = raw_len(model, &symbols[segment][block.first..block.end]);
            observer.advance(Phase::Encode, bytes);
            done[lane.task] = Some(lane.scored);
        }
    }
}

fn decode(
    lanes: &mut dyn Lanes,
    model: &Model,
    beginning: Beginning<'_>,
    jobs: &[Job<'_>],
    done: &mut [Option<Decoded>],
    phase: Phase,
    observer: &dyn Observer,
) -> OnDevice {
    let symbols = model.engine().symbols();
    let mut active: Vec<Option<Lane<'_>>> = (0..lanes.lanes()).map(|_| None).collect();
    let mut next = 0;
    loop {
        check(observer)?;
        for lane in active.iter_mut().filter(|lane| lane.is_none()) {
            let Some(&job) = jobs.get(next) else { break };
            *lane = Some(Lane::new(next, job, beginning));
            next += 1;
        }
        let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (number, lane) in active.iter_mut().enumerate() {
            let Some(lane) = lane.as_mut().filter(|lane| !lane.is_done()) else {
                continue;
            };
            let point = match lane.decoder.point() {
                Ok(point) => point,
                Err(error) => {
                    lane.failure = Some(error.to_string());
                    continue;
                }
            };
            let inputs = lane.inputs.iter().zip(lane.position..);
            rows.extend(inputs.map(|(&token, position)| Row {
                lane: number as u32,
                position: position as u32,
                token,
            }));
            queries.push((rows.len() - 1, Query::Point(point)));
            owners.push(number);
        }
        let answers = match lanes.forward(&rows, &queries) {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error)),
        };
        for (answer, &owner) in answers.iter().zip(&owners) {
            let Some(lane) = &mut active[owner] else {
                continue;
            };
            let Answer {
                symbol, interval, ..
            } = *answer;
            match lane.decoder.take(interval) {
                Ok(()) => lane.push(symbols, symbol, beginning.start_token),
                Err(error) => lane.failure = Some(error.to_string()),
            }
            lane.advance(beginning);
        }
        for slot in &mut active {
            let Some(lane) = slot.take_if(|lane| lane.is_done()) else {
                continue;
            };
            observer.advance(phase, lane.out.len() as u64);
            let job = lane.job;
            done[job] = Some(lane.into_result());
        }
        if next >= jobs.len() && active.iter().all(Option::is_none) {
            return Ok(Ok(()));
        }
    }
}
