//! Coded bytes to segments. Segments are the lanes of a batch: one step of the engine advances all.

mod exchange;

use std::sync::atomic::{AtomicUsize, Ordering};

use lmz_exact::{Cache, Run, Scratch};
use lmz_format::ContextPolicy;
use rayon::prelude::*;

use crate::error::{CodecError, Result};
use crate::lane::{Beginning, Lane};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::shown::Shown;
use crate::timing::{Direction, Stopwatch};

use exchange::Exchange;

/// A coded segment and the length of what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    pub coded: &'a [u8],
    pub raw_len: usize,
}

/// A segment's raw bytes, or why there are none.
pub type Decoded = Result<Vec<u8>, String>;

/// A decoded segment and the number of its job.
type Done = (usize, Decoded);

/// Lanes of one thread: enough to reuse each weight, few enough for the caches of a processor.
const MAX_LANES: usize = 16;
/// Bytes that all lanes' caches may take together.
const CACHE_BUDGET: usize = 256 << 20;

/// Decodes segments on the model's device, or with the current rayon pool, each after the symbols of
/// `prime`. A segment that cannot be decoded gives the reason; whether the bytes are the right ones only
/// a checksum tells.
pub fn decode(
    model: &Model,
    policy: ContextPolicy,
    prime: &Shown,
    jobs: &[Job<'_>],
    phase: Phase,
    observer: &dyn Observer,
) -> Result<Vec<Decoded>> {
    let start_token = model.engine().start_token();
    let known = prime.inputs(start_token);
    let beginning = Beginning {
        policy,
        known: &known,
        start_token,
    };
    let longest = jobs.iter().map(|job| job.raw_len).max().unwrap_or(0);
    // A block never has more positions than the segment has symbols, one a byte at most.
    let positions = (policy.context as usize).min(prime.len() + longest + 1);
    let watch = Stopwatch::start(model, Direction::Decoding);
    let mut results: Vec<Option<Decoded>> = match model.device() {
        Some(device) => device.decode(model, beginning, positions, jobs, phase, observer)?,
        None => jobs.iter().map(|_| None).collect(),
    };
    let left: Vec<usize> = (0..jobs.len()).filter(|&i| results[i].is_none()).collect();
    if !left.is_empty() {
        let rest: Vec<Job<'_>> = left.iter().map(|&i| jobs[i]).collect();
        let work = Work {
            prime,
            jobs: &rest,
            next: AtomicUsize::new(0),
            exchange: Exchange::new(),
            phase,
            observer,
        };
        for (job, result) in on_cpu(model, beginning, positions, &work)? {
            results[left[job]] = Some(result);
        }
    }
    watch.stop(jobs.iter().map(|job| job.raw_len as u64).sum());
    let missing = || Err("was not decoded".to_owned());
    Ok(results
        .into_iter()
        .map(|result| result.unwrap_or_else(missing))
        .collect())
}

fn on_cpu<'a>(
    model: &'a Model,
    beginning: Beginning<'a>,
    positions: usize,
    work: &Work<'a>,
) -> Result<Vec<Done>> {
    let jobs = work.jobs.len();
    let threads = rayon::current_num_threads().clamp(1, jobs);
    let affordable = CACHE_BUDGET / threads / Cache::size(model.engine(), positions).max(1);
    let lanes = jobs
        .div_ceil(threads)
        .clamp(1, MAX_LANES.min(affordable.max(1)));
    let done: Vec<Vec<Done>> = (0..threads)
        .into_par_iter()
        .map(|_| Batch::new(model, beginning, positions, lanes).run(work))
        .collect::<Result<_>>()?;
    Ok(done.into_iter().flatten().collect())
}

/// What the threads share.
struct Work<'a> {
    prime: &'a Shown,
    jobs: &'a [Job<'a>],
    /// The first job that nobody has begun.
    next: AtomicUsize,
    /// Where lanes go from one thread to another when there are no more jobs.
    exchange: Exchange<Running<'a>>,
    phase: Phase,
    observer: &'a dyn Observer,
}

/// A lane and what its positions left.
type Running<'a> = (Lane<'a>, Cache);

/// One thread's lanes.
struct Batch<'a> {
    model: &'a Model,
    beginning: Beginning<'a>,
    scratch: Scratch,
    idle: Vec<Cache>,
    lanes: Vec<Running<'a>>,
}

impl<'a> Batch<'a> {
    fn new(model: &'a Model, beginning: Beginning<'a>, positions: usize, lanes: usize) -> Self {
        let idle = (0..lanes)
            .map(|_| Cache::new(model.engine(), positions))
            .collect();
        Self {
            model,
            beginning,
            scratch: Scratch::new(),
            idle,
            lanes: Vec::new(),
        }
    }

    fn run(mut self, work: &Work<'a>) -> Result<Vec<Done>> {
        let place = work.exchange.enter();
        let mut results = Vec::new();
        let mut unreported = 0;
        let mut steps = 0u32;
        loop {
            while let Some(mut cache) = self.idle.pop() {
                let job = work.next.fetch_add(1, Ordering::Relaxed);
                let Some(&coded) = work.jobs.get(job) else {
                    break;
                };
                let mut lane = Lane::new(job, coded, self.beginning);
                lane.skip(work.prime.begin(self.model, &mut cache));
                self.lanes.push((lane, cache));
            }
            if self.lanes.is_empty() {
                work.observer
                    .advance(work.phase, std::mem::take(&mut unreported));
                match place.receive() {
                    Some(lanes) => self.lanes = lanes,
                    None => return Ok(results),
                }
            }
            // Who waits has found that there are no more jobs.
            if let Some(lanes) = self.share(place.hungry()) {
                place.give(lanes);
            }
            let before: usize = self.lanes.iter().map(|(lane, _)| lane.out.len()).sum();
            self.step();
            let after: usize = self.lanes.iter().map(|(lane, _)| lane.out.len()).sum();
            unreported += (after - before) as u64;
            steps += 1;
            if steps.is_multiple_of(64) {
                check(work.observer)?;
                work.observer
                    .advance(work.phase, std::mem::take(&mut unreported));
            }
            let mut i = 0;
            while i < self.lanes.len() {
                if !self.lanes[i].0.is_done() {
                    i += 1;
                    continue;
                }
                let (lane, cache) = self.lanes.swap_remove(i);
                results.push((lane.job, lane.into_result()));
                self.idle.push(cache);
            }
        }
    }

    /// The lanes that one of `others` threads without any takes over, if there are enough. As much is left
    /// of them as of those that stay.
    fn share(&mut self, others: usize) -> Option<Vec<Running<'a>>> {
        let lanes = self.lanes.len();
        if others == 0 || lanes < 2 {
            return None;
        }
        let given = (lanes / (others + 1)).max(1);
        self.lanes.sort_by_key(|(lane, _)| lane.left());
        // Every second, from the one that ends last but one.
        let from = (0..given).map(|i| lanes - 2 - 2 * i);
        Some(from.map(|i| self.lanes.remove(i)).collect())
    }

    /// One symbol of every lane.
    fn step(&mut self) {
        let engine = self.model.engine();
        let (symbols, start_token) = (engine.symbols(), engine.start_token());
        let lanes = &mut self.lanes;
        // The inputs are taken out, so that a lane can change while the engine reads them.
        let inputs: Vec<Vec<u32>> = lanes
            .iter_mut()
            .map(|(lane, _)| std::mem::take(&mut lane.inputs))
            .collect();
        let mut runs = Vec::with_capacity(lanes.len());
        let mut states = Vec::with_capacity(lanes.len());
        for ((lane, cache), tokens) in lanes.iter_mut().zip(&inputs) {
            runs.push(Run {
                cache,
                start: lane.position,
                tokens,
                wanted: tokens.len() - 1,
            });
            states.push(lane);
        }
        engine.forward(&mut self.scratch, &mut runs, &mut |lane, _, scores| {
            let lane = &mut states[lane];
            match lane.decoder.decode(&scores.distribution()) {
                Ok(symbol) => lane.push(symbols, symbol, start_token),
                Err(error) => lane.failure = Some(error.to_string()),
            }
        });
        for ((lane, _), inputs) in lanes.iter_mut().zip(inputs) {
            lane.inputs = inputs;
            lane.advance(self.beginning);
        }
    }
}

/// The error of a segment.
pub fn segment_error(info: &lmz_format::SegmentInfo, why: impl Into<String>) -> CodecError {
    let (from, to) = (info.raw_offset, info.raw_offset + u64::from(info.raw_len));
    CodecError::Segment {
        place: info.place(),
        from,
        to,
        why: why.into(),
    }
}
