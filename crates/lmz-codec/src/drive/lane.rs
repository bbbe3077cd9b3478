//! Segments in the middle of their decoding, wherever the model runs.

use lmz_coder::Decoder;
use lmz_exact::{Cache, Lanes, Prediction, Query, Symbols};
use lmz_format::ContextPolicy;

use super::stage::{CodedSymbol, Decoding};
use crate::blocks::{Block, block_at};

/// What every lane's first block reads before its symbols.
#[derive(Clone, Copy)]
pub struct Beginning<'a> {
    pub policy: ContextPolicy,
    pub known: &'a [u32],
    pub start_token: u32,
}

/// A sequence of symbols in the middle of its decoding.
pub struct Lane {
    raw_len: usize,
    pub out: Vec<u8>,
    /// Model inputs of all symbols so far, the prime's at the front.
    history: Vec<u32>,
    /// The block that it is in, full length.
    block: Block,
    /// Inputs of the next step, the first at `position`.
    pub inputs: Vec<u32>,
    pub position: usize,
    /// What the positions before left, while the lane is on its way from one worker to another.
    cache: Option<Cache>,
}

impl Lane {
    /// With `expected` bytes at once, of `raw_len`.
    fn new(raw_len: usize, expected: usize, beginning: Beginning<'_>) -> Self {
        let Beginning {
            policy,
            known,
            start_token,
        } = beginning;
        Self {
            raw_len,
            out: Vec::with_capacity(raw_len.min(expected)),
            history: known.to_vec(),
            block: block_at(policy, known.len(), known.len()),
            inputs: [&[start_token], known].concat(),
            position: 0,
            cache: None,
        }
    }

    /// Begins with inputs of which the first `positions` were run already.
    fn skip(&mut self, positions: usize) {
        self.inputs.drain(..positions);
        self.position += positions;
    }

    /// Whether all raw bytes are there.
    pub fn is_done(&self) -> bool {
        self.out.len() >= self.raw_len
    }

    /// Appends a symbol, and sets up the next step: the symbol itself, or the start of a new block.
    fn push(
        &mut self,
        coded: CodedSymbol,
        symbols: &Symbols,
        beginning: Beginning<'_>,
    ) -> Result<(), String> {
        let input = match symbols.token(coded.number) {
            Some(token) => {
                self.out.extend_from_slice(symbols.bytes(coded.number));
                token
            }
            None => {
                self.out.extend(coded.byte);
                beginning.start_token
            }
        };
        if self.out.len() > self.raw_len {
            return Err("holds more bytes than it should".to_owned());
        }
        self.history.push(input);
        let n = self.history.len();
        if n < self.block.end {
            self.position += self.inputs.len();
            self.inputs.clear();
            self.inputs.push(input);
        } else {
            self.block = block_at(beginning.policy, beginning.known.len(), n);
            self.rewind(beginning.start_token);
        }
        Ok(())
    }

    /// Goes back to the first position of its block.
    fn rewind(&mut self, start_token: u32) {
        self.position = 0;
        self.inputs.clear();
        self.inputs.push(start_token);
        self.inputs
            .extend_from_slice(&self.history[self.block.first - self.block.overlap..]);
    }
}

/// What turns predictions into symbols.
enum Coding<'a> {
    /// A group of one lane.
    Alone(Decoder<'a>),
    Staged(Box<dyn Decoding + 'a>),
}

/// Lanes that advance in lock step; without a stage, one.
pub struct Group<'a> {
    pub job: usize,
    pub lanes: Vec<Lane>,
    coding: Coding<'a>,
    failure: Option<String>,
}

impl<'a> Group<'a> {
    /// A segment of its own.
    pub fn alone(job: usize, coded: &'a [u8], raw_len: usize, beginning: Beginning<'_>) -> Self {
        // What the coded bytes can hold bounds what is reserved, not what the header claims.
        let expected = coded.len().saturating_mul(64);
        Self {
            job,
            lanes: vec![Lane::new(raw_len, expected, beginning)],
            coding: Coding::Alone(Decoder::new(coded)),
            failure: (raw_len == 0).then(|| "is empty".to_owned()),
        }
    }

    /// Lanes of these lengths behind a stage.
    pub fn staged(
        job: usize,
        decoding: Box<dyn Decoding + 'a>,
        raw_lens: &[usize],
        beginning: Beginning<'_>,
    ) -> Self {
        let lanes = raw_lens.iter().map(|&len| Lane::new(len, 0, beginning));
        Self {
            job,
            lanes: lanes.collect(),
            coding: Coding::Staged(decoding),
            failure: None,
        }
    }

    /// Whether nothing is left to decode.
    pub fn is_done(&self) -> bool {
        self.failure.is_some() || self.lanes.iter().all(Lane::is_done)
    }

    /// Raw bytes that are still to come.
    pub fn left(&self) -> usize {
        let left = |lane: &Lane| lane.raw_len.saturating_sub(lane.out.len());
        self.lanes.iter().map(left).sum()
    }

    /// The raw bytes, lane after lane, or why there are none.
    pub fn into_result(mut self) -> Result<Vec<u8>, String> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        Ok(match &mut self.lanes[..] {
            [lane] => std::mem::take(&mut lane.out),
            lanes => lanes.iter().flat_map(|lane| &lane.out).copied().collect(),
        })
    }

    /// What the first lane has got so far, whatever stopped it.
    pub fn into_beginning(mut self) -> Vec<u8> {
        let first = self.lanes.first_mut();
        first.map_or(Vec::new(), |lane| std::mem::take(&mut lane.out))
    }

    /// What is to be asked of the model for a lane; nothing if the group has failed.
    pub fn query(&mut self) -> Option<Query> {
        if self.failure.is_some() {
            return None;
        }
        match &mut self.coding {
            Coding::Staged(_) => Some(Query::Distribution),
            Coding::Alone(decoder) => match decoder.point() {
                Ok(point) => Some(Query::Point(point)),
                Err(error) => {
                    self.failure = Some(error.to_string());
                    None
                }
            },
        }
    }

    /// Takes the next symbol of a lane; returns how many raw bytes it stands for.
    pub fn take(
        &mut self,
        lane: usize,
        prediction: &Prediction<'_>,
        symbols: &Symbols,
        beginning: Beginning<'_>,
    ) -> u64 {
        if self.failure.is_some() {
            return 0;
        }
        let before = self.lanes[lane].out.len();
        let coded = match (&mut self.coding, prediction) {
            (Coding::Alone(decoder), Prediction::Answer(answer)) => {
                let taken = decoder.take(answer.interval).and_then(|()| {
                    let escape = answer.symbol == symbols.len();
                    let byte = escape.then(|| decoder.decode_byte()).transpose()?;
                    Ok(CodedSymbol {
                        number: answer.symbol,
                        byte,
                    })
                });
                taken.map_err(|error| error.to_string())
            }
            (Coding::Staged(stage), Prediction::Distribution(scores)) => stage.decode(lane, scores),
            _ => Err("got an answer to another question".to_owned()),
        };
        let pushed = coded.and_then(|coded| self.lanes[lane].push(coded, symbols, beginning));
        self.failure = pushed.err();
        (self.lanes[lane].out.len() - before) as u64
    }

    /// Takes a seat on a worker's lanes, from `first` on.
    pub fn sit(&mut self, on: &mut dyn Lanes, first: u32, beginning: &Beginning<'_>) {
        for (lane, number) in self.lanes.iter_mut().zip(first..) {
            if let Some(cache) = lane.cache.take()
                && !on.put(number, cache)
            {
                lane.rewind(beginning.start_token);
            }
        }
    }

    /// Leaves its seat for another worker's.
    pub fn rise(&mut self, from: &mut dyn Lanes, first: u32, beginning: &Beginning<'_>) {
        for (lane, number) in self.lanes.iter_mut().zip(first..) {
            lane.cache = from.take(number);
            if lane.cache.is_none() {
                lane.rewind(beginning.start_token);
            }
        }
    }

    /// Leaves lanes that have failed.
    pub fn flee(&mut self, beginning: &Beginning<'_>) {
        for lane in &mut self.lanes {
            lane.rewind(beginning.start_token);
        }
    }

    /// Begins on a worker's lanes, from `first` on, which may keep what all lanes begin with.
    pub fn begin(&mut self, on: &mut dyn Lanes, first: u32, prefix: &lmz_exact::Prefix) {
        for (lane, number) in self.lanes.iter_mut().zip(first..) {
            lane.skip(on.begin(number, prefix));
        }
    }
}
