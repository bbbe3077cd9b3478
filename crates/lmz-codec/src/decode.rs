//! Coded bytes to segments. Segments are the lanes of a batch: one step of the engine advances all.

use std::sync::atomic::{AtomicUsize, Ordering};

use lmz_exact::{Cache, Run, Scratch};
use lmz_format::ContextPolicy;
use lmz_model::Symbol;
use rayon::prelude::*;

use crate::blocks::input;
use crate::error::{CodecError, Result};
use crate::lane::{Beginning, Lane};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::timing::{Direction, Stopwatch};

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
    prime: &[Symbol],
    jobs: &[Job<'_>],
    phase: Phase,
    observer: &dyn Observer,
) -> Result<Vec<Decoded>> {
    let start_token = model.engine().start_token();
    let known: Vec<u32> = prime.iter().map(|s| input(s, start_token)).collect();
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
        for (job, result) in on_cpu(model, beginning, positions, &rest, phase, observer)? {
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

fn on_cpu(
    model: &Model,
    beginning: Beginning<'_>,
    positions: usize,
    jobs: &[Job<'_>],
    phase: Phase,
    observer: &dyn Observer,
) -> Result<Vec<Done>> {
    let threads = rayon::current_num_threads().clamp(1, jobs.len());
    let affordable = CACHE_BUDGET / threads / Cache::size(model.engine(), positions).max(1);
    let lanes = jobs
        .len()
        .div_ceil(threads)
        .clamp(1, MAX_LANES.min(affordable.max(1)));
    let next = AtomicUsize::new(0);
    let done: Vec<Vec<Done>> = (0..threads)
        .into_par_iter()
        .map(|_| Batch::new(model, beginning, positions, lanes).run(jobs, &next, phase, observer))
        .collect::<Result<_>>()?;
    Ok(done.into_iter().flatten().collect())
}

/// One thread's lanes.
struct Batch<'a> {
    model: &'a Model,
    beginning: Beginning<'a>,
    scratch: Scratch,
    idle: Vec<Cache>,
    lanes: Vec<(Lane<'a>, Cache)>,
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

    fn run(
        mut self,
        jobs: &[Job<'a>],
        next: &AtomicUsize,
        phase: Phase,
        observer: &dyn Observer,
    ) -> Result<Vec<Done>> {
        let mut results = Vec::new();
        let mut unreported = 0;
        let mut steps = 0u32;
        loop {
            while let Some(cache) = self.idle.pop() {
                let job = next.fetch_add(1, Ordering::Relaxed);
                let Some(&coded) = jobs.get(job) else {
                    break;
                };
                self.lanes
                    .push((Lane::new(job, coded, self.beginning), cache));
            }
            if self.lanes.is_empty() {
                observer.advance(phase, unreported);
                return Ok(results);
            }
            let before: usize = self.lanes.iter().map(|(lane, _)| lane.out.len()).sum();
            self.step();
            let after: usize = self.lanes.iter().map(|(lane, _)| lane.out.len()).sum();
            unreported += (after - before) as u64;
            steps += 1;
            if steps.is_multiple_of(64) {
                check(observer)?;
                observer.advance(phase, std::mem::take(&mut unreported));
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
