//! What the model says of known symbols. The unit of parallel work is a block: its inputs are known.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lmz_exact::{Lanes, Prediction, Query, Row, Symbols};
use lmz_model::Symbol;

use super::context::Drive;
use super::exchange::{Exchange, Presence};
use super::timed::Stopwatch;
use super::workers::{Sizes, Stop};
use crate::blocks::{Block, blocks, raw_len, read_by};
use crate::error::{CodecError, Result};
use crate::observer::{Phase, check};
use crate::pool;
use crate::timing::Direction;

/// Lanes of a device that blocks are read in: a pass holds many positions of each.
const DEVICE_LANES: usize = 64;
/// Passes that are queued on a device that works ahead: it has one to go on with while the answers of another are
/// taken.
const QUEUED: usize = 2;

/// What is kept of the predictions of known symbols.
pub trait Keep: Sync {
    /// Of the symbols of one block.
    type Kept: Default + Send;

    /// What is asked of the model to code the symbol of this number.
    fn query(&self, number: usize) -> Query;

    /// Keeps the answer. Symbols come in order.
    fn keep(
        &self,
        kept: &mut Self::Kept,
        symbol: Symbol,
        number: usize,
        prediction: &Prediction<'_>,
    );
}

/// A segment's blocks, and what was kept of each.
pub type Scored<K> = Vec<(Block, K)>;

impl Drive<'_> {
    /// What `keep` keeps of what the model says of each segment's symbols, the first of which are those that are shown.
    /// `raw_len` is for the observer.
    pub fn score<K: Keep>(
        &self,
        segments: &[Vec<Symbol>],
        keep: &K,
        raw_len: usize,
    ) -> Result<Vec<Scored<K::Kept>>> {
        let known = self.shown.len();
        let of = |(segment, symbols): (usize, &Vec<Symbol>)| {
            blocks(self.policy, known, symbols.len()).map(move |block| (segment, block))
        };
        let tasks: Vec<(usize, Block)> = segments.iter().enumerate().flat_map(of).collect();
        let mut scored: Vec<Scored<K::Kept>> = segments.iter().map(|_| Vec::new()).collect();
        let size = |(_, block): &(usize, Block)| block.end - block.first + block.overlap;
        let Some(positions) = tasks.iter().map(size).max() else {
            return Ok(scored);
        };
        let work = Work {
            drive: *self,
            keep,
            segments,
            tasks: &tasks,
            next: AtomicUsize::new(0),
            exchange: Exchange::new(),
            done: Mutex::new(tasks.iter().map(|_| None).collect()),
        };
        let sizes = Sizes {
            device_lanes: tasks.len().min(DEVICE_LANES),
            threads: pool::threads().clamp(1, tasks.len()),
            cpu_lanes: 1,
            positions,
        };
        let watch = Stopwatch::start(Direction::Encoding);
        self.run(sizes, |lanes| work.by(lanes))?;
        watch.stop(self, raw_len);
        let done = work
            .done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for (&(segment, block), kept) in tasks.iter().zip(done) {
            scored[segment].push((block, kept.unwrap_or_default()));
        }
        Ok(scored)
    }
}

/// What the workers share.
struct Work<'a, K: Keep> {
    drive: Drive<'a>,
    keep: &'a K,
    segments: &'a [Vec<Symbol>],
    tasks: &'a [(usize, Block)],
    /// The first task that nobody has begun.
    next: AtomicUsize,
    /// Where tasks are left that a worker could not finish.
    exchange: Exchange<usize>,
    done: Mutex<Vec<Option<K::Kept>>>,
}

/// A block that is being read in a lane.
struct Reading {
    task: usize,
    inputs: Vec<u32>,
    numbers: Vec<usize>,
    /// Inputs that have been queued, or that the lane had from the beginning.
    read: usize,
}

/// What a pass asks for.
#[derive(Default)]
struct Pass {
    rows: Vec<Row>,
    queries: Vec<(usize, Query)>,
    /// The task of each query, and which of its symbols is asked about.
    owners: Vec<(usize, Asked)>,
    /// Tasks whose last input it has.
    ends: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Asked {
    symbol: Symbol,
    number: usize,
}

/// A worker, and the blocks in its lanes.
struct Worker<'w, 'a, K: Keep> {
    work: &'w Work<'a, K>,
    lanes: &'w mut dyn Lanes,
    presence: Presence<'w, usize>,
    /// Of each lane.
    reading: Vec<Option<Reading>>,
    queued: VecDeque<Pass>,
    /// What is kept of tasks that have begun and not ended.
    begun: BTreeMap<usize, K::Kept>,
}

impl<K: Keep> Work<'_, K> {
    /// One worker, with these lanes, until all is done.
    fn by(&self, lanes: &mut dyn Lanes) -> Result<(), Stop> {
        let mut worker = Worker {
            work: self,
            reading: (0..lanes.lanes()).map(|_| None).collect(),
            lanes,
            presence: self.exchange.enter(),
            queued: VecDeque::new(),
            begun: BTreeMap::new(),
        };
        let stopped = worker.run();
        if let Err(Stop::Lanes(_)) = stopped {
            worker.presence.leave(worker.begun.into_keys());
        }
        stopped
    }
}

impl<K: Keep> Worker<'_, '_, K> {
    fn run(&mut self) -> Result<(), Stop> {
        let depth = if self.lanes.works_ahead() { QUEUED } else { 1 };
        loop {
            check(self.work.drive.observer)?;
            while self.queued.len() < depth {
                let pass = self.pass()?;
                if pass.rows.is_empty() {
                    break;
                }
                self.lanes.submit(&pass.rows, &pass.queries)?;
                self.queued.push_back(pass);
            }
            let Some(pass) = self.queued.pop_front() else {
                return Ok(());
            };
            self.collect(&pass)?;
        }
    }

    /// As many rows of the blocks in the lanes as make a pass; none at the end.
    fn pass(&mut self) -> Result<Pass> {
        let most = self.lanes.rows();
        let mut pass = Pass::default();
        for lane in 0..self.reading.len() {
            if pass.rows.len() == most {
                break;
            }
            if self.reading[lane].is_none() {
                self.reading[lane] = self.begin(lane as u32)?;
            }
            let Some(reading) = &mut self.reading[lane] else {
                continue;
            };
            let (segment, block) = self.work.tasks[reading.task];
            let coded = &self.work.segments[segment][block.first..block.end];
            let n = (reading.inputs.len() - reading.read).min(most - pass.rows.len());
            for position in reading.read..reading.read + n {
                if let Some(at) = position.checked_sub(block.overlap) {
                    let number = reading.numbers[at];
                    let symbol = coded[at];
                    let query = self.work.keep.query(number);
                    pass.queries.push((pass.rows.len(), query));
                    pass.owners.push((reading.task, Asked { symbol, number }));
                }
                pass.rows.push(Row {
                    lane: lane as u32,
                    position: position as u32,
                    token: reading.inputs[position],
                });
            }
            reading.read += n;
            if reading.read == reading.inputs.len() {
                pass.ends.push(reading.task);
                self.reading[lane] = None;
            }
        }
        Ok(pass)
    }

    /// The next block, in a lane.
    fn begin(&mut self, lane: u32) -> Result<Option<Reading>> {
        let Work { drive, tasks, .. } = self.work;
        let fresh = || {
            let next = self.work.next.fetch_add(1, Ordering::Relaxed);
            (next < tasks.len()).then_some(next)
        };
        let Some(task) = self.presence.pick().or_else(fresh) else {
            return Ok(None);
        };
        let (segment, block) = tasks[task];
        let symbols = &self.work.segments[segment];
        let engine = drive.model.engine();
        let mut inputs = Vec::new();
        read_by(block, symbols, engine.start_token(), &mut inputs);
        let numbers = numbers(engine.symbols(), &symbols[block.first..block.end])?;
        let read = match block.first == drive.shown.len() {
            true => self.lanes.begin(lane, drive.shown.prefix()),
            false => 0,
        };
        self.begun.insert(task, K::Kept::default());
        Ok(Some(Reading {
            task,
            inputs,
            numbers,
            read,
        }))
    }

    fn collect(&mut self, pass: &Pass) -> Result<(), Stop> {
        let (begun, keep) = (&mut self.begun, self.work.keep);
        self.lanes.collect(&mut |query, prediction| {
            let (task, Asked { symbol, number }) = pass.owners[query];
            if let Some(kept) = begun.get_mut(&task) {
                keep.keep(kept, symbol, number, prediction);
            }
        })?;
        let Work { drive, done, .. } = self.work;
        for &task in &pass.ends {
            let kept = self.begun.remove(&task);
            done.lock().unwrap_or_else(PoisonError::into_inner)[task] = kept;
            let (segment, block) = self.work.tasks[task];
            let coded = &self.work.segments[segment][block.first..block.end];
            let vocabulary = drive.model.engine().symbols().vocabulary();
            let bytes: usize = coded.iter().map(|symbol| raw_len(symbol, vocabulary)).sum();
            drive.observer.advance(Phase::Encode, bytes as u64);
        }
        Ok(())
    }
}

/// The symbols' numbers in the engine's table; the escape's is one past the last.
fn numbers(table: &Symbols, symbols: &[Symbol]) -> Result<Vec<usize>> {
    let number = |symbol: &Symbol| match symbol {
        Symbol::Escape(_) => Some(table.len()),
        Symbol::Token(token) => table.symbol(*token),
    };
    let numbers: Option<Vec<usize>> = symbols.iter().map(number).collect();
    numbers.ok_or_else(|| {
        CodecError::InvalidArgument("the tokeniser gave a token that cannot be coded".into())
    })
}
