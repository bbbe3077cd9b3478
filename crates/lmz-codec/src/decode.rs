//! Coded bytes to segments. Segments are the lanes of a batch: one step of the engine advances all.

use std::sync::atomic::{AtomicUsize, Ordering};

use lmz_coder::Decoder;
use lmz_exact::{Cache, Run, Scores, Scratch};
use lmz_format::ContextPolicy;
use lmz_model::Symbol;
use rayon::prelude::*;

use crate::blocks::{block_at, input};
use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};

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

/// Decodes segments with the current rayon pool, each after the symbols of `prime`. A segment that cannot be decoded gives the reason;
/// whether the bytes are the right ones only a checksum tells.
pub fn decode(
    model: &Model,
    policy: ContextPolicy,
    prime: &[Symbol],
    jobs: &[Job<'_>],
    phase: Phase,
    observer: &dyn Observer,
) -> Result<Vec<Decoded>> {
    let threads = rayon::current_num_threads().clamp(1, jobs.len().max(1));
    let longest = jobs.iter().map(|job| job.raw_len).max().unwrap_or(0);
    // A block never has more positions than the segment has symbols, one a byte at most.
    let positions = (policy.context as usize).min(prime.len() + longest + 1);
    let start_token = model.engine().start_token();
    let known: Vec<u32> = prime.iter().map(|s| input(s, start_token)).collect();
    let known = &known[..];
    let affordable = CACHE_BUDGET / threads / Cache::size(model.engine(), positions).max(1);
    let lanes = jobs
        .len()
        .div_ceil(threads)
        .clamp(1, MAX_LANES.min(affordable.max(1)));
    let next = AtomicUsize::new(0);
    let done: Vec<Vec<Done>> = (0..threads)
        .into_par_iter()
        .map(|_| {
            Batch::new(model, policy, known, positions, lanes).run(jobs, &next, phase, observer)
        })
        .collect::<Result<_>>()?;
    let mut results: Vec<_> = jobs
        .iter()
        .map(|_| Err("was not decoded".to_owned()))
        .collect();
    for (index, result) in done.into_iter().flatten() {
        results[index] = result;
    }
    Ok(results)
}

/// One thread's lanes.
struct Batch<'a> {
    model: &'a Model,
    policy: ContextPolicy,
    /// What each segment's first block reads before its symbols.
    known: &'a [u32],
    scratch: Scratch,
    idle: Vec<Cache>,
    lanes: Vec<Lane<'a>>,
}

/// A segment in the middle of its decoding.
struct Lane<'a> {
    job: usize,
    raw_len: usize,
    decoder: Decoder<'a>,
    cache: Cache,
    out: Vec<u8>,
    /// Model inputs of all symbols so far, the prime's at the front.
    history: Vec<u32>,
    /// Symbol at which the next block starts.
    block_end: usize,
    /// Inputs of the next step, the first at `position`.
    inputs: Vec<u32>,
    position: usize,
    failure: Option<String>,
}

impl<'a> Batch<'a> {
    fn new(
        model: &'a Model,
        policy: ContextPolicy,
        known: &'a [u32],
        positions: usize,
        lanes: usize,
    ) -> Self {
        let idle = (0..lanes)
            .map(|_| Cache::new(model.engine(), positions))
            .collect();
        Self {
            model,
            policy,
            known,
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
                let Some(&Job { coded, raw_len }) = jobs.get(job) else {
                    break;
                };
                self.lanes.push(self.start(job, coded, raw_len, cache));
            }
            if self.lanes.is_empty() {
                observer.advance(phase, unreported);
                return Ok(results);
            }
            let before: usize = self.lanes.iter().map(|lane| lane.out.len()).sum();
            self.step();
            let after: usize = self.lanes.iter().map(|lane| lane.out.len()).sum();
            unreported += (after - before) as u64;
            steps += 1;
            if steps.is_multiple_of(64) {
                check(observer)?;
                observer.advance(phase, std::mem::take(&mut unreported));
            }
            let mut i = 0;
            while i < self.lanes.len() {
                let lane = &self.lanes[i];
                if lane.failure.is_none() && lane.out.len() < lane.raw_len {
                    i += 1;
                    continue;
                }
                let lane = self.lanes.swap_remove(i);
                results.push((lane.job, lane.failure.map_or(Ok(lane.out), Err)));
                self.idle.push(lane.cache);
            }
        }
    }

    fn start(&self, job: usize, coded: &'a [u8], raw_len: usize, cache: Cache) -> Lane<'a> {
        Lane {
            job,
            raw_len,
            decoder: Decoder::new(coded),
            cache,
            // What the coded bytes can hold bounds what is reserved, not what the header claims.
            out: Vec::with_capacity(raw_len.min(coded.len().saturating_mul(64))),
            history: self.known.to_vec(),
            block_end: block_at(self.policy, self.known.len(), self.known.len()).end,
            inputs: [&[self.model.engine().start_token()], self.known].concat(),
            position: 0,
            failure: (raw_len == 0).then(|| "is empty".to_owned()),
        }
    }

    /// One symbol of every lane.
    fn step(&mut self) {
        let engine = self.model.engine();
        let Self {
            lanes,
            scratch,
            policy,
            known,
            ..
        } = self;
        let mut states = Vec::with_capacity(lanes.len());
        let mut runs = Vec::with_capacity(lanes.len());
        for lane in lanes.iter_mut() {
            let Lane {
                decoder,
                cache,
                out,
                history,
                inputs,
                position,
                failure,
                raw_len,
                ..
            } = lane;
            let (tokens, start) = (&inputs[..], *position);
            runs.push(Run {
                cache,
                start,
                tokens,
                wanted: tokens.len() - 1,
            });
            states.push((decoder, out, history, failure, *raw_len));
        }
        engine.forward(scratch, &mut runs, &mut |lane, _, scores| {
            let (decoder, out, history, failure, raw_len) = &mut states[lane];
            match next_symbol(engine, scores, decoder, out) {
                Err(why) => **failure = Some(why),
                Ok(_) if out.len() > *raw_len => {
                    **failure = Some("holds more bytes than it should".to_owned())
                }
                Ok(input) => history.push(input),
            }
        });
        for lane in lanes {
            lane.advance(*policy, known.len(), engine.start_token());
        }
    }
}

/// Decodes one symbol, appends its bytes, and returns it as a model input.
fn next_symbol(
    engine: &lmz_exact::Engine,
    scores: &Scores<'_>,
    decoder: &mut Decoder<'_>,
    out: &mut Vec<u8>,
) -> Result<u32, String> {
    let symbols = engine.symbols();
    let symbol = decoder
        .decode(&scores.distribution())
        .map_err(|e| e.to_string())?;
    match symbols.token(symbol) {
        Some(token) => {
            out.extend_from_slice(symbols.bytes(symbol));
            Ok(token)
        }
        None => {
            out.push(decoder.decode_byte().map_err(|e| e.to_string())?);
            Ok(engine.start_token())
        }
    }
}

impl Lane<'_> {
    /// Sets up the next step: the symbol just decoded, or the start of a new block.
    fn advance(&mut self, policy: ContextPolicy, known: usize, start_token: u32) {
        let n = self.history.len();
        if n < self.block_end {
            self.position += self.inputs.len();
            self.inputs.clear();
            self.inputs.extend(self.history.last());
            return;
        }
        let block = block_at(policy, known, n);
        self.block_end = block.end;
        self.position = 0;
        self.inputs.clear();
        self.inputs.push(start_token);
        self.inputs
            .extend_from_slice(&self.history[n - block.overlap..]);
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
